"""A lock has one holder, whoever asks, dies, forks or deletes the file."""

import gc
import os
import pickle
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mist.platform import LockError, LockTimeout, LockValueError, lock, lock_holder, try_lock

unix = pytest.mark.skipif(os.name == "nt", reason="a matter of Unix")


@pytest.fixture
def path(tmp_path):
    """A lock file that is not there yet, in a directory that is not there either."""
    return tmp_path / "run" / "tool.lock"


def test_the_file_and_its_directory_are_made_for_their_owner_alone(path):
    """Modes are 0600 and 0700; the path of the lock is absolute."""
    with lock(path) as held:
        assert held.path == str(path)
        if os.name != "nt":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_relative_path_is_made_absolute(tmp_path, monkeypatch):
    """The lock knows its file after the working directory has changed."""
    monkeypatch.chdir(tmp_path)
    with lock("here.lock") as held:
        assert held.path == str(tmp_path / "here.lock")


def test_the_file_stays_after_unlock(path):
    """Deleting it, as mist-go does, would let a waiter and a newcomer lock two different files."""
    held = lock(path)
    inode = path.stat().st_ino
    held.unlock()
    assert path.stat().st_ino == inode


def test_unlocking_twice_does_nothing(path):
    """The second call does not touch the lock that somebody else has taken since."""
    first = lock(path)
    first.unlock()
    with lock(path):
        first.unlock()
        assert try_lock(path) is None


def test_try_lock_is_none_while_the_lock_is_held(path):
    """Also within one thread, for a lock belongs to the one who opened it."""
    with lock(path):
        assert try_lock(path) is None
    again = try_lock(path)
    assert again is not None
    again.unlock()


def test_a_forgotten_lock_is_still_held(path):
    """A lock taken for the life of the process needs no variable."""
    kept = lock(path)
    file = kept._file
    del kept
    gc.collect()
    assert try_lock(path) is None
    file.release()


def test_the_with_block_unlocks_after_an_error(path):
    """An exception passes through, and the lock is free."""
    with pytest.raises(ZeroDivisionError), lock(path) as held:
        raise ZeroDivisionError
    assert "unlocked" in repr(held)
    lock(path, timeout=0).unlock()


def test_a_timeout_names_the_process_that_holds_the_lock(path, holder):
    """The error says which file, which process and how long, and its code is `timeout`."""
    process = holder(path)
    started = time.monotonic()
    with pytest.raises(LockTimeout) as caught:
        lock(path, timeout=0.2)
    assert 0.2 <= time.monotonic() - started < 5
    error = caught.value
    assert isinstance(error, TimeoutError)
    assert (error.code, error.holder, error.path) == ("timeout", process.pid, str(path))
    assert str(error) == f"{path} is locked by process {process.pid}; gave up after 0.2 s"


def test_the_holder_can_be_asked_for(path, holder):
    """Nobody before, the process that holds it, nobody after it has unlocked."""
    assert lock_holder(path) is None
    process = holder(path)
    assert lock_holder(path) == process.pid
    process.communicate("\n", timeout=10)
    assert lock_holder(path) is None
    with lock(path):
        assert lock_holder(path) == os.getpid()


def test_asking_for_the_holder_never_denies_the_lock(path):
    """A thread asks all the time while another locks: no attempt fails."""
    lock(path).unlock()
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            lock_holder(path)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for _ in range(300):
            lock(path, timeout=0).unlock()
    finally:
        stop.set()
        asking.join()


def test_a_killed_holder_holds_nothing(path, holder):
    """After `kill -9` the lock is free at once, and its holder is not named any more."""
    process = holder(path)
    process.kill()
    process.wait()
    assert lock_holder(path) is None
    with lock(path, timeout=5):
        assert lock_holder(path) == os.getpid()


def test_waiting_ends_when_the_holder_is_killed(path, holder):
    """Without a timeout the wait ends with the holder's death."""
    process = holder(path)
    threading.Timer(0.1, process.kill).start()
    with lock(path):
        assert process.wait() == (-signal.SIGKILL if os.name != "nt" else 1)


def test_threads_exclude_each_other(path):
    """Eight threads count with a read and a write, and no count is lost."""
    counter = {"value": 0}

    def count():
        for _ in range(50):
            with lock(path):
                value = counter["value"]
                time.sleep(0)
                counter["value"] = value + 1

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter["value"] == 400


CONTENDER = """
import os, sys
from mist.platform import lock
path, marker, log = sys.argv[1:]
sys.stdin.readline()
for turn in range(20):
    with lock(path, timeout=None if turn % 2 else 60):
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))  # fails where somebody else is inside
        with open(log, "a") as file:
            file.write(f"{os.getpid()}\\n")
        os.unlink(marker)
"""


def test_fifty_processes_never_hold_it_together(tmp_path, path, spawn):
    """Each of fifty enters twenty times, half with and half without a timeout, always alone."""
    marker, log = tmp_path / "inside", tmp_path / "log"
    contenders = [spawn(CONTENDER, path, marker, log) for _ in range(50)]
    for contender in contenders:
        contender.stdin.write("go\n")
        contender.stdin.flush()
    assert [contender.wait(timeout=120) for contender in contenders] == [0] * 50
    entries = log.read_text().split()
    assert len(entries) == 1000
    assert {entries.count(str(contender.pid)) for contender in contenders} == {20}


KILLED = """
import os, sys
from mist.platform import lock
path, journal = sys.argv[1:]
journal = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
print("ready", flush=True)
while True:
    with lock(path):
        os.write(journal, b"%d enters\\n" % os.getpid())
        os.write(journal, b"%d leaves\\n" % os.getpid())
"""


@unix
def test_killing_holders_never_makes_two(tmp_path, path, spawn):
    """Processes that lock in a loop are killed anywhere; whoever leaves was the last to enter."""
    journal = tmp_path / "journal"
    workers = [spawn(KILLED, path, journal) for _ in range(6)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers[:-1]:
        time.sleep(0.03)  # real time: the others are real processes
        worker.kill()
    time.sleep(0.1)
    workers[-1].kill()
    assert [worker.wait(timeout=30) for worker in workers] == [-signal.SIGKILL] * 6
    inside = None
    for line in journal.read_text().splitlines():
        pid, step = line.split()
        assert step == "enters" or pid == inside
        inside = pid
    lock(path, timeout=5).unlock()


@unix
def test_a_forked_child_does_not_keep_its_parents_lock(path, spawn):
    """The parent is killed, its child lives on, and the lock is free."""
    parent = spawn(
        "import os, sys; from mist.platform import lock, try_lock\n"
        "held = lock(sys.argv[1])\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    held.unlock()\n"  # nothing: it is the parent's
        "    print(os.getpid(), held, try_lock(sys.argv[1]), flush=True)\n"
        "sys.stdin.readline()\n",
        path,
    )
    child, _, _, state, tried = parent.stdout.readline().split()
    try:
        assert (state, tried) == ("unlocked>", "None")
        parent.kill()
        parent.wait()
        lock(path, timeout=5).unlock()
        os.kill(int(child), 0)
    finally:
        parent.stdin.close()  # which the child shares, and ends with


@unix
def test_a_started_program_does_not_inherit_the_lock(path, spawn):
    """The holder is killed, the program it started lives on, and the lock is free."""
    parent = spawn(
        "import subprocess, sys, time; from mist.platform import lock\n"
        "held = lock(sys.argv[1])\n"
        "program = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "print(subprocess.Popen(program, close_fds=False).pid, flush=True); time.sleep(60)",
        path,
    )
    program = int(parent.stdout.readline())
    try:
        parent.kill()
        parent.wait()
        lock(path, timeout=5).unlock()
        os.kill(program, 0)
    finally:
        os.kill(program, signal.SIGKILL)


@unix
def test_a_file_deleted_under_the_lock_is_locked_anew(path):
    """Who waited for the old file goes on to wait for the new one: mist-go deletes on unlock."""
    first = lock(path)
    entered = threading.Event()

    def wait():
        with lock(path, timeout=30):
            entered.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.1)  # real time: until the thread has opened the file
    path.unlink()
    with lock(path, timeout=0):
        first.unlock()
        assert not entered.wait(0.3)
    waiting.join(timeout=30)
    assert entered.is_set()


def test_a_file_with_content_of_its_own_keeps_it(tmp_path):
    """Nobody loses a file by locking it; the holder is not known then."""
    for content in (b'{"precious": 1}\n', b"42\n", b"x" * 21):
        data = tmp_path / "data"
        data.write_bytes(content)
        with lock(data):
            assert lock_holder(data) is None
        assert data.read_bytes() == content


def test_a_directory_cannot_be_locked(tmp_path):
    """The error says so, and that it is the caller's to put right."""
    with pytest.raises(LockError, match=r"cannot lock .*directory") as caught:
        try_lock(tmp_path)
    assert caught.value.code in {"validation", "auth"}  # Windows says: permission denied
    assert caught.value.path == str(tmp_path)


@unix
def test_a_symbolic_link_is_refused(tmp_path):
    """Who may write in a shared directory cannot lead a lock to somebody else's file."""
    victim = tmp_path / "victim"
    victim.touch()
    (tmp_path / "link").symlink_to(victim)
    with pytest.raises(LockError, match="symbolic link") as caught:
        lock(tmp_path / "link")
    assert caught.value.code == "validation"
    assert victim.read_bytes() == b""


@unix
def test_a_named_pipe_is_refused_without_waiting(tmp_path):
    """Opening a pipe for writing waits for a reader, unless it is asked not to."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LockError, match="not a regular file") as caught:
        lock(tmp_path / "pipe", timeout=0)
    assert caught.value.code == "validation"


@unix
@pytest.mark.usefixtures("unprivileged")
def test_a_directory_without_permission_is_a_clear_error():
    """The code is `auth`: nobody but an administrator can help."""
    with pytest.raises(LockError, match=r"cannot lock .*Permission denied") as caught:
        lock("/etc/mist-test.lock")
    assert caught.value.code == "auth"
    assert not Path("/etc/mist-test.lock").exists()


@pytest.mark.parametrize("timeout", [-1, -0.001, float("nan")])
def test_a_timeout_that_is_none_is_refused(path, timeout):
    """A negative timeout and NaN are mistakes, and nothing is made for them."""
    with pytest.raises(LockValueError, match="timeout is") as caught:
        lock(path, timeout=timeout)
    assert isinstance(caught.value, ValueError)
    assert caught.value.code == "validation"
    assert not path.parent.exists()


def test_a_name_that_no_file_can_have_is_refused():
    """A null byte is a mistake in the argument."""
    with pytest.raises(LockValueError, match="embedded null"):
        lock("a\0b")


def test_errors_survive_pickling(path):
    """They come back from a worker process whole."""
    with lock(path), pytest.raises(LockTimeout) as caught:
        lock(path, timeout=0)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is LockTimeout
    assert (str(copy), copy.code, copy.holder, copy.path) == (
        str(caught.value),
        "timeout",
        os.getpid(),
        str(path),
    )


@unix
def test_it_excludes_who_locks_with_flock(path):
    """A tool that calls flock(2) on the file, as mist-go and flock(1) do, is shut out."""
    with lock(path):
        ran = subprocess.run(
            [
                sys.executable,
                "-c",
                "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)",
                path,
            ],
            capture_output=True,
            check=False,
        )
        assert b"BlockingIOError" in ran.stderr
