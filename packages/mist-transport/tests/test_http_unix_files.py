"""The file of a Unix socket, and what else may have its name."""

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mist.transport import HTTP, TransportError
from mist.transport.http.address import UnixAddress
from mist.transport.http.binding import Bound, bind

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")


async def test_closing_leaves_another_processs_socket_alone(tmp_path, monkeypatch):
    """What has taken the path meanwhile is not ours to remove."""
    monkeypatch.chdir(tmp_path)
    ours = HTTP()
    await ours.listen("unix:a.sock")
    (tmp_path / "a.sock").unlink()
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind("a.sock")
        await ours.close()
        assert (tmp_path / "a.sock").is_socket()


async def test_closing_removes_the_socket_from_another_working_directory(tmp_path, monkeypatch):
    """A relative path means what it meant at the beginning."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.sock").write_text("a file of somebody else")
    monkeypatch.chdir(tmp_path)
    ours = HTTP()
    await ours.listen("unix:a.sock")
    monkeypatch.chdir(elsewhere)
    await ours.close()
    assert (elsewhere / "a.sock").exists()
    assert not (tmp_path / "a.sock").exists()


async def test_a_symbolic_link_where_a_socket_belongs_is_left_alone(tmp_path):
    """Not even where it leads to the socket of a dead process."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    link = tmp_path / "link.sock"
    link.symlink_to(tmp_path / "dead.sock")
    async with HTTP() as ours:
        with pytest.raises(TransportError, match="something else") as caught:
            await ours.listen(f"unix:{link}")
    assert caught.value.code == "conflict"
    assert link.is_symlink()
    assert (tmp_path / "dead.sock").is_socket()


def leave_dead(path):
    """Leave the socket of a dead process behind."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))


def test_of_many_that_start_at_once_one_listens(tmp_path):
    """None takes the place of another that found the same dead socket, and was faster."""
    path = tmp_path / "a.sock"
    together = threading.Barrier(8)

    def start(_):
        together.wait()
        try:
            return bind(UnixAddress(str(path)), 64)
        except TransportError as exc:
            return exc

    with ThreadPoolExecutor(8) as threads:
        for _ in range(20):
            leave_dead(path)
            results = list(threads.map(start, range(8)))
            (bound,) = [each for each in results if isinstance(each, Bound)]
            assert {each.code for each in results if each is not bound} == {"conflict"}
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(5)
                client.connect(str(path))
                bound.socket.accept()[0].close()
            bound.close()
            assert list(tmp_path.iterdir()) == []


def test_a_directory_that_stays_locked_is_a_conflict(tmp_path, monkeypatch):
    """A starter waits for another one, and not for ever for whoever else it is."""
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr("mist.transport.http.binding._LOCK_SECONDS", 0.1)
    fd = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    with pytest.raises(TransportError, match="keeps its directory locked") as caught:
        bind(UnixAddress(f"{tmp_path}/a.sock"), 1)
    assert caught.value.code == "conflict"
    os.close(fd)
    bind(UnixAddress(f"{tmp_path}/a.sock"), 1).close()


async def test_a_socket_is_removed_while_it_still_listens(tmp_path, blockbuster):
    """Whoever starts after it was closed makes a file of his own, which must stay."""
    blockbuster.functions["os.stat"].deactivate()  # the test itself looks
    path = tmp_path / "a.sock"
    ours = HTTP()
    await ours.listen(f"unix:{path}")
    serving = ours._listener._server
    closed = serving.close
    there = []
    serving.close = lambda: (there.append(path.exists()), closed())
    await ours.close()
    assert there == [False]
