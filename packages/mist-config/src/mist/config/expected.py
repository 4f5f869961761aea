"""What belongs in a place, in words."""

from typing import Any

from mist.config.node import Choice, Items, Kind, Leaf, Node, Section, Table
from mist.config.value import printable, shown

_WORDS: dict[Kind, str] = {
    "any": "any value",
    "bool": "true or false",
    "duration": 'a duration ("30s", "1h30m", or seconds)',
    "float": "a number",
    "int": "a whole number",
    "none": "nothing",
    "path": "a path",
    "secret": "text",
    "size": 'a size ("512MB", "10MiB", or bytes)',
    "text": "text",
    "timedelta": 'a duration ("30s", "1h30m", or seconds)',
}
_WORD_TYPES = {
    "datetime": "a date and time",
    "date": "a date",
    "time": "a time of day",
    "UUID": "a UUID",
    "Decimal": "a decimal number",
    "bytes": "bytes as base64",
    "bytearray": "bytes as base64",
}


def expected(node: Node) -> str:
    """What a node takes, with its constraints."""
    match node:
        case Leaf(kind="choice" | "tag"):
            values = [shown(value) for value in node.choices]
            words = f"one of {', '.join(values)}" if len(values) > 1 else "".join(values)
        case Leaf():
            words = _WORDS.get(node.kind) or _word(node.type)
        case Items(item=None):
            words = f"a list of {len(node.positions)}: {', '.join(map(expected, node.positions))}"
        case Items():
            words = _of("a list", "item", node.item)
        case Table():
            words = _of("a table", "value", node.value)
        case Choice():
            words = " or ".join(dict.fromkeys(map(expected, node.members)))
        case _:
            words = "a table"
    # A duration or a size cannot be less than nothing; saying so helps nobody.
    measured = isinstance(node, Leaf) and node.kind in ("duration", "size")
    limits = {
        name: value
        for name, value in node.limits.items()
        if not (measured and name == "ge" and value == 0)
    }
    return " ".join([words, *_limits(limits, counted=isinstance(node, Items | Table))])


def _of(container: str, part: str, item: Node | None) -> str:
    if item is None or isinstance(item, Section):
        return f"{container} of tables"
    if isinstance(item, Leaf) and item.kind == "any":
        return container
    return f"{container}, each {part} {expected(item)}"


def _word(annotation: Any) -> str:
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    name = getattr(annotation, "__name__", str(annotation))
    return _WORD_TYPES.get(name, name)


def _limits(limits: dict[str, Any], *, counted: bool) -> list[str]:
    words: list[str] = []
    low, high = limits.get("ge"), limits.get("le")
    if low is not None and high is not None:
        words.append(f"from {low} to {high}")
    else:
        words += [f">= {low}"] if low is not None else []
        words += [f"<= {high}"] if high is not None else []
    words += [f"> {limits['gt']}"] if "gt" in limits else []
    words += [f"< {limits['lt']}"] if "lt" in limits else []
    words += [f"in steps of {limits['multiple_of']}"] if "multiple_of" in limits else []
    words += _length(limits.get("min_length"), limits.get("max_length"), counted=counted)
    words += [f"matching {printable(limits['pattern'])}"] if "pattern" in limits else []
    if "tz" in limits:
        words.append("with a time zone" if limits["tz"] else "without a time zone")
    return words


def _length(low: int | None, high: int | None, *, counted: bool) -> list[str]:
    what = "entries" if counted else "characters"
    if low is not None and high is not None:
        return [f"({low} to {high} {what})"]
    if low is not None:
        return [f"(at least {low} {what})"]
    return [f"(at most {high} {what})"] if high is not None else []
