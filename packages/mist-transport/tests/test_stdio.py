"""Standard input and output of every kind: pipe, regular file and terminal."""

import asyncio
import os
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest

from mist.protocol import Message, ProtocolError
from mist.transport.errors import EndOfStream, TransportClosed, TransportError
from mist.transport.stdio import Stdio

Pipes: TypeAlias = tuple[tuple[int, int], tuple[int, int]]

ECHO = textwrap.dedent("""
    import asyncio, sys
    from mist.transport.errors import TransportClosed
    from mist.transport.stdio import Stdio

    print("before: belongs to the user")
    async def main():
        async with Stdio() as stdio:
            print("print must not reach stdout")
            sys.stdout.write("nor this"), sys.stdout.flush()
            try:
                async for message in stdio:
                    await stdio.send(message)
            except TransportClosed as exc:
                print("closed:", exc)
    asyncio.run(main())
    print("after: belongs to the user")
""")


def encoded(messages: list[Message]) -> bytes:
    """Return the messages as JSON lines."""
    return b"".join(message.marshal() + b"\n" for message in messages)


def test_a_pipe_gives_back_exactly_the_messages(samples: list[Message]) -> None:
    """While the transport is open nothing else reaches stdout; prints go to stderr."""
    done = subprocess.run(
        [sys.executable, "-c", ECHO], input=encoded(samples), capture_output=True, check=True
    )
    first, *lines, last = done.stdout.splitlines(keepends=True)
    assert first == b"before: belongs to the user\n"
    assert last == b"after: belongs to the user\n"
    assert b"".join(lines) == encoded(samples)
    assert done.stderr == b"print must not reach stdout\nnor this"


def test_a_regular_file_as_stdin_and_stdout(tmp_path: Path, samples: list[Message]) -> None:
    """`tool < in > out` works, where asyncio's own pipe reader refuses."""
    (tmp_path / "in").write_bytes(encoded(samples))
    with (tmp_path / "in").open("rb") as stdin, (tmp_path / "out").open("wb") as stdout:
        subprocess.run(
            [sys.executable, "-c", ECHO],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            check=True,
        )
    assert encoded(samples) in (tmp_path / "out").read_bytes()


@pytest.mark.parametrize("left", ["", "text", "text\n"], ids=["nothing", "torn", "whole"])
@pytest.mark.parametrize("mode", ["ab", "r+b"], ids=["appended", "continued"])
async def test_output_begins_on_a_line_of_its_own(
    tmp_path: Path, samples: list[Message], left: str, mode: str
) -> None:
    """`tool >> out` fuses no message with the line of somebody who died, and adds no other."""
    path = tmp_path / "out"
    path.write_text(left)
    with path.open(mode, buffering=0) as out, Path(os.devnull).open("rb") as nothing:
        if mode == "r+b":
            out.seek(0, os.SEEK_END)
        async with Stdio(stdin=nothing.fileno(), stdout=out.fileno()) as stdio:
            for message in samples[:2]:
                await stdio.send(message)
    before = (left.rstrip() + "\n").encode() if left else b""
    if sys.platform == "linux":
        assert path.read_bytes() == before + encoded(samples[:2])
    else:  # whose output cannot be read: a blank line may be there
        assert path.read_bytes().split() == (before + encoded(samples[:2])).split()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="terminals as on POSIX")
def test_a_terminal_as_stdin(samples: list[Message]) -> None:
    """A message typed at a terminal is received, and the terminal stays in blocking mode."""
    controller, terminal = os.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", ECHO],
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as tool:
            assert tool.stdout is not None
            assert b"before" in tool.stdout.readline()
            os.write(controller, samples[1].marshal() + b"\n")
            assert Message.unmarshal(tool.stdout.readline()) == samples[1]
            assert os.get_blocking(terminal)
            os.write(controller, b"\x04")  # end of transmission, at the start of a line
            assert b"after" in tool.stdout.readline()
        assert tool.returncode == 0
    finally:
        os.close(controller)
        os.close(terminal)


def test_a_reader_that_closes_early_ends_the_tool_cleanly(samples: list[Message]) -> None:
    """`tool | head -1` ends with TransportClosed within the tool, not with a traceback."""
    with subprocess.Popen(
        [sys.executable, "-c", ECHO],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as tool:
        assert tool.stdin is not None
        assert tool.stdout is not None
        assert tool.stderr is not None
        assert b"before" in tool.stdout.readline()
        tool.stdout.close()
        tool.stdin.write(encoded(samples))
        tool.stdin.close()
        stderr = tool.stderr.read()
    assert b"closed: the reader of stdout has closed its end" in stderr


async def test_a_slow_reader_blocks_only_the_sender(samples: list[Message]) -> None:
    """With a full pipe the event loop runs on, and everything arrives once it is read."""
    read_end, write_end = os.pipe()
    spare_read, spare_write = os.pipe()
    large = [Message.new("s", "t", [n, "x" * 50_000]) for n in range(10)]
    try:
        async with Stdio(stdin=spare_read, stdout=write_end) as stdio:
            sending = asyncio.gather(*[stdio.send(message) for message in large + samples])
            beats = 0
            for _ in range(20):
                await asyncio.sleep(0.005)
                beats += 1
            assert not sending.done()
            assert beats == 20
            expected = encoded(large + samples)
            received = b""
            while len(received) < len(expected):
                received += await asyncio.to_thread(os.read, read_end, 1 << 16)
            await sending
            assert received == expected
    finally:
        for fd in (read_end, write_end, spare_read, spare_write):
            os.close(fd)


async def test_a_cancelled_send_leaves_the_stream_whole() -> None:
    """A send cancelled before its turn is not written; one cancelled in its write is whole."""
    read_end, write_end = os.pipe()
    spare_read, spare_write = os.pipe()
    large = [Message.new("s", "t", [n, "x" * 100_000]) for n in range(3)]
    try:
        async with Stdio(stdin=spare_read, stdout=write_end) as stdio:
            sends = [asyncio.create_task(stdio.send(message)) for message in large]
            await asyncio.sleep(0.02)
            sends[0].cancel()  # its write has begun: the pipe holds 64 kB of it
            sends[1].cancel()
            received = b""
            while received.count(b"\n") < 2:
                received += await asyncio.to_thread(os.read, read_end, 1 << 16)
            await sends[2]
            lines = received.splitlines()
            assert [Message.unmarshal(line) for line in lines] == [large[0], large[2]]
    finally:
        for fd in (read_end, write_end, spare_read, spare_write):
            os.close(fd)


async def test_a_peer_that_dies_ends_a_pending_receive() -> None:
    """The end of the pipe is the end of the stream, also for who waits already."""
    read_end, write_end = os.pipe()
    _, out = spare = os.pipe()
    async with Stdio(stdin=read_end, stdout=out) as stdio:
        pending = asyncio.create_task(stdio.receive())
        await asyncio.sleep(0.02)
        os.write(write_end, b'{"version":"1","id":"to')
        os.close(write_end)
        with pytest.raises(ProtocolError, match="the input ends inside this line"):
            await pending
        with pytest.raises(EndOfStream):
            await stdio.receive()
    for fd in (read_end, *spare):
        os.close(fd)


async def test_closing_leaves_stdin_to_the_next(samples: list[Message]) -> None:
    """After `close`, no thread of ours takes what a later reader should get."""
    read_end, write_end = os.pipe()
    spare_read, out = os.pipe()
    first = Stdio(stdin=read_end, stdout=out)
    pending = asyncio.create_task(first.receive())
    await asyncio.sleep(0.02)
    await first.close()
    with pytest.raises(TransportClosed):
        await pending
    async with Stdio(stdin=read_end, stdout=out) as second:
        os.write(write_end, encoded(samples[:2]))
        assert await second.receive() == samples[0]
        assert await second.receive() == samples[1]
    for fd in (read_end, write_end, spare_read, out):
        os.close(fd)


def test_two_transports_cannot_hold_stdout() -> None:
    """The second is refused with a clear error, instead of mixing two streams."""
    script = textwrap.dedent("""
        import asyncio, sys
        from mist.transport.errors import TransportError
        from mist.transport.stdio import Stdio
        async def main():
            async with Stdio():
                try:
                    Stdio()
                except TransportError as exc:
                    print(exc.code, exc, file=sys.stderr)
            async with Stdio():
                pass
        asyncio.run(main())
    """)
    done = subprocess.run(
        [sys.executable, "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.startswith("conflict stdio is in use")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full as on Linux")
async def test_a_full_disk_behind_stdout_is_reported() -> None:
    """Output that has no room is an error of that send."""
    spare_read, spare_write = os.pipe()
    full = os.open("/dev/full", os.O_WRONLY)
    async with Stdio(stdin=spare_read, stdout=full) as stdio:
        with pytest.raises(TransportError, match="No space left on device") as caught:
            await stdio.send(Message.new("s", "t", 1))
    assert caught.value.code == "unavailable"
    for fd in (spare_read, spare_write, full):
        os.close(fd)


def test_the_process_ends_although_stdin_stays_open() -> None:
    """A reader thread that waits for input keeps no finished program alive."""
    script = textwrap.dedent("""
        import asyncio
        from mist.transport.stdio import Stdio
        async def main():
            stdio = Stdio()
            try:
                async with asyncio.timeout(0.05):
                    await stdio.receive()
            except TimeoutError:
                pass
        asyncio.run(main())
    """)
    started = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as tool:
        assert tool.wait(timeout=10) == 0
    assert time.monotonic() - started < 5


@pytest.fixture
def pipes():
    """Two pipes, as (read end, write end) each."""
    ends = (os.pipe(), os.pipe())
    yield ends
    for fd in (*ends[0], *ends[1]):
        with suppress(OSError):
            os.close(fd)


async def test_what_was_read_from_a_pipe_is_received_after_close(
    pipes: Pipes, samples: list[Message]
) -> None:
    """Of what `close` finds read nothing is lost; what was not read stays in the pipe."""
    (read_end, write_end), (_, out) = pipes
    stdio = Stdio(stdin=read_end, stdout=out)
    os.write(write_end, encoded(samples[:5]))
    assert await stdio.receive() == samples[0]
    await stdio.close()
    os.write(write_end, encoded(samples[5:6]))
    for message in samples[1:5]:
        assert await stdio.receive() == message
    with pytest.raises(TransportClosed):
        await stdio.receive()
    async with Stdio(stdin=read_end, stdout=out) as following:
        assert await following.receive() == samples[5]


async def test_two_receivers_share_a_pipe(pipes: Pipes, samples: list[Message]) -> None:
    """Each message goes to one of those who wait, and all learn of the end."""
    (read_end, write_end), (_, out) = pipes
    found: list[Message] = []

    async def consume() -> None:
        async for message in stdio:
            found.append(message)
            await asyncio.sleep(0)

    async with Stdio(stdin=read_end, stdout=out) as stdio:
        consumers = [asyncio.create_task(consume()) for _ in range(3)]
        for message in samples:
            os.write(write_end, encoded([message]))
            await asyncio.sleep(0.001)
        os.close(write_end)
        await asyncio.gather(*consumers)
    assert found == samples


async def test_what_comes_at_once_is_for_all_who_wait(pipes: Pipes, samples: list[Message]) -> None:
    """Each of several receivers gets one of the messages that one read brings."""
    (read_end, write_end), (_, out) = pipes
    async with Stdio(stdin=read_end, stdout=out) as stdio:
        receiving = [asyncio.create_task(stdio.receive()) for _ in range(3)]
        await asyncio.sleep(0.02)
        os.write(write_end, encoded(samples[:3]))
        async with asyncio.timeout(5):
            assert await asyncio.gather(*receiving) == samples[:3]


async def test_a_payload_with_line_breaks_stays_one_line(pipes: Pipes) -> None:
    """Whatever white space a payload has, the pipe gets one line with a right checksum."""
    (read_end, write_end), _ = pipes
    spread = Message("1", "id", "s", "t", 0, msgspec.Raw(b"[\n1,\n2\n]")).with_checksum()
    async with Stdio(stdin=read_end, stdout=write_end) as stdio:
        await stdio.send(spread)
        received = await stdio.receive()
    assert received.decode() == [1, 2]
    assert bytes(received.payload) == b"[ 1, 2 ]"
    assert received.checksum
    assert received.verify_checksum()


@pytest.mark.skipif(sys.platform == "win32", reason="pipes as on POSIX")
async def test_non_blocking_descriptors_are_borne(pipes: Pipes) -> None:
    """Where another process made the pipes non-blocking, messages pass whole all the same."""
    (read_end, write_end), _ = pipes
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    sent = [Message.new("s", "t", [n, "x" * (n % 7 * 30_000)]) for n in range(20)]
    async with Stdio(stdin=read_end, stdout=write_end) as stdio:
        sending = asyncio.gather(*[stdio.send(message) for message in sent])
        async with asyncio.timeout(20):
            for message in sent:
                assert await stdio.receive() == message
            await sending


async def test_closing_ends_sends_that_nobody_reads(
    pipes: Pipes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that neither reads nor goes away holds up neither `close` nor a send for ever."""
    monkeypatch.setattr("mist.transport.writing._CLOSING_TIME", 0.05)
    (read_end, write_end), (spare, _) = pipes
    stdio = Stdio(stdin=spare, stdout=write_end)
    sends = [
        asyncio.create_task(stdio.send(Message.new("s", "t", "x" * 100_000))) for _ in range(3)
    ]
    await asyncio.sleep(0.02)
    await stdio.close()
    for send in sends:
        with pytest.raises(TransportClosed, match="was closed before its reader took"):
            await send
    # Let the thread finish that holds the pipe.
    assert await asyncio.to_thread(os.read, read_end, 1 << 20)
    assert await asyncio.to_thread(os.read, read_end, 1 << 20)


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors as on POSIX")
async def test_descriptors_beyond_a_thousand_work(pipes: Pipes, samples: list[Message]) -> None:
    """A process with many open files can use pipes all the same."""
    resource = pytest.importorskip("resource")
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= 1100:
        pytest.skip("so many descriptors are not allowed here")
    (read_end, write_end), _ = pipes
    high_read, high_write = 1090, 1091
    os.dup2(read_end, high_read)
    os.dup2(write_end, high_write)
    try:
        async with Stdio(stdin=high_read, stdout=high_write) as stdio:
            await stdio.send(samples[0])
            async with asyncio.timeout(5):
                assert await stdio.receive() == samples[0]
            await stdio.close()
            with pytest.raises(TransportClosed):
                await stdio.receive()
    finally:
        os.close(high_read)
        os.close(high_write)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell as on POSIX")
def test_closed_standard_descriptors_do_not_mix_with_messages(samples: list[Message]) -> None:
    """Without a standard error, what is printed goes nowhere, and the messages to stdout."""
    script = textwrap.dedent("""
        import asyncio, os
        from mist.transport.stdio import Stdio
        async def main():
            async with Stdio() as stdio:
                os.system("echo from a child; echo and its errors >&2")
                async for message in stdio:
                    await stdio.send(message)
        asyncio.run(main())
    """)
    done = subprocess.run(
        ["sh", "-c", '"$0" -c "$1" 2>&-', sys.executable, script],
        input=encoded(samples),
        capture_output=True,
        check=True,
    )
    assert done.stdout == encoded(samples)


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits as on POSIX")
def test_a_disk_that_fills_up_behind_stdout_tears_no_other_line(tmp_path: Path) -> None:
    """After a message that was written in part, the next one stands on a line of its own."""
    script = textwrap.dedent("""
        import asyncio, resource, signal, sys
        from mist.protocol import Message
        from mist.transport import Stdio, TransportError

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        unlimited = resource.RLIM_INFINITY

        async def main():
            async with Stdio() as stdio:
                await stdio.send(Message.new("s", "t", 0))
                resource.setrlimit(resource.RLIMIT_FSIZE, (1000, unlimited))
                try:
                    await stdio.send(Message.new("s", "t", "x" * 2000))
                except TransportError as exc:
                    print(exc, file=sys.stderr)
                resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))
                await stdio.send(Message.new("s", "t", 1))
                await stdio.send(Message.new("s", "t", 2))

        asyncio.run(main())
    """)
    out = tmp_path / "out"
    with out.open("wb") as stdout:
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=stdout, stderr=subprocess.PIPE, check=True
        )
    assert done.stderr.startswith(b"cannot write to stdout: ")
    first, _torn, *rest = out.read_bytes().splitlines()
    assert [Message.unmarshal(line).decode() for line in (first, *rest)] == [0, 1, 2]
