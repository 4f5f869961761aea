"""Files of messages: what is written is read, whoever else writes or dies meanwhile."""

import asyncio
import gzip
import os
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from mist.protocol import MAX_MESSAGE_SIZE, Message, MessageTooLarge, ProtocolError
from mist.transport.errors import EndOfStream, TransportClosed, TransportError
from mist.transport.file import File


async def test_what_is_sent_is_received_in_order(tmp_path: Path, samples: list[Message]) -> None:
    """A second transport reads the very same messages, and then the stream ends."""
    path = tmp_path / "messages.jsonl"
    async with File(path) as file:
        for message in samples:
            await file.send(message)
    async with File(path) as file:
        assert [message async for message in file] == samples
        with pytest.raises(EndOfStream):
            await file.receive()


async def test_what_mist_go_wrote_is_copied_byte_for_byte(golden: Path, tmp_path: Path) -> None:
    """Reading a Go tool's file and writing it again changes nothing."""
    copy = tmp_path / "copy.jsonl"
    async with File(golden / "stream.jsonl") as source, File(copy) as target:
        async for message in source:
            assert message.verify_checksum()
            await target.send(message)
    assert copy.read_bytes() == (golden / "stream.jsonl").read_bytes()


async def test_a_new_file_is_private(tmp_path: Path, samples: list[Message]) -> None:
    """Files are made for their owner only."""
    path = tmp_path / "private.jsonl"
    async with File(path) as file:
        await file.send(samples[0])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_appending_after_a_torn_line_loses_neither_message(
    tmp_path: Path, samples: list[Message]
) -> None:
    """A file that ends inside a line gets a new line first."""
    path = tmp_path / "torn.jsonl"
    path.write_bytes(samples[0].marshal() + b"\n" + samples[1].marshal()[:30])
    async with File(path) as file:
        await file.send(samples[2])
    async with File(path) as file:
        assert await file.receive() == samples[0]
        with pytest.raises(ProtocolError, match=r"torn\.jsonl:2"):
            await file.receive()
        assert await file.receive() == samples[2]


async def test_a_line_torn_by_another_writer_meanwhile_swallows_nothing(
    tmp_path: Path, samples: list[Message]
) -> None:
    """Between two of our messages another process dies inside its line; ours survives."""
    path = tmp_path / "shared.jsonl"
    async with File(path) as file:
        await file.send(samples[0])
        with path.open("ab") as other:
            other.write(b'{"version":"1","id":"dead')
        await file.send(samples[1])
        await file.send(samples[2])
    found, errors = await read_all(path)
    assert found == samples[:3]
    assert len(errors) == 1


async def test_concurrent_appenders_lose_and_tear_nothing(tmp_path: Path) -> None:
    """Four processes append a thousand messages each, of up to 20 kB, to one file."""
    path = tmp_path / "shared.jsonl"
    script = textwrap.dedent("""
        import asyncio, sys
        from mist.protocol import Message
        from mist.transport.file import File

        async def main(path, writer):
            async with File(path) as file:
                for n in range(1000):
                    payload = {"writer": writer, "n": n, "fill": "x" * (n * 7919 % 20000)}
                    await file.send(Message.new("test", "acme.item", payload).with_checksum())

        asyncio.run(main(sys.argv[1], int(sys.argv[2])))
    """)
    writers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(path), str(writer))
        for writer in range(4)
    ]
    assert [await writer.wait() for writer in writers] == [0, 0, 0, 0]
    found, errors = await read_all(path)
    assert errors == []
    assert all(message.verify_checksum() for message in found)
    seen = [(item["writer"], item["n"]) for item in (message.decode() for message in found)]
    assert sorted(seen) == [(writer, n) for writer in range(4) for n in range(1000)]
    for writer in range(4):
        assert [n for w, n in seen if w == writer] == list(range(1000))


@pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")
async def test_a_killed_appender_costs_at_most_its_last_line(tmp_path: Path) -> None:
    """After `kill -9` in the middle of writing, everything that others wrote is there."""
    path = tmp_path / "shared.jsonl"
    script = textwrap.dedent("""
        import asyncio, sys
        from mist.protocol import Message
        from mist.transport.file import File

        async def main(path):
            message = Message.new("doomed", "acme.item", "x" * 500_000)
            async with File(path) as file:
                while True:
                    await file.send(message)

        asyncio.run(main(sys.argv[1]))
    """)
    ours = [Message.new("test", "acme.item", n) for n in range(200)]
    async with File(path) as file:
        for round_ in range(4):
            doomed = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(path))
            # Real time: another process has to be in the middle of its work.
            while not path.exists() or path.stat().st_size < (round_ + 1) * 2_000_000:
                await asyncio.sleep(0.01)
            for message in ours[50 * round_ : 50 * round_ + 50]:
                await file.send(message)
                await asyncio.sleep(0)
            doomed.send_signal(signal.SIGKILL)
            await doomed.wait()
    found, errors = await read_all(path)
    assert [message for message in found if message.source == "test"] == ours
    assert len(errors) <= 4


async def test_follow_reads_what_is_appended_later(tmp_path: Path, samples: list[Message]) -> None:
    """A followed file does not end; a line that grows in pieces is one message."""
    path = tmp_path / "growing.jsonl"
    path.write_bytes(samples[0].marshal() + b"\n")
    async with File(path, follow=True) as reader:
        assert await reader.receive() == samples[0]
        with path.open("ab", buffering=0) as writer:
            line = samples[1].marshal() + b"\n"
            writer.write(line[:20])
            with pytest.raises(TimeoutError):
                # Real time: nothing must happen for longer than one look at the file.
                async with asyncio.timeout(0.25):
                    await reader.receive()
            writer.write(line[20:])
            async with asyncio.timeout(5):
                assert await reader.receive() == samples[1]
        os.truncate(path, 0)
        await asyncio.sleep(0.25)
        path.write_bytes(samples[2].marshal() + b"\n")
        async with asyncio.timeout(5):
            assert await reader.receive() == samples[2]


async def test_a_cancelled_receive_loses_nothing(tmp_path: Path, samples: list[Message]) -> None:
    """However often waiting is cancelled, every message arrives once and in order."""
    path = tmp_path / "messages.jsonl"
    path.write_bytes(b"".join(message.marshal() + b"\n" for message in samples))
    found: list[Message] = []
    async with File(path) as file:
        while len(found) < len(samples):
            task = asyncio.create_task(file.receive())
            await asyncio.sleep(0)
            if task.cancel():
                try:
                    found.append(await task)
                except asyncio.CancelledError:
                    await asyncio.sleep(0.001)
            else:
                found.append(task.result())
    assert found == samples


async def test_closing_wakes_who_waits(tmp_path: Path) -> None:
    """`close` ends a pending receive with TransportClosed, and is idempotent."""
    path = tmp_path / "growing.jsonl"
    path.touch()
    file = File(path, follow=True)
    pending = asyncio.create_task(file.receive())
    await asyncio.sleep(0.02)
    await file.close()
    await file.close()
    with pytest.raises(TransportClosed):
        await pending
    with pytest.raises(TransportClosed):
        await file.send(Message.new("s", "t", 1))


async def test_gzip_is_read_by_suffix(tmp_path: Path, samples: list[Message]) -> None:
    """A `.gz` file is decompressed while it is read, and refuses to be appended to."""
    path = tmp_path / "messages.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join(m.marshal() + b"\n" for m in samples)))
    async with File(path) as file:
        assert [message async for message in file] == samples
        with pytest.raises(TransportError, match="can only be read") as caught:
            await file.send(samples[0])
    assert caught.value.code == "validation"


async def test_damaged_gzip_is_an_error_that_names_the_file(
    tmp_path: Path, samples: list[Message]
) -> None:
    """What decompresses is received; then the damage is reported."""
    path = tmp_path / "torn.jsonl.gz"
    whole = gzip.compress(b"".join(m.marshal() + b"\n" for m in samples))
    path.write_bytes(whole[:-12])
    async with File(path) as file:
        with pytest.raises(TransportError, match=r"torn\.jsonl\.gz.*damaged gzip"):
            await drain(file)
    (tmp_path / "not.gz").write_bytes(b"plain text")
    with pytest.raises(TransportError, match="damaged gzip"):
        await File(tmp_path / "not.gz").receive()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes as on POSIX")
async def test_a_named_pipe_is_read_without_blocking_the_loop(
    tmp_path: Path, samples: list[Message]
) -> None:
    """A FIFO without a writer leaves the event loop free; with one, its messages arrive."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    async with File(path) as file:
        pending = asyncio.create_task(file.receive())
        await asyncio.sleep(0.05)
        assert not pending.done()
        await asyncio.to_thread(path.write_bytes, samples[0].marshal() + b"\n")
        async with asyncio.timeout(5):
            assert await pending == samples[0]


async def test_a_missing_file_and_a_directory_are_named(tmp_path: Path) -> None:
    """Reading what is not there, or is no file, says so with the right code."""
    with pytest.raises(TransportError, match=r"cannot read .*absent") as missing:
        await File(tmp_path / "absent").receive()
    assert missing.value.code == "not_found"
    with pytest.raises(TransportError, match="it is a directory, name a file in it") as directory:
        await File(tmp_path).receive()
    assert directory.value.code == "validation"
    with pytest.raises(TransportError, match="cannot append to") as target:
        await File(tmp_path).send(Message.new("s", "t", 1))
    assert target.value.code == "validation"
    with pytest.raises(
        TransportError, match=r"there is no directory .*nowhere; make it"
    ) as nowhere:
        await File(tmp_path / "nowhere" / "x").send(Message.new("s", "t", 1))
    assert nowhere.value.code == "not_found"


async def test_a_file_can_be_opened_before_the_first_message(tmp_path: Path) -> None:
    """What would fail then fails now; opening it again, or sending, goes on with the same file."""
    path = tmp_path / "out.jsonl"
    async with File(path) as file:
        file.open_for_appending()
        assert path.read_bytes() == b""
        file.open_for_appending()
        await file.send(Message.new("s", "t", 1))
        assert path.read_bytes().count(b"\n") == 1
    with pytest.raises(TransportClosed):
        file.open_for_appending()
    with pytest.raises(TransportError, match="compressed files can only be read"):
        File(tmp_path / "out.jsonl.gz").open_for_appending()
    assert [each.name for each in tmp_path.iterdir()] == ["out.jsonl"]


@pytest.fixture
def for_everybody() -> Iterator[Path]:
    """A directory that every user may enter; each run of pytest closes those of all of them."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory).resolve()
        path.chmod(0o755)
        yield path


async def test_a_file_without_permission_is_named(for_everybody: Path) -> None:
    """Reading and appending without the right to is an auth error with the path."""
    path = for_everybody / "secret.jsonl"
    path.touch(mode=0o000)
    script = textwrap.dedent("""
        import asyncio, os, sys
        from mist.protocol import Message
        from mist.transport.errors import TransportError
        from mist.transport.file import File

        if os.geteuid() == 0:
            os.setgroups([]), os.setgid(65534), os.setuid(65534)

        async def main(path):
            for attempt in (File(path).receive(), File(path).send(Message.new("s", "t", 1))):
                try:
                    await attempt
                except TransportError as exc:
                    print(exc.code, exc)

        asyncio.run(main(sys.argv[1]))
    """)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", script, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "No module named" in done.stderr or "PermissionError" in done.stderr:
        pytest.skip("the interpreter cannot be run by an unprivileged user here")
    assert done.stdout.splitlines() == [
        f"auth cannot read {path}: Permission denied",
        f"auth cannot append to {path}: Permission denied",
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full as on Linux")
async def test_a_full_disk_is_an_error_of_that_send() -> None:
    """A message that finds no room on the disk is reported, not lost in silence."""
    file = File("/dev/full")
    with pytest.raises(TransportError, match="No space left on device") as caught:
        await file.send(Message.new("s", "t", 1))
    assert caught.value.code == "unavailable"
    await file.close()


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits as on POSIX")
def test_a_disk_that_fills_up_within_a_line_tears_no_other(tmp_path: Path) -> None:
    """After a partial write the next message starts on a line of its own."""
    path = tmp_path / "limited.jsonl"
    script = textwrap.dedent("""
        import asyncio, resource, signal, sys
        from mist.protocol import Message
        from mist.transport.errors import TransportError
        from mist.transport.file import File

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        async def main(path):
            async with File(path) as file:
                await file.send(Message.new("s", "t", 0))
                resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
                for size in (2000, 10):
                    try:
                        await file.send(Message.new("s", "t", "x" * size))
                    except TransportError as exc:
                        print(exc.code)
                resource.setrlimit(
                    resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
                )
                await file.send(Message.new("s", "t", 1))

        asyncio.run(main(sys.argv[1]))
    """)
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[0] == "unavailable"
    found, errors = asyncio.run(read_all(path))
    assert [message.decode() for message in found] == [0, 1]
    assert len(errors) == 1


async def test_the_size_limit_is_the_same_for_both_directions(tmp_path: Path) -> None:
    """A payload of the limit passes; one byte more is refused before it is written."""
    path = tmp_path / "large.jsonl"
    largest = Message.new("s", "t", "x" * (MAX_MESSAGE_SIZE - 2))
    async with File(path) as file:
        await file.send(largest)
        payload = msgspec.Raw(b'"' + b"x" * (MAX_MESSAGE_SIZE - 1) + b'"')
        oversize = Message("1", "id", "s", "t", 0, payload)
        with pytest.raises(MessageTooLarge):
            await file.send(oversize)
    async with File(path) as file:
        assert await file.receive() == largest
    path.write_bytes(oversize.marshal() + b"\n")
    async with File(path) as file:
        with pytest.raises(MessageTooLarge, match=r"large\.jsonl:1"):
            await file.receive()


async def test_what_was_read_is_received_after_close(
    tmp_path: Path, samples: list[Message]
) -> None:
    """Closing stops the reading; what had been read comes first, then TransportClosed."""
    path = tmp_path / "messages.jsonl"
    path.write_bytes(b"".join(message.marshal() + b"\n" for message in samples))
    file = File(path)
    first = await file.receive()
    await file.close()
    assert [first] + [message async for message in file] == samples
    with pytest.raises(TransportClosed):
        await file.receive()


async def test_two_receivers_share_the_messages(tmp_path: Path, samples: list[Message]) -> None:
    """Each message goes to one of them, and both learn of the end."""
    path = tmp_path / "messages.jsonl"
    path.write_bytes(b"".join(message.marshal() + b"\n" for message in samples))
    found: list[Message] = []

    async def consume() -> None:
        async for message in file:
            found.append(message)
            await asyncio.sleep(0)

    async with File(path) as file:
        await asyncio.gather(consume(), consume())
    assert found == samples


async def test_a_payload_with_line_breaks_stays_one_line(tmp_path: Path) -> None:
    """A payload that its sender spread over lines is put on one, and its checksum is right."""
    path = tmp_path / "messages.jsonl"
    spread = Message("1", "id", "s", "t", 0, msgspec.Raw(b'{\n  "a": "b\\nc"\r\n}')).with_checksum()
    async with File(path) as file:
        await file.send(spread)
        await file.send(Message.new("s", "t", 2))
    assert path.read_bytes().count(b"\n") == 2
    async with File(path) as file:
        received = await file.receive()
        assert received.decode() == {"a": "b\nc"}
        assert received.checksum
        assert received.verify_checksum()
        assert (await file.receive()).decode() == 2


async def test_a_file_emptied_meanwhile_gets_each_message_once(
    tmp_path: Path, samples: list[Message]
) -> None:
    """A log rotation that truncates the file makes nobody write a message twice."""
    path = tmp_path / "messages.jsonl"
    async with File(path) as file:
        for message in samples[:3]:
            await file.send(message)
        os.truncate(path, 0)
        for message in samples[3:6]:
            await file.send(message)
    assert await read_all(path) == (samples[3:6], [])


async def test_a_line_cut_off_by_truncation_spoils_no_other(
    tmp_path: Path, samples: list[Message]
) -> None:
    """Who follows a file that is emptied within a line still reads the first line after it."""
    path = tmp_path / "growing.jsonl"
    path.write_bytes(samples[0].marshal() + b"\n" + samples[1].marshal()[:40])
    async with File(path, follow=True) as reader:
        assert await reader.receive() == samples[0]
        os.truncate(path, 0)
        await asyncio.sleep(0.25)  # real time: the thread looks every tenth of a second
        path.write_bytes(samples[2].marshal() + b"\n")
        async with asyncio.timeout(5):
            with pytest.raises(ProtocolError):
                await reader.receive()
            assert await reader.receive() == samples[2]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are listed in /proc")
async def test_nothing_stays_open(tmp_path: Path, samples: list[Message]) -> None:
    """Closed, failed and forgotten transports leave no descriptor behind."""

    async def use() -> None:
        path = tmp_path / "messages.jsonl"
        async with File(path) as file:
            await file.send(samples[0])
            assert await file.receive() == samples[0]
        with pytest.raises(TransportError):
            await File(tmp_path).receive()
        with pytest.raises(TransportError):
            await File(tmp_path).send(samples[0])
        await File(path).send(samples[0])  # never closed
        async with File(path) as file:
            assert await file.receive() == samples[0]

    for _ in range(5):
        await use()
    for _ in range(100):
        # Real time: the threads that read close what they opened.
        if not open_below(tmp_path):
            break
        await asyncio.sleep(0.01)
    assert open_below(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="permissions as on POSIX")
def test_a_file_that_can_only_be_written_gets_each_message_once(for_everybody: Path) -> None:
    """Where nobody can look whether a line is torn, blank lines keep them apart."""
    path = for_everybody / "dropbox.jsonl"
    path.write_bytes(b'{"torn')
    path.chmod(0o222)
    script = textwrap.dedent("""
        import asyncio, os, sys
        from mist.protocol import Message
        from mist.transport.file import File

        if os.geteuid() == 0:
            os.setgroups([]), os.setgid(65534), os.setuid(65534)

        async def main(path):
            async with File(path) as one, File(path) as other:
                for n in range(3):
                    await one.send(Message.new("s", "t", n))
                    await other.send(Message.new("s", "t", n))

        asyncio.run(main(sys.argv[1]))
    """)
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        capture_output=True,
        text=True,
        check=False,
        env={},  # a tool that watches this process cannot write what it sees as another user
    )
    if "No module named" in done.stderr:
        pytest.skip("the interpreter cannot be run by an unprivileged user here")
    assert done.stderr == ""
    path.chmod(0o600)
    found, errors = asyncio.run(read_all(path))
    assert [message.decode() for message in found] == [0, 0, 1, 1, 2, 2]
    assert len(errors) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes as on POSIX")
async def test_a_named_pipe_is_written_without_blocking_the_loop(tmp_path: Path) -> None:
    """Without a reader the send fails; a slow reader makes it wait, and only it."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    large = [Message.new("s", "t", [n, "x" * 100_000]) for n in range(3)]
    async with File(path) as file:
        with pytest.raises(TransportError, match="nobody reads the pipe") as caught:
            await file.send(large[0])
        assert caught.value.code == "unavailable"
        async with File(path) as reader:
            first = asyncio.create_task(reader.receive())
            await asyncio.sleep(0.05)  # real time: a thread opens the pipe
            sending = asyncio.gather(*[file.send(message) for message in large])
            assert await first == large[0]
            assert [await reader.receive(), await reader.receive()] == large[1:]
            await sending
        # Real time: the reading thread closes its end within a tenth of a second.
        with pytest.raises(TransportClosed, match="has closed its end"):
            await send_until_it_fails(file)


async def send_until_it_fails(file: File) -> None:
    """Send a hundred messages a second, for five seconds at most."""
    for n in range(500):
        await file.send(Message.new("s", "t", n))
        await asyncio.sleep(0.01)


def open_below(directory: Path) -> list[str]:
    """Return the files below a directory that this process holds open."""
    links: list[str] = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            links.append(str(entry.readlink()))
    return [link for link in links if link.startswith(str(directory))]


async def drain(file: File) -> None:
    """Receive until that fails."""
    while True:
        await file.receive()


async def read_all(path: Path) -> tuple[list[Message], list[str]]:
    """Return the messages of a file, and the texts of the errors between them."""
    found: list[Message] = []
    errors: list[str] = []
    async with File(path) as file:
        while True:
            try:
                found.append(await file.receive())
            except ProtocolError as exc:
                errors.append(str(exc))
            except EndOfStream:
                return found, errors
