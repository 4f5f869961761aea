"""Traces as text."""

from __future__ import annotations

from mist.trace.columns import fit, pad, printable, shown_width
from mist.trace.span import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

_UNIQUE = 16  # as much as a traceparent leaves of a span id
_NARROWEST = 40
_STEP = 3  # columns for each level of the tree
_INSANE = 1e24
_SMALLEST_COST = 0.0001
_GAP = "  "


class _Node:
    """What is shown of a span, and the spans below it."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        attrs: Mapping[str, Any] = _attrs(payload)
        self.trace_id = str(payload.get("trace_id") or "")
        self.span_id = str(payload.get("span_id") or "")
        self.parent_id = str(payload.get("parent_id") or "")
        self.operation = printable(payload.get("operation") or "(no name)")
        self.status = printable(payload.get("status") or "open")
        self.start_ns = _number(payload.get("start_ns"))
        self.end_ns = _number(payload.get("end_ns"))
        self.tokens_in = _number(attrs.get("tokens_in"))
        self.tokens_out = _number(attrs.get("tokens_out"))
        self.cost = _number(attrs.get("cost_usd"))
        self.notes = [
            printable(attrs[name])
            for name in ("code", "error")
            if self.status != "ok" and attrs.get(name)
        ]
        self.children: list[_Node] = []

    @property
    def order(self) -> tuple[float, str]:
        """Where it stands among its siblings."""
        return self.start_ns, self.span_id

    @property
    def cells(self) -> tuple[str, ...]:
        """What stands beside its name."""
        taken = _duration(self.end_ns - self.start_ns) if self.end_ns else ""
        tokens, cost = _tokens(self.tokens_in, self.tokens_out), _cost(self.cost)
        return taken, self.status, tokens, cost


def render(spans: Iterable[Span | Mapping[str, Any]], /, *, width: int | None = None) -> str:
    """Draw spans as trees, one trace after the other, for a terminal.

    Each span is a line with its duration, status, tokens (in → out) and cost; the line of the
    trace has the sums of `tokens_in`, `tokens_out` and `cost_usd` over all its spans. Whatever
    is in the spans, nothing of it controls the terminal.

    Args:
        spans: Spans, or mappings in the shape of a `trace.span` payload, in any order.
        width: Columns that no line exceeds, at least 40; by default those of the terminal.
    """
    if width is None:
        from shutil import get_terminal_size  # noqa: PLC0415  # only where it decides

        width = get_terminal_size().columns
    traces: dict[str, dict[str, _Node]] = {}
    for span in spans:
        node = _Node(_payload(span))
        traces.setdefault(node.trace_id, {})[node.span_id] = node
    trees = [sorted(nodes.values(), key=lambda node: node.order) for nodes in traces.values()]
    trees.sort(key=lambda nodes: nodes[0].order)
    return "\n\n".join("\n".join(_draw(nodes, max(width, _NARROWEST))) for nodes in trees)


def _payload(span: Span | Mapping[str, Any]) -> Mapping[str, Any]:
    return span.to_payload() if isinstance(span, Span) else span


def _attrs(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    attrs: Any = payload.get("attrs")
    return attrs if hasattr(attrs, "items") else {}


def _draw(nodes: list[_Node], width: int) -> Iterator[str]:
    """Draw one trace, of nodes in their order."""
    yield fit(_heading(nodes), width)
    names: list[str] = []
    shown: list[_Node] = []
    for branches, node in _walk(_roots(nodes)):
        names.append(_tree(branches, width // 3) + node.operation)
        shown.append(node)
    table = [node.cells for node in shown]
    widths = [max(map(shown_width, column)) for column in zip(*table, strict=True)]
    room = max(width - sum(each + len(_GAP) for each in widths if each), width // 2)
    name_width = min(max(map(shown_width, names)), room)
    for name, node, (taken, *others) in zip(names, shown, table, strict=True):
        texts = [pad(fit(name, name_width), name_width), taken.rjust(widths[0])]
        texts += [pad(text, each) for text, each in zip(others, widths[1:], strict=True) if each]
        yield fit(_GAP.join([*texts, *node.notes]).rstrip(), width)


def _heading(nodes: list[_Node]) -> str:
    taken = max(node.end_ns for node in nodes) - nodes[0].start_ns
    parts = [
        f"trace {printable(nodes[0].trace_id) or '(no id)'}",
        "1 span" if len(nodes) == 1 else f"{len(nodes)} spans",
        _duration(taken) if taken > 0 else "",
        _tokens(sum(node.tokens_in for node in nodes), sum(node.tokens_out for node in nodes)),
        _cost(sum(node.cost for node in nodes)),
    ]
    return _GAP.join(part for part in parts if part)


def _roots(nodes: list[_Node]) -> list[_Node]:
    """Hang all nodes below their parents, and return those that stay on top."""
    by_id = {node.span_id[-_UNIQUE:]: node for node in nodes}
    roots: list[_Node] = []
    parents: dict[_Node, _Node] = {}
    for node in nodes:
        parent = by_id.get(node.parent_id[-_UNIQUE:]) if node.parent_id else None
        if parent is not None:
            parents[node] = parent
            parent.children.append(node)
            continue
        if node.parent_id:
            node.notes.append("(parent elsewhere)")
        roots.append(node)
    reached = {node for _, node in _walk(roots)}
    for node in nodes:
        if node not in reached:
            parents[node].children.remove(node)
            node.notes.append("(its own ancestor)")
            roots.append(node)
            reached.update(each for _, each in _walk([node]))
    return sorted(roots, key=lambda node: node.order)


def _walk(roots: list[_Node]) -> Iterator[tuple[tuple[bool, ...], _Node]]:
    """Yield every node, parents first, and for each level whether it is the last one there."""
    waiting: list[tuple[tuple[bool, ...], _Node]] = [((), root) for root in reversed(roots)]
    while waiting:
        lasts, node = waiting.pop()
        yield lasts, node
        for index, child in enumerate(reversed(node.children)):
            waiting.append(((*lasts, index == 0), child))


def _tree(lasts: tuple[bool, ...], widest: int) -> str:
    """Draw the lines that lead to a node, or only their number where they are too many."""
    if not lasts:
        return ""
    if _STEP * len(lasts) > widest:
        return f"{'…':{_STEP}}[{len(lasts)}] "
    above = "".join("   " if last else "│  " for last in lasts[:-1])
    return above + ("└─ " if lasts[-1] else "├─ ")


def _number(value: object) -> float:
    """Return what can be added up: what is no number, or none that is sane, as 0."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _INSANE:
        return value
    return 0


def _duration(ns: float) -> str:
    seconds = max(ns, 0) / 1e9
    if seconds < 1e-3:  # noqa: PLR2004  # a millisecond
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.1f} ms"
    if seconds < 60:  # noqa: PLR2004  # a minute
        return f"{seconds:.2f} s"
    return f"{seconds // 60:.0f}m {seconds % 60:04.1f}s"


def _tokens(tokens_in: float, tokens_out: float) -> str:
    return f"{tokens_in:.0f} → {tokens_out:.0f}" if tokens_in or tokens_out else ""


def _cost(usd: float) -> str:
    if not usd:
        return ""
    return f"${usd:.4f}" if abs(usd) >= _SMALLEST_COST else f"${usd:.1e}"
