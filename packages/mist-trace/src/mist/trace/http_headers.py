"""Trace context in HTTP headers: W3C Trace Context, level 1."""

from __future__ import annotations

from mist.trace import interop
from mist.trace.span import Span, current, start
from mist.trace.traceparent import format_traceparent, parse_traceparent
from mist.trace.tracestate import format_tracestate, parse_tracestate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableMapping
    from typing import Any

    from mist.trace.context import TraceContext

_TRACEPARENT, _TRACESTATE = "traceparent", "tracestate"
_NAMES = frozenset((_TRACEPARENT, _TRACESTATE))


def inject_http(headers: MutableMapping[Any, Any] | list[Any], /) -> None:
    """Put the current span into outgoing headers, in place of what they have of the kind.

    Without a current span nothing happens.

    Args:
        headers: A mapping of names to texts, bytes or lists of such, or a list of pairs as in
            ASGI; names and values are written as those that are there (an empty list gets
            bytes, an empty mapping texts).
    """
    fields = _fields()
    if fields:
        if isinstance(headers, list):
            _replace_in_list(headers, fields)
        else:
            _replace_in_mapping(headers, fields)


def extract_http(
    headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]], operation: str, /, **attrs: Any
) -> Span:
    """Start a span as a child of the one that incoming headers name; use it in a `with`.

    Where the headers name none, have several `traceparent` or a malformed one, it is as if by
    `start`. An invalid `tracestate` is left out, and the rest stands. No header, whatever is in
    it, makes this raise.

    Args:
        headers: A mapping of names, in any case, to texts, bytes or lists of such, or pairs, as
            the headers of an ASGI scope.
        operation: What it is that takes time.
        attrs: The span's first attributes.
    """
    context = _context(headers)
    if context is None:
        return start(operation, **attrs)
    return Span(operation, attrs, context.trace_id, context.parent_id, context)


def _context(headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> TraceContext | None:
    parents: list[str] = []
    states: list[str] = []
    # Mappings that hold several values for a name give all of them here.
    items: Callable[[], Iterable[tuple[Any, Any]]] | None = getattr(headers, "items", None)
    for name, value in headers if items is None else items():
        kind = _kind(name)
        if kind == _TRACEPARENT:
            parents += _texts(value)
        elif kind == _TRACESTATE:
            states += _texts(value)
    # Two of them, and nobody can tell which one to believe.
    context = parse_traceparent(parents[0].strip(" \t")) if len(parents) == 1 else None
    if context is not None:
        context.tracestate = parse_tracestate(states)
    return context


def _kind(name: object) -> str:
    """Return a header's name in lower case, if it is one of ours."""
    if isinstance(name, bytes):
        name = name.decode("latin-1")
    lower = name.lower() if isinstance(name, str) else ""
    return lower if lower in _NAMES else ""


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, bytes):
        return [value.decode("latin-1")]
    if issubclass(type(value), (list, tuple)):
        return [text for each in value for text in _texts(each)]
    return []


def _fields() -> dict[str, str]:
    """Return the headers that say where we are, none where that is in no trace."""
    here = current() if interop.active is None else interop.active.parent()
    if here is None:
        return {}
    if isinstance(here, Span):
        span_id, tracestate = here.span_id, format_tracestate(here.span_id, here.tracestate)
    else:
        span_id, tracestate = here.parent_id, ",".join(here.tracestate)
    fields = {_TRACEPARENT: format_traceparent(here.trace_id, span_id, sampled=here.sampled)}
    if tracestate:
        fields[_TRACESTATE] = tracestate
    return fields


def _replace_in_list(headers: list[Any], fields: dict[str, str]) -> None:
    kept = [pair for pair in headers if not _kind(pair[0])]
    if headers and isinstance(headers[0][0], str):
        kept += fields.items()
    else:
        kept += [(name.encode(), text.encode()) for name, text in fields.items()]
    headers[:] = kept


def _replace_in_mapping(headers: MutableMapping[Any, Any], fields: dict[str, str]) -> None:
    names = list(headers)
    of_bytes = bool(names) and isinstance(names[0], bytes)
    of_lists = bool(names) and isinstance(headers[names[0]], list)
    for name in names:
        # In a mapping that ignores case, the first of several spellings takes all with it.
        if _kind(name) and name in headers:
            del headers[name]
    for name, text in fields.items():
        value = text.encode() if of_bytes else text
        headers[name.encode() if of_bytes else name] = [value] if of_lists else value
