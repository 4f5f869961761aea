"""A log in which most records are superseded is rewritten when it is opened."""

import contextlib
import errno
import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mist import checkpoint
from mist.checkpoint import StorageError, disk
from mist.checkpoint.compaction import compact
from mist.checkpoint.log_file import LogFile
from mist.checkpoint.replay import Replay
from mist.checkpoint.tracker import Tracker


def step(name, status="completed", **more):
    """Return a record."""
    return {"step": name, "status": status, **more}


def read(path):
    """Return the steps and statuses of a log."""
    from mist.checkpoint import read_records

    return [(record.step, record.status) for record in read_records(path)]


def test_superseded_records_are_dropped(tmp_path, write_log):
    """The start and the end of each step's last attempt stay, in their order."""
    path = write_log(
        *[step("flaky", "running"), step("flaky", "failed", error="no")] * 500,
        step("a", "running"),
        step("a", result=1),
        step("flaky", "running", attempt=7),
        step("flaky", result=2, attempt=7),
        step("crashed", "running"),
    )
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.completed_steps() == ["a", "flaky"]
        assert tracker.step_sync("b", lambda: 3) == 3
    assert read(path) == [
        ("a", "running"),
        ("a", "completed"),
        ("flaky", "running"),
        ("flaky", "completed"),
        ("crashed", "running"),
        ("b", "running"),
        ("b", "completed"),
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with checkpoint.open(tmp_path, "run") as tracker:
        assert [tracker.result(name) for name in ("a", "flaky", "b")] == [1, 2, 3]


@pytest.mark.parametrize("odd", [{"timestamp": 5}, {"error": None}, {"attempt": "2"}])
def test_what_a_resume_counts_is_kept(tmp_path, write_log, odd):
    """A step is completed before and after, though a field that no resume reads is odd."""
    write_log(*[step("other", "running")] * 200, step("a", result=1, **odd))
    for _ in range(2):
        with checkpoint.open(tmp_path, "run") as tracker:
            assert tracker.completed_steps() == ["a"]
            assert tracker.result("a") == 1


def test_what_a_resume_skips_displaces_nothing(tmp_path, write_log):
    """A line that is no record to a resume does not take a completed step's place."""
    bad = step("a", "failed", inputs=5)
    write_log(*[step("other", "running")] * 200, step("a", result=1), bad)
    for _ in range(2):
        with checkpoint.open(tmp_path, "run") as tracker:
            assert tracker.completed_steps() == ["a"]


def test_a_log_that_is_mostly_current_stays_as_it_is(tmp_path, write_log):
    """Starts and ends of a thousand steps are nothing to rewrite."""
    records = [record for n in range(1000) for record in (step(f"{n}", "running"), step(f"{n}"))]
    path = write_log(*records)
    inode = path.stat().st_ino
    checkpoint.open(tmp_path, "run").close()
    assert path.stat().st_ino == inode


def test_a_short_log_stays_as_it_is(tmp_path, write_log):
    """It is not worth it."""
    path = write_log(*[step("a", "running")] * 50)
    inode = path.stat().st_ino
    checkpoint.open(tmp_path, "run").close()
    assert path.stat().st_ino == inode


def test_a_compacted_log_is_not_compacted_again(tmp_path, write_log):
    """Whatever its statuses are, once is enough."""
    for status in ("pending", "skipped", "running", "failed", "completed"):
        path = write_log(*[step(f"{n % 30}", status) for n in range(1000)])
        checkpoint.open(tmp_path, "run").close()
        inode, size = path.stat().st_ino, path.stat().st_size
        assert len(read(path)) == 30
        checkpoint.open(tmp_path, "run").close()
        assert (path.stat().st_ino, path.stat().st_size) == (inode, size)


def test_bad_lines_are_dropped_and_the_future_is_kept(tmp_path, write_log):
    """After it mist-go, which stops at a bad line, reads the whole log again."""
    path = write_log(
        *[step("a", "running")] * 500,
        b"bad\n",
        step("a", "archived"),
        step("a", result=1),
        b'{"step":"b","sta',
    )
    with checkpoint.open(tmp_path, "run") as tracker:
        assert [problem.line for problem in tracker.problems] == [501, 502, 504]
        tracker.step_sync("c", lambda: 1)
    assert read(path) == [
        ("a", "running"),
        ("a", "archived"),
        ("a", "completed"),
        ("c", "running"),
        ("c", "completed"),
    ]


def test_results_in_files_that_nobody_needs_are_removed(tmp_path):
    """Those of superseded records, and what a crash has left of writing one."""
    with checkpoint.open(tmp_path, "run", spill_over=0) as tracker:
        for number in range(200):
            tracker.step_sync("a", lambda number=number: f"result {number}", inputs=number)
    (tmp_path / "run.data" / "half.tmp").write_text("half")
    assert len(list((tmp_path / "run.data").iterdir())) == 201
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.result("a") == "result 199"
    assert len(list((tmp_path / "run.data").iterdir())) == 1


def test_no_room_for_it_is_no_reason_not_to_open(tmp_path, write_log):
    """The log is good as it is."""
    path = write_log(*[step("a", "running")] * 500, step("a", result=1))
    (tmp_path / "run.tmp").mkdir()
    before = path.read_bytes()
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.result("a") == 1
        assert path.read_bytes() == before


def test_a_new_log_that_may_vanish_again_is_not_used(tmp_path, write_log, monkeypatch):
    """What is appended to it would be lost with it; nor is it taken for the old one."""
    write_log(*[step("a", "running")] * 500, step("a", result=1))

    def fail(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(disk, "sync_directory", fail)
        with pytest.raises(StorageError, match=r"cannot open .*run\.jsonl: Input/output error"):
            checkpoint.open(tmp_path, "run")
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.step_sync("b", lambda: 2) == 2
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.problems == ()
        assert tracker.completed_steps() == ["a", "b"]


def test_a_log_that_cannot_be_opened_again_says_why(tmp_path, write_log):
    """And is not closed twice, where its descriptor may be another file's by then."""
    write_log(*[step("a", "running")] * 500, step("a", result=1))
    closed = []

    class OpensOnce(LogFile):
        def __init__(self, path):
            if closed:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            super().__init__(path)

        def close(self):
            closed.append(self)
            super().close()

    with pytest.raises(StorageError, match="Too many open files") as caught:
        Tracker(tmp_path, "run", open_file=OpensOnce)
    assert caught.value.code == "unavailable"
    assert len(closed) == 1


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from(["pending", "running", "completed", "failed", "skipped", "archived"]),
        )
        | st.just(None)
    )
)
def test_a_compacted_log_says_the_same(tmp_path_factory, records):
    """The same steps are completed, by the same records; doing it twice changes nothing more."""
    directory = tmp_path_factory.mktemp("log")
    path, temporary = directory / "run.jsonl", directory / "run.tmp"
    path.write_bytes(
        b"".join(
            b"bad\n"
            if record is None
            else b'{"step":"%s","status":"%s","result":%d}\n'
            % (record[0].encode(), record[1].encode(), number)
            for number, record in enumerate(records)
        )
    )

    def completed():
        with contextlib.closing(LogFile(str(path))) as file:
            replay = Replay(file)
        return {name: bytes(entry.result) for name, entry in replay.completed.items()}

    before, lines = completed(), len(records)
    size = compact(str(path), str(temporary))
    assert completed() == before
    assert not temporary.exists()
    if size is None:
        assert path.read_bytes().count(b"\n") == lines
    else:
        assert path.stat().st_size == size
        assert path.read_bytes().count(b"\n") <= lines / 2


KILLED = """
import os, shutil, signal, sys, time
from mist import checkpoint
from mist.checkpoint import read_records
directory, original = sys.argv[1:]
outcomes, rounds = set(), 0
while rounds < 60 or (len(outcomes) < 2 and rounds < 2000):
    rounds += 1
    shutil.copy(original, directory + "/run.jsonl")
    child = os.fork()
    if child == 0:
        checkpoint.open(directory, "run")
        os._exit(0)
    time.sleep(rounds / 4000)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    outcomes.add(len(list(read_records(directory + "/run.jsonl"))))
    with checkpoint.open(directory, "run") as tracker:
        assert tracker.problems == ()
        assert tracker.completed_steps() == [str(n) for n in range(500)]
print(*sorted(outcomes))
"""


@pytest.mark.skipif(os.name == "nt", reason="kills with a signal, forks")
def test_killed_while_it_compacts_the_log_is_the_old_or_the_new_one(tmp_path, write_log, spawn):
    """At least sixty times, ever a little later: the run opens with all that it had."""
    original = write_log(*[step(f"{n}", result=n) for n in range(500)] * 9)
    (tmp_path / "runs").mkdir()
    process = spawn(KILLED, tmp_path / "runs", original)
    assert process.communicate(timeout=300)[0].split() == ["500", "4500"]
