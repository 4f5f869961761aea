"""Channels and files against what the standard library does without an envelope."""

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from mist.protocol import Message
from mist.transport import Channel, File
from tools.bench.pair import AsyncPair
from tools.bench.row import Rows, at_most

ROWS = Rows("transport")

_COUNT = 10_000
# Read from the wire, as a relay has it; 450 bytes, the average of what mist-go's tools exchange.
_MESSAGE = Message.unmarshal(
    Message.new("matchspec", "acme.item", {"n": 1, "text": "lorem ipsum " * 22}).marshal()
)
_LINE = _MESSAGE.marshal() + b"\n"


class Envelope(msgspec.Struct):
    """The fields of a Message and nothing else: no constraints, no checks."""

    version: str
    id: str
    source: str
    type: str
    timestamp_ns: int = 0
    payload: msgspec.Raw = msgspec.Raw(b"")
    checksum: int = 0


@ROWS.awaits(
    f"channel send + receive, {_COUNT} messages",
    at_most(2),
    against="asyncio.Queue put_nowait / get",
    per_call=_COUNT,
)
async def channel() -> AsyncGenerator[AsyncPair]:
    """Fill the one and the other, and empty it again."""
    ours: Channel = Channel(_COUNT)
    queue: asyncio.Queue[Message] = asyncio.Queue(_COUNT)

    async def pass_channel() -> None:
        for _ in range(_COUNT):
            await ours.send(_MESSAGE)
        for _ in range(_COUNT):
            await ours.receive()

    async def pass_queue() -> None:
        for _ in range(_COUNT):
            queue.put_nowait(_MESSAGE)
        for _ in range(_COUNT):
            await queue.get()

    yield AsyncPair(pass_channel, pass_queue)


@ROWS.awaits(
    "file send",
    at_most(2),
    against="one os.write of the same bytes",
    per_call=_COUNT,
)
async def file_send() -> AsyncGenerator[AsyncPair]:
    """Append to two files, which are emptied after each round of messages."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "ours.jsonl"
        fd = os.open(Path(directory) / "peer.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        async with File(path) as file:
            await file.send(_MESSAGE)

            async def send() -> None:
                for _ in range(_COUNT):
                    await file.send(_MESSAGE)
                os.truncate(path, 0)

            async def write() -> None:
                for _ in range(_COUNT):
                    os.write(fd, _LINE)
                os.truncate(fd, 0)

            yield AsyncPair(send, write)
        os.close(fd)


@ROWS.awaits(
    "file receive",
    at_most(2),
    against="readline + msgspec decode, same fields",
    peers=["msgspec"],
    per_call=_COUNT,
)
async def file_receive() -> AsyncGenerator[AsyncPair]:
    """Read a file from its start to its end."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "messages.jsonl"
        path.write_bytes(_LINE * _COUNT)
        decode = msgspec.json.Decoder(Envelope).decode

        async def receive() -> None:
            async with File(path) as file:
                async for _ in file:
                    pass

        async def read() -> None:
            with path.open("rb") as lines:
                while line := lines.readline():
                    decode(line)

        yield AsyncPair(receive, read)
