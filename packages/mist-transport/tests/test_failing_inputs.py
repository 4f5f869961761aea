"""Inputs and outputs that fail for a while, or for good: whoever waits is told, each time."""

import asyncio
import errno
import os
import threading

import pytest

from mist.protocol import Message, marshal_lines
from mist.transport import File, Stdio, TransportError
from mist.transport.lines import LineParser
from mist.transport.reading import ChunkReader, MessageReader


@pytest.fixture
def no_threads(monkeypatch):
    """Let the system have no more threads, until the function that this is gets called."""

    def fail(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    return monkeypatch.undo


async def test_a_file_that_is_made_later_is_received_then(tmp_path, messages) -> None:
    """What cannot be opened is tried again by the next call."""
    path = tmp_path / "later.jsonl"
    async with File(path) as file:
        for _ in range(2):
            with pytest.raises(TransportError, match="No such file") as caught:
                await file.receive()
            assert caught.value.code == "not_found"
        path.write_bytes(marshal_lines(messages(2)))
        assert [message.decode()["n"] async for message in file] == [0, 1]


async def test_all_who_wait_for_what_cannot_be_opened_are_told() -> None:
    """Each of several receivers gets the error, of an attempt that it waited for or made itself."""
    all_wait = threading.Event()

    def fail(_stop):
        all_wait.wait()
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    reader = MessageReader(ChunkReader(fail), LineParser("disk"))
    asyncio.get_running_loop().call_later(0.02, all_wait.set)
    receiving = asyncio.gather(*[reader.next_message() for _ in range(3)], return_exceptions=True)
    assert [getattr(outcome, "code", outcome) for outcome in await receiving] == ["not_found"] * 3


async def test_an_input_that_fails_gives_what_it_had_and_then_the_error(messages) -> None:
    """A disk that cannot be read is not the end of the stream, and no line is made of pieces."""

    class Disk:
        def __init__(self, _stop):
            self.chunks = [marshal_lines(messages(2)) + b'{"version":"1","id":"tor']

        def read(self, _size):
            if self.chunks:
                return self.chunks.pop()
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        def close(self):
            pass

    reader = MessageReader(ChunkReader(Disk), LineParser("disk"))
    assert [(await reader.next_message()).decode()["n"] for _ in range(2)] == [0, 1]
    for _ in range(2):
        with pytest.raises(TransportError, match="cannot read disk: Input/output error"):
            await reader.next_message()


async def test_without_a_thread_a_receive_fails_and_the_next_is_tried(
    tmp_path, messages, no_threads
) -> None:
    """It does not wait for what a thread would tell that has never begun."""
    path = tmp_path / "messages.jsonl"
    path.write_bytes(marshal_lines(messages(1)))
    async with File(path) as file:
        for _ in range(2):
            with pytest.raises(TransportError, match="can't start new thread") as caught:
                await file.receive()
            assert caught.value.code == "unavailable"
        no_threads()
        assert (await file.receive()).decode()["n"] == 0


async def test_without_a_thread_a_send_fails_and_the_next_is_whole(no_threads) -> None:
    """What a pipe does not take at once needs a thread; without one its sender is told."""
    ours, theirs = os.pipe()
    stdio = Stdio(ours, theirs)
    try:
        with pytest.raises(TransportError, match="can't start new thread") as caught:
            await stdio.send(Message.new("test", "acme.item", "x" * 10_000))
        assert caught.value.code == "unavailable"
        no_threads()
        await stdio.send(Message.new("test", "acme.item", "y"))
        assert (await stdio.receive()).decode() == "y"
    finally:
        await stdio.close()
        os.close(ours)
        os.close(theirs)
