"""A step that could not be recorded fails, clearly, and is taken for done by nobody."""

import asyncio
import json
import os
import sys

import pytest

from mist import checkpoint
from mist.checkpoint import CheckpointError, StorageError

unix = pytest.mark.skipif(os.name == "nt", reason="a matter of Unix")


def is_whole(path):
    """Tell whether every line of a log is a record."""
    data = path.read_bytes()
    return data.endswith(b"\n") and all(json.loads(line)["step"] for line in data.splitlines())


@pytest.mark.parametrize(
    ("trouble", "code"), [("full", "unavailable"), ("lost", "internal")], ids=["full", "fsync"]
)
def test_a_step_that_is_not_recorded_is_not_completed(tmp_path, troubled, trouble, code):
    """Not in memory, not in the next run; when the disk has recovered, the step runs again."""
    tracker, file = troubled()
    tracker.step_sync("before", lambda: 1)

    def work():
        setattr(file, trouble, True)
        return 2

    with pytest.raises(StorageError, match=r"step 'a' is not recorded in .*run\.jsonl") as caught:
        tracker.step_sync("a", work)
    assert isinstance(caught.value, OSError)
    assert caught.value.code == code
    assert not tracker.is_completed("a")
    assert tracker.result("a") is None
    setattr(file, trouble, False)
    assert b'"a","status":"completed"' not in (tmp_path / "run.jsonl").read_bytes()

    assert tracker.step_sync("a", lambda: 3) == 3
    tracker.step_sync("after", lambda: 4)
    tracker.close()
    assert is_whole(tmp_path / "run.jsonl")
    with checkpoint.open(tmp_path, "run") as resumed:
        assert resumed.problems == ()
        assert resumed.completed_steps() == ["before", "a", "after"]
        assert resumed.result("a") == 3


@pytest.mark.parametrize("trouble", ["full", "lost"])
def test_a_run_that_ends_after_a_failure_leaves_no_trace_of_the_step(tmp_path, troubled, trouble):
    """The next run does not find it completed either."""
    tracker, file = troubled()
    tracker.step_sync("before", lambda: 1)
    setattr(file, trouble, True)
    with pytest.raises(StorageError):
        tracker.step_sync("a", lambda: 2)
    tracker.close()
    with checkpoint.open(tmp_path, "run") as resumed:
        assert resumed.problems == ()
        assert resumed.completed_steps() == ["before"]


def test_no_work_is_begun_while_the_log_fails(troubled):
    """After a failure it is tried first whether the log takes records again."""
    tracker, file = troubled()
    file.full = True
    with pytest.raises(StorageError):
        tracker.step_sync("a", lambda: 1)
    with pytest.raises(StorageError, match="step 'b' is not recorded"):
        tracker.step_sync("b", lambda: pytest.fail("called"))
    file.full = False
    assert tracker.step_sync("b", lambda: 2) == 2


def test_a_failed_write_that_cannot_be_cut_off_is_not_fused_with(tmp_path, troubled):
    """As long as the torn record is there, nothing is appended to it."""
    tracker, file = troubled()
    tracker.step_sync("before", lambda: 1)
    file.full = file.stuck = True
    with pytest.raises(StorageError):
        tracker.step_sync("a", lambda: 2)
    file.full = False
    size = (tmp_path / "run.jsonl").stat().st_size
    with pytest.raises(StorageError):
        tracker.step_sync("a", lambda: 2)
    assert (tmp_path / "run.jsonl").stat().st_size == size
    file.stuck = False
    assert tracker.step_sync("a", lambda: 3) == 3
    assert is_whole(tmp_path / "run.jsonl")


def test_a_failure_that_cannot_be_recorded_is_a_note(troubled):
    """The step's own error is the one that counts."""
    tracker, file = troubled()

    def work():
        file.full = True
        raise RuntimeError("oops")

    with pytest.raises(RuntimeError, match="oops") as caught:
        tracker.step_sync("a", work)
    (note,) = caught.value.__notes__
    assert "step 'a' is not recorded" in note


async def test_all_who_share_a_failed_fsync_fail(troubled):
    """None of 32 concurrent steps is taken for done, and each error names its own step."""
    tracker, file = await asyncio.to_thread(troubled)
    file.lost = True

    async def work():
        return 1

    outcomes = await asyncio.gather(
        *(tracker.step(f"step-{number}", work) for number in range(32)), return_exceptions=True
    )
    for number, outcome in enumerate(outcomes):
        assert isinstance(outcome, StorageError)
        assert f"'step-{number}'" in str(outcome)
    assert tracker.completed_steps() == []
    file.lost = False
    assert (
        await asyncio.gather(*(tracker.step(f"step-{number}", work) for number in range(32)))
        == [1] * 32
    )


def test_whatever_goes_wrong_in_writing_somebody_is_told(troubled):
    """An error that is none of the operating system's does not leave the step waiting."""
    tracker, file = troubled()

    def broken(data):
        raise MemoryError(len(data))

    original, file.append = file.append, broken
    with pytest.raises(CheckpointError, match="not recorded"):
        tracker.step_sync("a", lambda: 1)
    file.append = original
    assert tracker.step_sync("a", lambda: 1) == 1


FULL = """
import resource, signal, sys
from mist import checkpoint
from mist.checkpoint import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with checkpoint.open(sys.argv[1], "run") as tracker:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    for number in range(1000):
        try:
            tracker.step_sync(f"step-{number}", lambda: "x" * 100)
        except StorageError as error:
            assert not tracker.is_completed(f"step-{number}")
            print(number, error.code, flush=True)
            break
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    tracker.step_sync("after", lambda: 1)
"""


@unix
def test_a_file_that_may_not_grow(tmp_path, spawn):
    """A real limit of the operating system cuts a real write short in the middle of a record."""
    process = spawn(FULL, tmp_path)
    number, code = process.communicate(timeout=60)[0].split()
    assert process.returncode == 0
    assert code == "unavailable"
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.problems == ()
        assert tracker.completed_steps() == [
            *(f"step-{n}" for n in range(int(number))),
            "after",
        ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_log_that_is_no_file_is_refused(tmp_path):
    """A pipe is not something to keep records in."""
    os.mkfifo(tmp_path / "run.jsonl")
    with pytest.raises(StorageError, match="not a regular file") as caught:
        checkpoint.open(tmp_path, "run")
    assert caught.value.code == "validation"


@pytest.fixture
def nobody(tmp_path):
    """Be nobody, where the tests are run by root, to whom permissions mean nothing."""
    if not hasattr(os, "geteuid"):
        pytest.skip("permissions are a matter of Unix")
    if os.geteuid() != 0:
        yield lambda *_: None
        return
    changed = []

    def become(*paths):
        for path in paths:
            os.chown(path, 65534, -1)
        for parent in tmp_path.resolve().parents:
            mode = parent.stat().st_mode
            if not mode & 0o001:
                changed.append((parent, mode))
                parent.chmod(mode | 0o011)
        os.seteuid(65534)

    yield become
    os.seteuid(0)
    for parent, mode in changed:
        parent.chmod(mode)


def test_a_read_only_directory_is_a_clear_error(tmp_path, nobody):
    """When the run is opened, before any work is done; the code is `auth`."""
    runs = tmp_path / "runs"
    runs.mkdir()
    nobody(tmp_path, runs)
    runs.chmod(0o500)
    with pytest.raises(StorageError, match="Permission denied") as caught:
        checkpoint.open(runs, "run")
    assert caught.value.code == "auth"
    with pytest.raises(StorageError, match="Permission denied"):
        checkpoint.open(runs / "below", "run")


def test_a_read_only_log_is_a_clear_error(tmp_path, nobody):
    """A run that cannot be recorded is not begun."""
    checkpoint.open(tmp_path, "run").close()
    nobody(tmp_path, *tmp_path.iterdir())
    (tmp_path / "run.jsonl").chmod(0o400)
    with pytest.raises(StorageError, match=r"cannot open .*run\.jsonl: Permission") as caught:
        checkpoint.open(tmp_path, "run")
    assert caught.value.code == "auth"
    (tmp_path / "run.jsonl").chmod(0o600)
    checkpoint.open(tmp_path, "run").close()


# A file system of the test's own, which nobody else sees; exit status 77 where that is denied.
MOUNTING = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def check(failed):
    if failed:
        sys.exit(77)
def mount(kind, flags, options=None):
    check(libc.mount(b"tmpfs", sys.argv[1].encode(), kind, flags, options))
check(libc.unshare(0x20000))
check(libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None))
"""

READ_ONLY = (
    MOUNTING
    + """
mount(b"tmpfs", 0)
from mist import checkpoint
from mist.checkpoint import StorageError
checkpoint.open(sys.argv[1], "run").close()
mount(b"tmpfs", 0x21)  # read-only, again
for run in ("run", "other"):
    try:
        checkpoint.open(sys.argv[1], run)
    except StorageError as error:
        print(error.code, "Read-only file system" in str(error))
"""
)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a file system of its own")
def test_a_read_only_file_system_is_a_clear_error(tmp_path, spawn):
    """For a run that was there and for a new one; the code is `auth`."""
    process = spawn(READ_ONLY, tmp_path)
    output = process.communicate(timeout=60)[0]
    if process.returncode == 77:
        pytest.skip("file systems cannot be mounted here")
    assert process.returncode == 0
    assert output.split() == ["auth", "True"] * 2


FULL_TMPFS = (
    MOUNTING
    + """
mount(b"tmpfs", 0, b"size=64k")
from mist import checkpoint
from mist.checkpoint import StorageError
with checkpoint.open(sys.argv[1], "run", spill_over=8000) as tracker:
    def fill(size):
        for number in range(1000):
            try:
                tracker.step_sync(f"{size}-{number}", lambda: "x" * size)
            except StorageError as error:
                return number, error.code, tracker.is_completed(f"{size}-{number}")
    print(*fill(9000), *fill(1000))
    os.remove(next(os.scandir(sys.argv[1] + "/run.data")).path)
    tracker.step_sync("after", lambda: 1)
with checkpoint.open(sys.argv[1], "run") as tracker:
    print(tracker.problem_count, len(tracker.completed_steps()), tracker.is_completed("after"))
"""
)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a file system of its own")
def test_a_full_disk(tmp_path, spawn):
    """A real file system without room: for results in files, then for records."""
    process = spawn(FULL_TMPFS, tmp_path)
    output = process.communicate(timeout=60)[0]
    if process.returncode == 77:
        pytest.skip("file systems cannot be mounted here")
    assert process.returncode == 0
    large, code, completed, small, code2, completed2, problems, count, after = output.split()
    assert (code, code2) == ("unavailable", "unavailable")
    assert (completed, completed2, after) == ("False", "False", "True")
    assert problems == "0"
    assert int(large) > 0
    assert int(count) == int(large) + int(small) + 1
