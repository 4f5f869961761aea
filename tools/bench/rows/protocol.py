"""mist.protocol against bare msgspec, and against a message written out by hand."""

import os
from collections.abc import Generator
from itertools import repeat
from time import time_ns

import msgspec

from mist.protocol import ChatMessage, HealthPing, InferRequest, Message, MessageType, Source
from tools.bench.pair import Pair
from tools.bench.row import Rows, at_most

ROWS = Rows("protocol")

# So many calls to a sample's call that the harness's own call does not count.
_LOOP = 100


class Envelope(msgspec.Struct):
    """The fields of a Message and nothing else: no constraints, no checks."""

    version: str
    id: str
    source: str
    type: str
    timestamp_ns: int = 0
    payload: msgspec.Raw = msgspec.Raw(b"")
    checksum: int = 0


def _chat(words: int) -> Message:
    chat = [ChatMessage("user", "lorem ipsum " * words)]
    request = InferRequest("auto", messages=chat)
    return Message.new(Source.MATCHSPEC, MessageType.INFER_REQUEST, request).with_checksum()


# Read from the wire, as a relay has it.
_MESSAGES = {
    name: Message.unmarshal(message.marshal())
    for name, message in {
        "small": Message.new(Source.MATCHSPEC, MessageType.HEALTH_PING, HealthPing("matchspec")),
        "1.4 kB": _chat(96),
        "57 kB": _chat(4733),
    }.items()
}


def _marshal(name: str, bound: float) -> None:
    @ROWS.calls(
        f"marshal, {name}",
        at_most(bound),
        against="msgspec Encoder.encode, same Struct",
        peers=["msgspec"],
        per_call=_LOOP,
    )
    def marshal() -> Generator[Pair]:
        message = _MESSAGES[name]
        encode = msgspec.json.Encoder().encode

        def ours() -> None:
            for _ in repeat(None, _LOOP):
                message.marshal()

        def peer() -> None:
            for _ in repeat(None, _LOOP):
                encode(message)

        yield Pair(ours=ours, peer=peer)


def _unmarshal(name: str, bound: float) -> None:
    @ROWS.calls(
        f"unmarshal, {name}",
        at_most(bound),
        against="msgspec Decoder.decode, plain Struct",
        peers=["msgspec"],
        per_call=_LOOP,
    )
    def unmarshal() -> Generator[Pair]:
        wire = _MESSAGES[name].marshal()
        decode = msgspec.json.Decoder(Envelope).decode

        def ours() -> None:
            for _ in repeat(None, _LOOP):
                Message.unmarshal(wire)

        def peer() -> None:
            for _ in repeat(None, _LOOP):
                decode(wire)

        yield Pair(ours=ours, peer=peer)


def _new(name: str, payload: object) -> None:
    @ROWS.calls(
        f"Message.new, {name}",
        at_most(0.8),
        against="urandom, time_ns, encode, construct",
        peers=["msgspec"],
        per_call=_LOOP,
    )
    def new() -> Generator[Pair]:
        encode = msgspec.json.Encoder().encode

        def plainly(source: str, kind: str, payload: object) -> Envelope:
            encoded = msgspec.Raw(encode(payload))
            return Envelope("1", os.urandom(16).hex(), source, kind, time_ns(), encoded)

        def ours() -> None:
            for _ in repeat(None, _LOOP):
                Message.new("matchspec", "health.ping", payload)

        def peer() -> None:
            for _ in repeat(None, _LOOP):
                plainly("matchspec", "health.ping", payload)

        yield Pair(ours=ours, peer=peer)


for _size, _bound in (("small", 1.3), ("1.4 kB", 1.3), ("57 kB", 2.0)):
    _marshal(_size, _bound)
for _size, _bound in (("small", 1.6), ("1.4 kB", 1.4), ("57 kB", 1.3)):
    _unmarshal(_size, _bound)
# The smallest message of the protocol, in the two forms that a tool can give it, and a flat
# payload with one value of each scalar type.
_new("health.ping as JSON values", {"from": "matchspec"})
_new("health.ping as HealthPing", HealthPing("matchspec"))
_new("four scalars", {"n": 3, "task": "add", "ok": True, "score": 0.5})
