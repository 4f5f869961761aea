"""What another user of the machine may find, plant or replace in the file system."""

import asyncio
import os
import stat
import subprocess
import sys

import pytest

from mist import bindings, platform
from mist.platform import LockError
from mist.protocol import Message
from mist.transport import File

MESSAGE = Message.new("test", "acme.number", {"number": 1})

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and links as POSIX has them")


@pytest.fixture(autouse=True)
def _careless_umask():
    """Let nothing be private by the user's own settings."""
    before = os.umask(0)
    yield
    os.umask(before)


def _mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


async def test_a_file_of_messages_is_made_for_its_owner_alone(tmp_path):
    """One that is there keeps its mode: its owner chose it."""
    made, given = tmp_path / "made.jsonl", tmp_path / "given.jsonl"
    given.touch(0o644)
    for path in (made, given):
        async with File(path) as file:
            await file.send(MESSAGE)
    assert (_mode(made), _mode(given)) == (0o600, 0o644)


async def test_a_file_is_where_its_link_leads_and_as_private(tmp_path):
    """A path that somebody names is followed, as a shell does; what is made there is 0600."""
    link, target = tmp_path / "link.jsonl", tmp_path / "target.jsonl"
    link.symlink_to(target)
    async with File(link) as file:
        await file.send(MESSAGE)
        assert await file.receive() == MESSAGE
    assert link.is_symlink()
    assert _mode(target) == 0o600


async def test_what_could_not_be_delivered_is_kept_for_its_owner_alone(tmp_path):
    """Under a name that nobody can plant a link for."""

    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        names = set()
        for _ in range(2):
            relay = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "mist.command", "relay", "-", url,
                cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            _, err = await asyncio.wait_for(relay.communicate(MESSAGE.marshal()), 60)
            assert relay.returncode == 4
            (kept,) = {path.name for path in tmp_path.iterdir()} - names
            names.add(kept)
            assert kept in err.decode()
            assert _mode(tmp_path / kept) == 0o600
            assert (tmp_path / kept).read_bytes() == MESSAGE.marshal() + b"\n"
    first, second = (name.removesuffix(".jsonl").rpartition("-")[2] for name in names)
    assert len(first) == len(second) == 8
    assert first != second


@pytest.mark.parametrize("exists", [True, False])
def test_a_lock_is_no_link(tmp_path, exists):
    """It would be written to, and made, wherever the link leads."""
    link, target = tmp_path / "a.lock", tmp_path / "target"
    if exists:
        target.write_text("theirs")
    link.symlink_to(target)
    with pytest.raises(LockError, match="symbolic link") as caught:
        platform.lock(link, timeout=0)
    assert caught.value.code == "validation"
    assert (target.read_text() if exists else target.exists()) == ("theirs" if exists else False)


def test_a_lock_writes_over_no_content(tmp_path):
    """A lock file that is somebody's document stays one."""
    file = tmp_path / "document"
    file.write_text("of some importance\n")
    with platform.lock(file):
        assert file.read_text() == "of some importance\n"
    assert file.read_text() == "of some importance\n"


@pytest.mark.parametrize("language", ["python", "typescript"])
def test_generated_code_is_not_written_through_a_link(tmp_path, language):
    """A link to what was not generated is refused, and one to what was is replaced by a file."""
    out, target = tmp_path / "out", tmp_path / "target"
    first, *_ = bindings.generate(language, out)
    text = first.read_bytes()
    first.unlink()
    target.write_text("theirs")
    first.symlink_to(target)
    with pytest.raises(bindings.BindingsError, match="not overwritten"):
        bindings.generate(language, out)
    assert target.read_text() == "theirs"
    bindings.generate(language, out, force=True)
    assert target.read_text() == "theirs"
    assert not first.is_symlink()
    assert first.read_bytes() == text
