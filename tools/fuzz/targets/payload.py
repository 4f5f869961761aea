"""A value becomes a payload that says the same, or a `ProtocolError` that has a reason.

The value is whatever json.loads makes of the input, NaN and huge integers included. A payload is
compact, free of what a relay would escape, and json.loads reads the value in it again.
"""

import json
from collections.abc import Iterator

import msgspec

from mist.protocol import Message, ProtocolError
from tools.fuzz import seeds as public
from tools.fuzz.json_reference import SAFE_DEPTH, depth, has_lone_surrogate, parts

TOKENS = ("NaN", "Infinity", "-Infinity", "\\ud800", "\u2028", "<", ">", "&", "1e400")


def check(data: bytes) -> None:
    """Hold one input against the invariant."""
    try:
        value = json.loads(data.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return
    try:
        message = Message.new("source", "fuzz", value)
    except ProtocolError as exc:
        assert _has_reason(value), f"refused for no reason: {exc}"
        return
    payload = bytes(message.payload)
    assert not set(payload) & set(b"<>&")
    assert "\u2028" not in payload.decode()
    assert "\u2029" not in payload.decode()
    assert repr(json.loads(payload)) == repr(value)
    assert repr(message.decode()) == repr(value)
    # What is ready-made keeps its values to the letter.
    if b'"' not in payload:
        ready = Message.new("source", "fuzz", msgspec.Raw(payload.replace(b",", b" ,\n")))
        assert bytes(ready.payload) == payload


def seeds() -> Iterator[bytes]:
    """Give payloads of mist-go and hostile JSON."""
    yield from (line["payload"].encode() for line in public.golden("wire.jsonl"))
    yield from public.json_documents()
    yield b'{"a":[NaN,1e999,-Infinity,18446744073709551616],"\\ud800":"<&>\xe2\x80\xa8"}'


def _has_reason(value: object) -> bool:
    if depth(value) > SAFE_DEPTH or has_lone_surrogate(value):
        return True
    return any(
        (isinstance(each, float) and each - each != 0.0)
        or (isinstance(each, int) and not -(1 << 63) <= each < 1 << 64)
        for each in parts(value)
    )
