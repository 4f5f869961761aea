"""What is wrong with a log is skipped and reported; everything else counts."""

import json
import logging

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mist import checkpoint
from mist.checkpoint import Problem, read_records


def step(name, status="completed", **more):
    """Return a record."""
    return {"step": name, "status": status, **more}


def test_bad_lines_are_skipped_and_reported_with_their_numbers(tmp_path, write_log, caplog):
    """mist-go forgets everything after the first of them; here what follows counts."""
    write_log(
        step("a"),
        b"not json\n",
        b'{"step":"half","status":"comp\n',
        step("b"),
        b"\n",
        b'{"step":3,"status":"completed"}\n',
        b'{"status":"completed"}\n',
        b"[1]\n",
        b"\xff\xfe\n",
        b"\0" * 100 + b"\n",
        b"[" * 100_000 + b"\n",
        step("c"),
    )
    with (
        caplog.at_level(logging.WARNING, "mist.checkpoint"),
        checkpoint.open(tmp_path, "run") as tracker,
    ):
        assert tracker.completed_steps() == ["a", "b", "c"]
        assert [problem.line for problem in tracker.problems] == [2, 3, 6, 7, 8, 9, 10, 11]
        assert tracker.problem_count == 8
        assert str(tracker.problems[0]) == "line 2: torn or not JSON"
        assert "str" in tracker.problems[2].reason
    assert "8 lines skipped: line 2: torn or not JSON" in caplog.text


@pytest.mark.parametrize(
    ("bad", "numbers"),
    [
        (b'{"step":"a","status":"completed","result":[1\n]}\n', [2, 3]),
        (b'{"step":"a","status":"completed"}{"step":"b","status":"completed"}\n', [2]),
        (
            b'{"step":"a","status":"completed","result":\n{}}{"step":"b","status":"completed"}\n',
            [2, 3],
        ),
        (b'{"step":"a",\n"status":"completed"}{"step":"b","status":"completed"}\n', [2, 3]),
    ],
)
def test_a_record_is_one_line_and_a_line_is_one_record(tmp_path, write_log, bad, numbers):
    """What is fused or broken counts no more when a run is resumed than to any other reader."""
    path = write_log(step("first"), bad, step("last"))
    assert [record.step for record in read_records(path)] == ["first", "last"]
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.completed_steps() == ["first", "last"]
        assert [problem.line for problem in tracker.problems] == numbers


def test_reports_are_bounded(tmp_path, write_log):
    """A hundred are kept, the rest is counted."""
    write_log(b"x\n" * 10_000, step("a"))
    with checkpoint.open(tmp_path, "run") as tracker:
        assert len(tracker.problems) == 100
        assert tracker.problem_count == 10_000
        assert tracker.completed_steps() == ["a"]


def test_a_log_from_the_future_is_reported_and_not_fatal(tmp_path, write_log):
    """A status that is not known changes nothing; keys that are not known are ignored."""
    write_log(
        step("a", result=1),
        step("a", "archived"),
        step("b", "archived", shard={"n": 1}),
        step("c", shard={"n": 1}),
    )
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.completed_steps() == ["a", "c"]
        assert [problem.line for problem in tracker.problems] == [2, 3]
        assert "unknown status 'archived'" in tracker.problems[0].reason
        assert tracker.step_sync("b", lambda: 2) == 2


def test_running_and_failed_mean_not_completed(tmp_path, write_log):
    """Whatever was there before; `pending` and `skipped` change nothing, as in mist-go."""
    write_log(
        *(step(name) for name in ("running", "failed", "pending", "skipped")),
        *(step(name, name) for name in ("running", "failed", "pending", "skipped")),
    )
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.completed_steps() == ["pending", "skipped"]


def test_crlf_and_blank_lines_are_read(tmp_path, write_log):
    """A log that went through Windows' hands is a log."""
    write_log(b'{"step":"a","status":"completed","result":"x"}\r\n', b"\r\n", b"  \n", step("b"))
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.completed_steps() == ["a", "b"]
        assert tracker.result("a") == "x"
        assert tracker.problems == ()


def test_a_torn_tail_is_cut_before_the_first_append(tmp_path, write_log, log):
    """It is reported; the file is left alone until there is something to write."""
    path = write_log(step("a"), b'{"step":"b","status":"comp')
    before = path.read_bytes()
    with checkpoint.open(tmp_path, "run") as tracker:
        assert [problem.line for problem in tracker.problems] == [2]
        assert path.read_bytes() == before
        tracker.step_sync("c", lambda: 3)
    assert [record["step"] for record in log()] == ["a", "c", "c"]


def test_a_last_record_without_newline_counts(tmp_path, write_log, log):
    """It lacks nothing else; what follows begins on a line of its own."""
    write_log(step("a"), b'{"step":"b","status":"completed","result":2}')
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.result("b") == 2
        assert tracker.problems == ()
        tracker.step_sync("c", lambda: 3)
        tracker.step_sync("d", lambda: 4)
    assert [record["step"] for record in log()] == ["a", "b", "c", "c", "d", "d"]


def completed_by(line):
    """Return the step that a line completes, None where it is torn or says something else."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record["step"] if record["status"] == "completed" else None


def test_wherever_the_log_is_torn_what_was_whole_counts(tmp_path_factory):
    """Cut at every byte: the whole records count, one step more is recorded and read back."""
    directory = tmp_path_factory.mktemp("torn")
    with checkpoint.open(directory, "whole") as tracker:
        for name in "abc":
            tracker.step_sync(name, lambda name=name: {"é": name})
    data = (directory / "whole.jsonl").read_bytes()
    for size in range(len(data) + 1):
        path = directory / "torn.jsonl"
        path.write_bytes(data[:size])
        whole = [name for line in data[:size].split(b"\n") if (name := completed_by(line))]
        for _ in range(2):
            with checkpoint.open(directory, "torn") as tracker:
                assert [n for n in tracker.completed_steps() if n != "new"] == whole
                assert tracker.step_sync("new", lambda: 1) == 1
        with checkpoint.open(directory, "torn") as tracker:
            assert tracker.problems == ()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
@example(b"{}\n")
@example(b'{"step":"a","status":"completed"}{"step":"b","status":"completed"}\n')
def test_no_bytes_keep_a_run_from_opening(tmp_path_factory, data):
    """Whatever is in the file, the run opens, and what it does then is there the next time."""
    directory = tmp_path_factory.mktemp("fuzz")
    (directory / "run.jsonl").write_bytes(data)
    with checkpoint.open(directory, "run") as tracker:
        assert tracker.step_sync("new step", lambda: 1) == 1
    with checkpoint.open(directory, "run") as tracker:
        assert tracker.is_completed("new step")


def test_a_log_larger_than_a_chunk_is_read_whole(tmp_path, write_log):
    """Records cross the borders of what is read at a time; one is larger than that itself."""
    records = [step(f"step-{number}", result="x" * 1000) for number in range(3000)]
    write_log(*records, step("large", result="y" * 3_000_000), step("last"))
    with checkpoint.open(tmp_path, "run") as tracker:
        assert len(tracker.completed_steps()) == 3002
        assert tracker.result("large") == "y" * 3_000_000
        assert tracker.result("step-2999") == "x" * 1000


def test_line_numbers_count_on_from_chunk_to_chunk(tmp_path, write_log):
    """A bad line far into the file has the number that an editor shows."""
    write_log(*[step("a", result="x" * 1000)] * 5000, b"bad\n", step("b"))
    with checkpoint.open(tmp_path, "run") as tracker:
        assert [problem.line for problem in tracker.problems] == [5001]


def test_what_a_resumed_run_trusts_is_synced_first(write_log, troubled):
    """A killed run may have left records that are not on the disk yet."""
    write_log(step("a"))
    _, file = troubled()
    assert file.history == [("sync", b"")]


def test_a_log_that_is_a_directory_is_a_clear_error(tmp_path):
    """The code is `validation`."""
    (tmp_path / "run.jsonl").mkdir()
    with pytest.raises(OSError, match="directory") as caught:
        checkpoint.open(tmp_path, "run")
    assert caught.value.code == "validation"


def test_reading_records_of_a_log(write_log):
    """Every record in its order, unknown statuses too; lines that are none are reported."""
    path = write_log(step("a"), b"bad\n", step("b", "archived"), b"\n", b'{"step":"c","sta')
    problems = []
    records = list(read_records(path, on_problem=problems.append))
    assert [(record.step, record.status) for record in records] == [
        ("a", "completed"),
        ("b", "archived"),
    ]
    assert problems == [
        Problem(2, "torn or not JSON"),
        Problem(5, "torn or not JSON"),
    ]
    assert len(list(read_records(path))) == 2
