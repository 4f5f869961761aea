"""The value of a `traceparent` header: W3C Trace Context, level 1."""

from __future__ import annotations

from mist.trace.context import TraceContext

_HEX = "0123456789abcdef"
TRACE_ID, PARENT_ID = 32, 16
_LENGTH, _DASHES = 55, 3
_SAMPLED = 0x01


def parse_traceparent(header: str, /) -> TraceContext | None:
    """Read a `traceparent` header (W3C Trace Context, level 1).

    Args:
        header: Its value, without white space around it.

    Returns:
        The context, with no `tracestate`, or None where the header is malformed, has version
        ff, or an id of zeros. A future version is read as far as it is known.
    """
    known = header[:_LENGTH]
    if (
        len(known) < _LENGTH
        or known.strip(_HEX + "-")
        or known.count("-") != _DASHES
        or not known[2] == known[35] == known[52] == "-"
    ):
        return None
    version, trace_id, parent_id = known[:2], known[3:35], known[36:52]
    if (
        version == "ff"
        or not (trace_id.strip("0") and parent_id.strip("0"))
        or (len(header) > _LENGTH and (version == "00" or header[_LENGTH] != "-"))
    ):
        return None
    return TraceContext(trace_id, parent_id, sampled=bool(int(known[53:], 16) & _SAMPLED))


def format_traceparent(trace_id: str, span_id: str, *, sampled: bool = True) -> str:
    """Write a `traceparent` header of version 00 (W3C Trace Context, level 1).

    Args:
        trace_id: Its last 32 hex digits are written, or zeros in front of fewer. An id that is
            no such number is replaced by a digest of itself, so that the trace holds together
            and the header is valid whatever the id.
        span_id: The same, with 16 digits.
        sampled: Whether the trace may have been recorded.
    """
    return f"00-{wire_id(trace_id, TRACE_ID)}-{wire_id(span_id, PARENT_ID)}-0{sampled:d}"


def wire_id(value: str, digits: int) -> str:
    """Return an id as it travels: so many lowercase hex digits, not all of them zero."""
    number = value.lower()
    tail = number[-digits:]
    if number.strip(_HEX) or not tail.strip("0"):
        from hashlib import blake2b  # noqa: PLC0415  # only for ids that are no numbers

        data = value.encode("utf-8", "surrogatepass")
        return blake2b(data, digest_size=digits // 2).hexdigest()
    return tail.rjust(digits, "0")
