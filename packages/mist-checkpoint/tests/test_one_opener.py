"""A run has one opener at a time."""

import asyncio
import gc
import os
import pickle
import threading
import time

import pytest

from mist import checkpoint
from mist.checkpoint import InvalidValue, RunInUse, StorageError

unix = pytest.mark.skipif(os.name == "nt", reason="a matter of Unix")

HOLDER = """
import sys
from mist import checkpoint
with checkpoint.open(sys.argv[1], "run") as tracker:
    print("open", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(spawn, tmp_path):
    """Start a process that has the run open."""

    def start():
        process = spawn(HOLDER, tmp_path)
        assert process.stdout.readline() == "open\n"
        return process

    return start


def test_the_second_opener_is_refused_and_told_who_has_the_run(tmp_path, holder):
    """The error names the process; its code is `conflict`. mist-go lets both write."""
    process = holder()
    with pytest.raises(RunInUse, match=f"by process {process.pid}") as caught:
        checkpoint.open(tmp_path, "run")
    assert (caught.value.code, caught.value.holder) == ("conflict", process.pid)
    assert str(caught.value).endswith("; wait=True waits for it")
    checkpoint.open(tmp_path, "another").close()
    process.communicate("\n", timeout=10)
    checkpoint.open(tmp_path, "run").close()


def test_a_second_opener_in_the_same_process_is_refused(tmp_path):
    """Also in another thread."""
    with checkpoint.open(tmp_path, "run") as tracker:
        with pytest.raises(RunInUse) as caught:
            checkpoint.open(tmp_path, "run")
        assert caught.value.holder == os.getpid()
        assert tracker.step_sync("a", lambda: 1) == 1
    checkpoint.open(tmp_path, "run").close()


async def test_a_second_opener_in_an_event_loop_is_refused_at_once(tmp_path):
    """By `open` already, though there is nothing that blocks the loop."""
    async with checkpoint.open(tmp_path, "run"):
        with pytest.raises(RunInUse) as caught:
            checkpoint.open(tmp_path, "run")
        assert caught.value.holder == os.getpid()
    async with checkpoint.open(tmp_path, "run"):
        pass


def test_a_killed_opener_has_nothing_open(tmp_path, holder):
    """After `kill -9` the run opens at once."""
    process = holder()
    process.kill()
    process.wait()
    checkpoint.open(tmp_path, "run").close()


def test_waiting_ends_when_the_opener_is_gone(tmp_path, holder):
    """With `wait=True` the run is opened as soon as it is free."""
    process = holder()
    threading.Timer(0.2, process.kill).start()
    with checkpoint.open(tmp_path, "run", wait=True) as tracker:
        assert process.wait() != 0
        assert tracker.step_sync("a", lambda: 1) == 1


def test_waiting_is_bounded_by_its_timeout(tmp_path, holder):
    """The error knows the process, and its code is `timeout`."""
    process = holder()
    started = time.monotonic()
    with pytest.raises(RunInUse, match=r"gave up after 0\.2 s") as caught:
        checkpoint.open(tmp_path, "run", wait=True, timeout=0.2)
    assert 0.2 <= time.monotonic() - started < 5
    assert (caught.value.code, caught.value.holder) == ("timeout", process.pid)


async def test_waiting_in_an_event_loop_leaves_it_free(tmp_path):
    """Others go on meanwhile, and a cancelled wait takes nothing."""
    async with checkpoint.open(tmp_path, "run") as first:
        waiting = asyncio.create_task(checkpoint.open(tmp_path, "run", wait=True).__aenter__())
        given_up = asyncio.create_task(checkpoint.open(tmp_path, "run", wait=True).__aenter__())
        await asyncio.sleep(0.1)
        given_up.cancel()
        await asyncio.wait([given_up])
        assert given_up.cancelled()
        assert not waiting.done()
        assert first.is_completed("a") is False
    async with asyncio.timeout(5):
        second = await waiting
    with pytest.raises(RunInUse):
        checkpoint.open(tmp_path, "run")
    await second.__aexit__(None, None, None)


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_a_timeout_that_is_none_is_refused(tmp_path, timeout):
    """The code is `validation`."""
    with pytest.raises(InvalidValue, match="timeout"):
        checkpoint.open(tmp_path, "run", wait=True, timeout=timeout)


def test_a_timeout_without_waiting_is_refused(tmp_path):
    """It would mean nothing."""
    with pytest.raises(InvalidValue, match="wait=True"):
        checkpoint.open(tmp_path, "run", timeout=1.0)


def test_a_tracker_that_is_forgotten_gives_the_run_back(tmp_path):
    """Nobody has to wait for the end of the process, and its thread and its file are gone."""
    tracker = checkpoint.open(tmp_path, "run")
    tracker.step_sync("a", lambda: 1)
    file = tracker._files.log._file._fd
    del tracker
    for _ in range(500):
        gc.collect()
        if not any(thread.name == "mist-checkpoint" for thread in threading.enumerate()):
            break
        time.sleep(0.01)  # real time: a thread ends
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.completed_steps() == ["a"]


def test_a_run_that_failed_to_open_is_not_locked(tmp_path):
    """Once the cause is gone, it opens."""
    (tmp_path / "run.jsonl").mkdir()
    with pytest.raises(StorageError):
        checkpoint.open(tmp_path, "run")
    (tmp_path / "run.jsonl").rmdir()
    checkpoint.open(tmp_path, "run").close()


def test_a_file_in_the_place_of_the_directory_is_named_as_such(tmp_path):
    """Whether it is the directory itself or one above it."""
    file = tmp_path / "file"
    file.touch()
    for directory in (file, file / "below"):
        with pytest.raises(StorageError, match="or one above it, is a file"):
            checkpoint.open(directory, "run")


@unix
def test_a_lock_file_that_cannot_be_one_is_a_clear_error(tmp_path):
    """A directory, or a symbolic link that leads anywhere."""
    (tmp_path / "run.lock").mkdir()
    with pytest.raises(StorageError, match="cannot lock") as caught:
        checkpoint.open(tmp_path, "run")
    assert caught.value.code == "validation"
    (tmp_path / "other.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(StorageError, match="cannot lock"):
        checkpoint.open(tmp_path, "other")
    assert not (tmp_path / "victim").exists()


@unix
def test_a_forked_child_neither_uses_the_run_nor_keeps_it(tmp_path, spawn):
    """Its parent is killed, it lives on, and the run opens."""
    parent = spawn(
        "import os, sys\n"
        "from mist import checkpoint\n"
        "tracker = checkpoint.open(sys.argv[1], 'run')\n"
        "if os.fork() == 0:\n"
        "    try:\n"
        "        tracker.step_sync('a', lambda: 1)\n"
        "    except checkpoint.CheckpointError as error:\n"
        "        print(os.getpid(), error.code, 'forked child' in str(error), flush=True)\n"
        "    tracker.close()\n"
        "sys.stdin.readline()\n",
        tmp_path,
    )
    child, code, forked = parent.stdout.readline().split()
    try:
        assert (code, forked) == ("conflict", "True")
        with pytest.raises(RunInUse):
            checkpoint.open(tmp_path, "run")
        parent.kill()
        parent.wait()
        checkpoint.open(tmp_path, "run").close()
        os.kill(int(child), 0)
    finally:
        parent.stdin.close()  # which the child shares, and ends with


CONTENDER = """
import os, sys
from mist import checkpoint
sys.stdin.readline()
for turn in range(5):
    with checkpoint.open(sys.argv[1], "run", wait=True) as tracker:
        os.close(os.open(sys.argv[2], os.O_CREAT | os.O_EXCL))
        tracker.step_sync(f"{os.getpid()}-{turn}", lambda: 1)
        os.unlink(sys.argv[2])
"""


def test_many_processes_take_turns(tmp_path, spawn):
    """Twelve processes open the run five times each, always alone, and all steps are there."""
    contenders = [spawn(CONTENDER, tmp_path / "runs", tmp_path / "inside") for _ in range(12)]
    for contender in contenders:
        contender.stdin.write("go\n")
        contender.stdin.flush()
    assert [contender.wait(timeout=60) for contender in contenders] == [0] * 12
    with checkpoint.open(tmp_path / "runs", "run") as tracker:
        assert len(tracker.completed_steps()) == 60


def test_the_error_survives_pickling(tmp_path):
    """It comes back from a worker process whole."""
    with checkpoint.open(tmp_path, "run"), pytest.raises(RunInUse) as caught:
        checkpoint.open(tmp_path, "run")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.code, copy.holder) == (
        str(caught.value),
        "conflict",
        os.getpid(),
    )
    storage = StorageError.of(OSError(28, "No space left on device"), "cannot write")
    copy = pickle.loads(pickle.dumps(storage))
    assert (str(copy), copy.code, copy.errno) == (str(storage), "unavailable", 28)
