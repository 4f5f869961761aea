"""One envelope is a message or a `ProtocolError`, and json.loads sees the same in it.

What is accepted round-trips to the byte of its payload; what is refused has a reason that the
standard library's parser, or the documented limits, confirm.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from mist.protocol import Message, ProtocolError
from tools.fuzz import seeds as public
from tools.fuzz.json_reference import NotJsonError, as_object, loads

TOKENS = ("version", "id", "source", "type", "timestamp_ns", "payload", "checksum", "null", "1e0")

_TEXTS = ("version", "id", "source", "type")
_LONGEST_ERROR = 1000


def check(data: bytes) -> None:
    """Hold one input against the invariant."""
    try:
        message = Message.unmarshal(data)
    except ProtocolError as exc:
        assert exc.code == "protocol"
        assert len(str(exc)) < _LONGEST_ERROR, "an error as long as its input"
        assert not _is_message(data), f"refused, for no reason that json.loads sees: {exc}"
        return
    _agrees(message, data)
    _round_trips(message)


def seeds() -> Iterator[bytes]:
    """Give envelopes that mist-go judged, and hostile JSON, bare and as a payload."""
    yield from (line["input"].encode() for line in public.golden("envelope.jsonl"))
    yield from (line["wire_with_checksum"].encode() for line in public.golden("wire.jsonl"))
    for document in public.json_documents():
        yield document
        yield b'{"version":"1","id":"a","source":"s","type":"t","payload":' + document + b"}"


def _is_message(data: bytes) -> bool:
    """Tell whether the documented rules, on json.loads, make a message of this without doubt."""
    try:
        value = as_object(loads(data, unique=True))
    except NotJsonError:
        return False
    if value is None:
        return False
    return all(isinstance(value.get(name), str) and value[name] for name in _TEXTS) and all(
        _is_whole(value.get(name), low, high)
        for name, low, high in (("timestamp_ns", -(1 << 63), 1 << 63), ("checksum", 0, 1 << 32))
    )


def _is_whole(value: Any, low: int, high: int) -> bool:
    return value is None or (type(value) is int and low <= value < high)


def _agrees(message: Message, data: bytes) -> None:
    try:
        value = loads(data)
    except NotJsonError as exc:
        # The payload is passed on as it came, and refused by whoever decodes it.
        assert exc.is_doubtful, f"accepted, and json.loads refuses it: {exc}"
        return
    for name in _TEXTS:
        assert getattr(message, name) == value[name]
    assert message.timestamp_ns == (value.get("timestamp_ns") or 0)
    assert message.checksum == (value.get("checksum") or 0)
    assert ("payload" in value) == bool(message.payload)


def _round_trips(message: Message) -> None:
    again = Message.unmarshal(message.marshal())
    assert again == message
    assert bytes(again.payload) == bytes(message.payload)
    checked = Message.unmarshal(message.marshal_with_checksum())
    assert checked.verify_checksum()
    assert bytes(checked.payload) == bytes(message.payload)
    message.validate()
    assert hash(message) == hash(again)
    assert len(repr(message)) < 5 * _LONGEST_ERROR
    with contextlib.suppress(ProtocolError):
        message.decode()
    with contextlib.suppress(ProtocolError, NotJsonError):
        plain: Any = replace(message, type="of no class").decode()
        # As they are written, so that 1 is not 1.0.
        assert repr(plain) == repr(loads(bytes(message.payload)))
