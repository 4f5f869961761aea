"""No trace header makes reading raise, and OpenTelemetry's own propagator reads the same.

The input is a `traceparent` on its first line and a `tracestate` on each further one. What is
read is written again so that OpenTelemetry understands it, our own member first.
"""

import re
from collections.abc import Iterator

from opentelemetry import trace as otel
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from mist import trace
from tools.fuzz import seeds as public

TOKENS = ("00-", "ff-", "-01", "mist=", "a@b=", ",", "\t")

# The grammars of W3C Trace Context, level 1, sections 3.2.2 and 3.3.1; as in level 2, any key
# may begin with a digit, which OpenTelemetry refuses.
_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_MEMBER = re.compile(
    r"(?:[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_DIGIT_FIRST = re.compile(r",[0-9][^,@=]*=")
_MOST_MEMBERS = 32
_PROPAGATOR = TraceContextTextMapPropagator()


def check(data: bytes) -> None:
    """Hold one input against the invariant."""
    parent, *states = data.decode("latin-1").split("\n")
    expected = _parse(parent)
    context = trace.parse_traceparent(parent)
    assert (context and (context.trace_id, context.parent_id, context.sampled)) == expected
    headers = [("TraceParent", parent), *(("tracestate", state) for state in states)]
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    with trace.extract_http(pairs, "check") as span:
        same = trace.extract_http(headers, "as texts")
        trimmed = _parse(parent.strip(" \t"))
        if trimmed is None:
            assert span.parent_id == ""
        else:
            assert (span.trace_id, span.parent_id) == trimmed[:2]
            assert same.trace_id == span.trace_id
        members = _members(states) if trimmed else []
        out: dict[str, str] = {}
        trace.inject_http(out)
        assert out["tracestate"].split(",") == [f"mist={span.span_id}", *members[:31]]
        _otel_agrees(out, span)


def seeds() -> Iterator[bytes]:
    """Give what mist-go parsed, and a full tracestate."""
    known = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for line in public.golden("trace.jsonl"):
        yield from (text.encode() for text in line.values() if isinstance(text, str))
    yield known
    yield known + b"\nrojo=00f067aa0ba902b7,congo=t61rcWkgMzE\nmist=1,a@b=c"
    yield known + b"\n" + b",".join(b"k%d=v" % n for n in range(32))
    yield b"cc" + known[2:] + b"-what the future will be like"


def _parse(text: str) -> tuple[str, str, bool] | None:
    found = _PARENT.fullmatch(text)
    if not found or found[1] == "ff" or not found[2].strip("0") or not found[3].strip("0"):
        return None
    if found[5] and found[1] == "00":
        return None
    return found[2], found[3], bool(int(found[4], 16) & 1)


def _members(states: list[str]) -> list[str]:
    """Return the members but ours; none where anything is wrong."""
    members = [part.strip(" \t") for part in ",".join(states).split(",")]
    members = [member for member in members if member]
    keys = [member.partition("=")[0] for member in members]
    if len(members) > _MOST_MEMBERS or len(set(keys)) < len(keys):
        return []
    if not all(_MEMBER.fullmatch(member) for member in members):
        return []
    return [member for member in members if not member.startswith("mist=")]


def _otel_agrees(headers: dict[str, str], span: trace.Span) -> None:
    seen = otel.get_current_span(_PROPAGATOR.extract(headers)).get_span_context()
    assert seen.is_valid
    assert f"{seen.trace_id:032x}" == span.trace_id
    assert f"{seen.span_id:016x}" == span.span_id[-16:]
    if not _DIGIT_FIRST.search(headers["tracestate"]):
        assert seen.trace_state.get("mist") == span.span_id
