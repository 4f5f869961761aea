"""What a forked child may do with the transports of its parent."""

import asyncio
import collections
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mist.protocol import Message, unmarshal_lines
from mist.transport import HTTP, File, TransportError

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def run(program: str, *arguments: object) -> None:
    """Run a program, as a fork in a process with threads is none of the tests'."""
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        check=True,
        timeout=60,
    )


@needs_fork
def test_parent_and_children_append_each_message_once(tmp_path: Path) -> None:
    """The descriptor that a child inherits moves with its parent's, so it opens its own."""
    path = tmp_path / "shared.jsonl"
    run(
        """
        import asyncio, os, sys
        from mist.protocol import Message
        from mist.transport import File

        os.chdir(os.path.dirname(sys.argv[1]))
        file = File(os.path.basename(sys.argv[1]))

        async def work(who):
            for n in range(1500):
                await file.send(Message.new("s", "t", [who, n, "x" * (n * 37 % 300)]))

        asyncio.run(work("before"))
        os.chdir("/")
        children = []
        for number in range(3):
            if not (child := os.fork()):
                asyncio.run(work(f"child {number}"))
                os._exit(0)
            children.append(child)
        asyncio.run(work("after"))
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
        """,
        path,
    )
    seen = collections.Counter(
        tuple(message.decode()[:2]) for message in unmarshal_lines(path.read_bytes())
    )
    assert seen == {
        (who, n): 1
        for who in ("before", "after", "child 0", "child 1", "child 2")
        for n in range(1500)
    }


@needs_fork
def test_a_child_is_told_that_it_cannot_read_on(tmp_path: Path) -> None:
    """The thread that reads is the parent's: waiting for it would never end."""
    run(
        """
        import asyncio, os, signal, sys, warnings
        from mist.protocol import Message
        from mist.transport import File, TransportError

        warnings.filterwarnings("ignore", message=".*multi-threaded.*")
        file = File(sys.argv[1], follow=True)

        async def begin():
            await file.send(Message.new("s", "t", 1))
            assert (await file.receive()).decode() == 1

        asyncio.run(begin())
        if not (child := os.fork()):
            signal.alarm(20)
            try:
                asyncio.run(file.receive())
            except TransportError as error:
                os._exit(0 if error.code == "validation" else 1)
        assert os.waitpid(child, 0)[1] == 0
        """,
        tmp_path / "read.jsonl",
    )


@needs_fork
def test_a_child_keeps_no_socket_of_a_listener() -> None:
    """Where it lives on, peers still see their connections end, and find nobody who listens."""
    run(
        """
        import asyncio, os, signal, time
        from mist.transport import HTTP

        async def listen():
            listener = HTTP()
            await listener.listen("127.0.0.1:0")
            host, port = listener.addr.split(":")
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET /mist HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
            await reader.readuntil(b"\\r\\n\\r\\n")
            child = os.fork()
            if not child:
                time.sleep(60)
                os._exit(1)
            try:
                async with asyncio.timeout(20):
                    await listener.close()
                    await reader.read()
                try:
                    await asyncio.open_connection(host, port)
                except ConnectionRefusedError:
                    return
                raise AssertionError("the child listens")
            finally:
                os.kill(child, signal.SIGKILL)

        asyncio.run(listen())
        """
    )


def test_connections_are_not_shared_between_event_loops(messages) -> None:
    """A second loop, as a forked child has, is told to dial itself; the first goes on."""
    first, second, third = messages(3)

    async def listen(received: list[Message]) -> None:
        async with HTTP() as listener:
            await listener.listen("127.0.0.1:0")
            sender = HTTP(listener.listen_url)
            await sender.send(first)
            await asyncio.to_thread(refused, sender)
            await sender.send(third)
            await sender.close()
        received += [message async for message in listener]

    def refused(sender: HTTP) -> None:
        with pytest.raises(TransportError, match=r"another event loop.*dial in each") as caught:
            asyncio.run(sender.send(second))
        assert caught.value.code == "validation"

    received: list[Message] = []
    asyncio.run(listen(received))
    assert received == [first, third]


def test_a_file_is_not_read_by_two_event_loops(tmp_path: Path, messages) -> None:
    """The second is told so, instead of waiting for what only the first is told."""

    async def main() -> None:
        async with File(tmp_path / "read.jsonl", follow=True) as file:
            await file.send(messages(1)[0])
            await file.receive()
            await asyncio.to_thread(refused, file)

    def refused(file: File) -> None:
        with pytest.raises(TransportError, match="another event loop") as caught:
            asyncio.run(file.receive())
        assert caught.value.code == "validation"

    asyncio.run(main())
