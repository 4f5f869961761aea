"""A step runs once, returns its result, and leaves it in the log for the next run."""

import asyncio
import os
import re
import stat
import threading

import pytest

from mist import checkpoint
from mist.checkpoint import CheckpointError, InvalidValue, Status, disk


async def seven():
    """Return a result."""
    return 7


def test_a_step_runs_once_in_all_runs(tmp_path):
    """The second run returns the first one's result and does not call the function."""
    calls = []
    for _ in range(3):
        with checkpoint.open(tmp_path, "run") as tracker:
            result = tracker.step_sync("download", lambda: calls.append(1) or {"rows": [1, None]})
            assert result == {"rows": [1, None]}
            assert tracker.is_completed("download")
            assert tracker.result("download") == {"rows": [1, None]}
            assert tracker.completed_steps() == ["download"]
    assert calls == [1]


async def test_an_async_step_runs_once_in_all_runs(tmp_path):
    """The same in an event loop, nothing of which blocks it."""
    calls = []

    async def download():
        calls.append(1)
        await asyncio.sleep(0)
        return {"rows": 3}

    for _ in range(3):
        async with checkpoint.open(tmp_path, "run") as tracker:
            assert await tracker.step("download", download) == {"rows": 3}
            assert tracker.run_id == "run"
    assert calls == [1]


async def test_a_tracker_that_is_not_entered_opens_with_its_first_step(tmp_path):
    """`open` in an event loop reads nothing yet; the first steps do, off the loop."""
    tracker = checkpoint.open(tmp_path, "run")
    assert await asyncio.gather(*(tracker.step(name, seven) for name in "abc")) == [7, 7, 7]
    tracker.close()
    tracker = checkpoint.open(tmp_path, "run")
    assert await tracker.step("d", seven) == 7
    assert set(tracker.completed_steps()) == {"a", "b", "c", "d"}
    tracker.close()


def test_the_log_is_as_mist_go_writes_it(tmp_path, log):
    """Keys come in its order; what is empty is left out; timestamps have nanoseconds and a Z."""
    with checkpoint.open(tmp_path, "run") as tracker:
        tracker.step_sync("a", lambda: {"x": "<é>"})
        tracker.step_sync("none", lambda: None)
        tracker.step_retry_sync("retried", 1, lambda: 3.5)
        with pytest.raises(RuntimeError):
            tracker.step_sync("bad", lambda: (_ for _ in ()).throw(RuntimeError("oops")).__next__())
    records = log()
    assert all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", record["timestamp"])
        for record in records
    )
    shapes = [
        {key: value for key, value in record.items() if key != "timestamp"} for record in records
    ]
    assert shapes == [
        {"step": "a", "status": "running"},
        {"step": "a", "status": "completed", "result": {"x": "<é>"}},
        {"step": "none", "status": "running"},
        {"step": "none", "status": "completed"},
        {"step": "retried", "status": "running", "attempt": 1},
        {"step": "retried", "status": "completed", "result": 3.5, "attempt": 1},
        {"step": "bad", "status": "running"},
        {"step": "bad", "status": "failed", "error": "oops"},
    ]
    order = ["step", "status", "timestamp", "result", "error", "attempt"]
    for record in records:
        assert list(record) == sorted(record, key=order.index)


@pytest.mark.skipif(os.name == "nt", reason="Windows syncs no directories")
def test_the_names_of_all_new_directories_are_safe_on_the_disk(tmp_path, monkeypatch):
    """Or a loss of power could take the run away with one that is further up."""
    synced = []
    sync = disk.sync_directory
    monkeypatch.setattr(disk, "sync_directory", lambda path: synced.append(path) or sync(path))
    with checkpoint.open(tmp_path / "a" / "b" / "runs", "run"):
        pass
    made = ["", "a", "a/b", "a/b/runs"]
    assert synced == [str(tmp_path / name) for name in made]


def test_the_files_are_for_their_owner_alone(tmp_path):
    """The directories have mode 0700, every file in them 0600."""
    with checkpoint.open(tmp_path / "tool" / "runs", "run", spill_over=2) as tracker:
        tracker.step_sync("a", lambda: "large")
    directory = tmp_path / "tool"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for path in directory.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_failed_step_raises_its_error_and_runs_again(tmp_path):
    """The error is the function's own; the next run tries again."""
    error = RuntimeError("oops")

    def fail():
        raise error

    with checkpoint.open(tmp_path, "run") as tracker:
        with pytest.raises(RuntimeError) as caught:
            tracker.step_sync("a", fail)
        assert caught.value is error
        assert not tracker.is_completed("a")
    with checkpoint.open(tmp_path, "run") as tracker:
        assert not tracker.is_completed("a")
        assert tracker.step_sync("a", lambda: 1) == 1
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.completed_steps() == ["a"]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError(), "ValueError"),
        (ValueError("bad \ud800 text\nin two lines"), "bad \\ud800 text\nin two lines"),
        (ValueError("x" * 100_000), "x" * 4096),
    ],
)
def test_any_error_can_be_recorded(tmp_path, log, error, text):
    """One without a text has its type's name; one that is endless is cut."""

    def fail():
        raise error

    with checkpoint.open(tmp_path, "run") as tracker, pytest.raises(ValueError, match=r".*"):
        tracker.step_sync("a", fail)
    assert log()[-1]["error"] == text


def test_an_error_whose_text_cannot_be_had_is_recorded(tmp_path, log):
    """A broken `__str__` does not hide that the step failed."""

    class Mute(Exception):
        def __str__(self):
            raise ZeroDivisionError

    def fail():
        raise Mute

    with checkpoint.open(tmp_path, "run") as tracker, pytest.raises(Mute):
        tracker.step_sync("a", fail)
    assert log()[-1]["error"] == "Mute"


def test_a_result_that_was_not_computed_is_none(tmp_path):
    """As in mist-go; asked for as a type, it is an error with the code `not_found`."""
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.result("a") is None
        with pytest.raises(CheckpointError, match="not completed") as caught:
            tracker.result("a", int)
        assert caught.value.code == "not_found"


@pytest.mark.parametrize("name", ["", None, 3, "\ud800"])
def test_a_name_that_is_no_text_is_refused(tmp_path, name, log):
    """Nothing is called and nothing recorded."""
    refused = pytest.raises(InvalidValue, match="step name")
    with checkpoint.open(tmp_path, "run") as tracker, refused:
        tracker.step_sync(name, lambda: pytest.fail("called"))
    assert log() == []


def test_any_other_text_is_a_name(tmp_path):
    """Line ends, quotes and a million characters among them."""
    names = ["a\nb", '"', "世界", "a\0b", "x" * 1_000_000, " "]
    for _ in range(2):
        with checkpoint.open(tmp_path, "run") as tracker:
            for name in names:
                assert tracker.step_sync(name, lambda name=name: len(name)) == len(name)
            assert tracker.completed_steps() == names


async def test_a_plain_function_given_to_an_async_step_is_named(tmp_path):
    """And the other way round; neither leaves a coroutine that was never awaited."""
    async with checkpoint.open(tmp_path, "run") as tracker:
        with pytest.raises(InvalidValue, match="step_sync"):
            await tracker.step("a", lambda: 1)
    with await asyncio.to_thread(checkpoint.open, tmp_path, "run") as tracker:
        with pytest.raises(InvalidValue, match="give it a plain function"):
            await asyncio.to_thread(tracker.step_sync, "a", seven)
        assert tracker.completed_steps() == []


def test_steps_inside_steps(tmp_path):
    """A step may be made of steps, which are kept even if it fails itself."""

    def outer(tracker, fail):
        value = tracker.step_sync("inner", lambda: 1)
        if fail:
            raise RuntimeError
        return value + 1

    with checkpoint.open(tmp_path, "run") as tracker:
        with pytest.raises(RuntimeError):
            tracker.step_sync("outer", lambda: outer(tracker, fail=True))
        assert tracker.completed_steps() == ["inner"]
        assert tracker.step_sync("outer", lambda: outer(tracker, fail=False)) == 2


def test_reset_forgets_everything_and_the_log_goes_on(tmp_path, log):
    """mist-go writes on into a deleted file; here what follows a reset is there in the next run."""
    with checkpoint.open(tmp_path, "run", spill_over=3) as tracker:
        tracker.step_sync("a", lambda: "a large result")
        tracker.reset()
        assert not tracker.is_completed("a")
        assert not (tmp_path / "run.data").exists()
        assert log() == []
        tracker.step_sync("b", lambda: 2)
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.completed_steps() == ["b"]
        assert tracker.result("b") == 2


def test_reset_is_refused_while_a_step_is_under_way(tmp_path):
    """The step would be recorded as completed in a log that has never heard of it."""
    with checkpoint.open(tmp_path, "run") as tracker:

        def reset():
            with pytest.raises(CheckpointError, match="under way: a") as caught:
                tracker.reset()
            assert caught.value.code == "conflict"

        tracker.step_sync("a", reset)


def test_a_closed_run_takes_no_steps_but_answers(tmp_path):
    """Closing twice is once; what was completed can be asked for, also from a file."""
    tracker = checkpoint.open(tmp_path, "run", spill_over=3)
    tracker.step_sync("a", lambda: "a large result")
    tracker.close()
    tracker.close()
    assert tracker.completed_steps() == ["a"]
    assert tracker.result("a") == "a large result"
    with pytest.raises(CheckpointError, match="closed") as caught:
        tracker.step_sync("b", lambda: pytest.fail("called"))
    assert caught.value.code == "conflict"
    with pytest.raises(CheckpointError, match="closed"), tracker:
        tracker.reset()


def test_a_run_closed_under_a_step_is_an_error_of_that_step(tmp_path):
    """What cannot be recorded is not taken for done."""
    tracker = checkpoint.open(tmp_path, "run")
    with pytest.raises(CheckpointError, match="closed"):
        tracker.step_sync("a", tracker.close)
    assert not tracker.is_completed("a")
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.completed_steps() == []


def test_a_failure_that_a_closed_run_cannot_record_is_a_note(tmp_path):
    """The error is still the step's own."""
    tracker = checkpoint.open(tmp_path, "run")

    def work():
        tracker.close()
        raise ValueError("no")

    with pytest.raises(ValueError, match="no") as caught:
        tracker.step_sync("a", work)
    (note,) = caught.value.__notes__
    assert note.startswith("the failure of step 'a' was not recorded: ")


def test_any_awaitable_from_a_sync_step_is_named(tmp_path):
    """One that is no coroutine as well."""

    class Later:
        def __await__(self):
            yield

    tracker = checkpoint.open(tmp_path, "run")
    with tracker, pytest.raises(InvalidValue, match="returned an awaitable"):
        tracker.step_sync("a", Later)


async def test_a_tracker_shows_whether_it_is_open(tmp_path):
    """Its repr names the run."""
    tracker = checkpoint.open(tmp_path, "run")
    shown = [repr(tracker)]
    async with tracker:
        shown.append(repr(tracker))
    assert [*shown, repr(tracker)] == [
        "<Tracker 'run' not open yet>",
        "<Tracker 'run' open>",
        "<Tracker 'run' closed>",
    ]


@pytest.mark.parametrize("directory", ["", b"", "a\0b"])
def test_a_directory_has_a_name(directory):
    """An empty one would put the lock into the root directory."""
    with pytest.raises(InvalidValue, match=r"dir is .*: it must name a directory"):
        checkpoint.open(directory, "run")


def test_a_directory_may_be_named_in_bytes(tmp_path):
    """As everywhere in Python."""
    with checkpoint.open(os.fsencode(tmp_path), "run") as tracker:
        assert tracker.step_sync("a", lambda: 1) == 1
    assert (tmp_path / "run.jsonl").exists()


def test_a_relative_directory_is_the_one_it_was(tmp_path, monkeypatch):
    """The run goes on in the same place after the working directory has changed."""
    monkeypatch.chdir(tmp_path)
    with checkpoint.open("runs", "run", spill_over=0) as tracker:
        monkeypatch.chdir("/")
        tracker.step_sync("a", lambda: 1)
        assert tracker.result("a") == 1
        assert tracker.path == str(tmp_path / "runs" / "run.jsonl")


def test_threads_take_steps_of_one_run(tmp_path, log):
    """Sixteen threads, twenty steps each, and every step is there once."""
    with checkpoint.open(tmp_path, "run") as tracker:

        def work(thread):
            for number in range(20):
                name = f"{thread}-{number}"
                assert tracker.step_sync(name, lambda name=name: name) == name

        threads = [threading.Thread(target=work, args=[thread]) for thread in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(tracker.completed_steps()) == 320
    completed = [record["step"] for record in log() if record["status"] == Status.COMPLETED]
    assert len(completed) == len(set(completed)) == 320


def test_threads_and_loops_share_one_run(tmp_path):
    """Event loops in several threads and plain threads use the same tracker at once."""
    with checkpoint.open(tmp_path, "run") as tracker:

        async def steps(prefix):
            async def give(name):
                await asyncio.sleep(0)
                return name

            names = [f"{prefix}-{number}" for number in range(50)]
            return await asyncio.gather(
                *(tracker.step(name, lambda name=name: give(name)) for name in names)
            )

        threads = [threading.Thread(target=asyncio.run, args=[steps(n)]) for n in range(4)]
        for thread in threads:
            thread.start()
        for number in range(50):
            tracker.step_sync(f"plain-{number}", lambda number=number: number)
        for thread in threads:
            thread.join()
    with checkpoint.open(tmp_path, "run") as tracker:
        assert len(tracker.completed_steps()) == 250
