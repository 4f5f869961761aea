"""What the operating system refuses is a clear error, and leaves no lock behind."""

import os
import tempfile
import threading
import time
from pathlib import Path

import pytest

from mist.platform import LockError, LockValueError, lock, lock_holder, try_lock

unix = pytest.mark.skipif(os.name == "nt", reason="a matter of Unix")


@pytest.fixture
def path(tmp_path):
    """A lock file that is not there yet."""
    return tmp_path / "tool.lock"


@unix
def test_a_disk_without_room_is_no_reason_not_to_lock(path, spawn):
    """Who holds the lock is not known then; that somebody does is."""
    holder = spawn(
        "import resource, signal, sys; from mist.platform import lock\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "with lock(sys.argv[1]): print('held', flush=True); sys.stdin.readline()",
        path,
    )
    assert holder.stdout.readline() == "held\n"
    assert try_lock(path) is None
    assert lock_holder(path) is None
    holder.communicate("done\n", timeout=30)
    assert holder.returncode == 0


@unix
def test_a_path_below_a_file_is_a_clear_error(tmp_path):
    """No directory can be made there; the error names the path."""
    (tmp_path / "file").touch()
    with pytest.raises(LockError, match="Not a directory") as caught:
        lock(tmp_path / "file" / "tool.lock")
    assert (caught.value.code, caught.value.path) == (
        "validation",
        str(tmp_path / "file" / "tool.lock"),
    )


@unix
def test_a_path_below_a_dangling_link_is_a_clear_error(tmp_path):
    """It can be no directory either."""
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(LockError, match=r"cannot lock .*tool\.lock: File exists") as caught:
        lock(tmp_path / "link" / "tool.lock")
    assert caught.value.code == "validation"


@unix
def test_a_working_directory_that_is_gone_is_a_clear_error(tmp_path, monkeypatch):
    """No name in it can be made absolute."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for use in (try_lock, lock_holder):
        with pytest.raises(LockError, match=r"tool\.lock: the working directory") as caught:
            use("tool.lock")
        assert (caught.value.code, caught.value.path) == ("not_found", "tool.lock")


def test_the_holder_of_what_no_file_can_be_named_is_a_clear_error():
    """As for the lock itself."""
    with pytest.raises(LockValueError, match="null"):
        lock_holder("a\0b")


@unix
def test_the_holder_of_what_is_no_lock_file_is_a_clear_error(tmp_path):
    """A link is not followed, and a directory cannot be read."""
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("link", "."):
        with pytest.raises(LockError, match="cannot lock") as caught:
            lock_holder(tmp_path / name)
        assert caught.value.code == "validation"


@unix
@pytest.mark.usefixtures("unprivileged")
def test_a_holder_that_belongs_to_somebody_else_is_known():
    """Process 1 is there, though it may not be signalled."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(f" {1:<19}\n")
        file.flush()
        assert lock_holder(file.name) == 1


@pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="O_PATH stands in for such a file system")
@pytest.mark.parametrize("timeout", [None, 0])
def test_a_file_system_without_locks_is_a_clear_error(path, timeout, monkeypatch):
    """Whatever else the system answers is told, and the lock is free afterwards."""
    opened = os.open

    def without_locks(name, flags, *mode):
        return opened(name, os.O_PATH if flags & os.O_RDWR else flags, *mode)

    path.touch()
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", without_locks)
        with pytest.raises(LockError, match="Bad file descriptor"):
            lock(path, timeout=timeout)
    lock(path, timeout=0).unlock()


@unix
def test_unlocking_what_somebody_closed_is_a_clear_error(path):
    """The lock went with the descriptor; the next one can have it."""
    held = lock(path)
    for fd in [int(each.name) for each in Path("/dev/fd").iterdir()]:
        if _leads_to(fd, path):
            os.close(fd)
    with pytest.raises(LockError, match="Bad file descriptor"):
        held.unlock()
    lock(path, timeout=0).unlock()


def _leads_to(fd, path):
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except OSError:
        return False


@unix
def test_a_file_that_is_deleted_while_one_waits_is_made_anew(path):
    """The waiter holds a lock that others can see, not one of a file without a name."""
    first = lock(path)
    locks = []
    waiter = threading.Thread(target=lambda: locks.append(lock(path, timeout=30)))
    waiter.start()
    time.sleep(0.1)  # real time: until the thread has opened the file
    path.unlink()
    first.unlock()
    waiter.join(timeout=30)
    (second,) = locks
    assert try_lock(path) is None
    second.unlock()
