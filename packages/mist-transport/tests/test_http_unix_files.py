"""The file of a Unix socket, and what else may have its name."""

import socket

import pytest

from mist.transport import HTTP, TransportError

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
