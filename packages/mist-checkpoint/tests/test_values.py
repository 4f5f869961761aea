"""Results are kept whole, or not at all."""

import dataclasses
import datetime as dt
import hashlib
import math
import os
import threading
import tracemalloc

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mist import checkpoint
from mist.checkpoint import CheckpointError, InvalidValue, StorageError, disk


class Score(msgspec.Struct):
    """A result with a type."""

    suite: str
    value: float


@dataclasses.dataclass
class Point:
    """A result with another kind of type."""

    x: int
    y: int


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: (
        st.lists(children)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), children)
    ),
)


@settings(max_examples=100, deadline=None)
@given(json_values)
def test_json_values_come_back_as_they_were(tmp_path_factory, value):
    """From memory and from the log, inline and from a file."""
    directory = tmp_path_factory.mktemp("values")
    for spill_over in (0, 1 << 20):
        with checkpoint.open(directory, f"run-{spill_over}", spill_over=spill_over) as tracker:
            assert tracker.step_sync("a", lambda: value) == value
            assert tracker.result("a") == value
        with checkpoint.open(directory, f"run-{spill_over}") as tracker:
            assert tracker.result("a") == value


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (Score("math", 0.5), Score),
        (Point(1, 2), Point),
        ([Point(1, 2)], list[Point]),
        (dt.datetime(2026, 11, 20, tzinfo=dt.UTC), dt.datetime),
        (b"\0\xff", bytes),
        ({1, 2}, set[int]),
        ((1, "a"), tuple[int, str]),
        ({1: "a"}, dict[int, str]),
        (None, type(None)),
        (None, int | None),
    ],
)
def test_with_a_type_a_resumed_step_returns_what_the_first_one_did(tmp_path, value, type_):
    """`step` and `result` convert; a caller cannot tell whether the step ran now or earlier."""
    for _ in range(2):
        with checkpoint.open(tmp_path, "run") as tracker:
            assert tracker.step_sync("a", lambda: value, type_) == value
            assert tracker.result("a", type_) == value


def test_without_a_type_a_resumed_step_returns_plain_values(tmp_path):
    """The run that computes it has the object itself."""
    score = Score("math", 0.5)
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.step_sync("a", lambda: score) is score
        assert tracker.result("a") == {"suite": "math", "value": 0.5}
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.step_sync("a", lambda: score) == {"suite": "math", "value": 0.5}


def test_a_result_of_another_type_is_a_clear_error(tmp_path):
    """It names the step, the type and the field."""
    with checkpoint.open(tmp_path, "run") as tracker:
        tracker.step_sync("a", lambda: {"suite": "math", "value": "high"})
        with pytest.raises(InvalidValue, match=r"result of step 'a' is no Score: .*\$\.value"):
            tracker.result("a", Score)
        with pytest.raises(InvalidValue, match="is no Score"):
            tracker.step_sync("b", lambda: {"suite": 1}, Score)
        assert not tracker.is_completed("b")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (object(), "object is unsupported"),
        ({"a": [1, {"b": math.nan}]}, r"\$\.a\[1\]\.b is NaN"),
        ([None, math.inf], r"\$\[1\] is NaN or infinite"),
        (Score("math", -math.inf), r"\$\.value is NaN"),
        ("\ud800", "surrogates"),
        (msgspec.Raw(b"{not json"), "malformed"),
        (lambda: 1, "function is unsupported"),
    ],
)
def test_what_does_not_encode_is_not_recorded_as_completed(tmp_path, log, value, reason):
    """mist-go drops such a record without a word; msgspec alone makes NaN a null."""
    with checkpoint.open(tmp_path, "run") as tracker:
        with pytest.raises(InvalidValue, match=reason) as caught:
            tracker.step_sync("a", lambda: value)
        assert caught.value.code == "validation"
        assert not tracker.is_completed("a")
    assert [record["status"] for record in log()] == ["running", "failed"]


def test_a_circular_result_is_an_error(tmp_path):
    """Not a crash, and not an endless file."""
    circle = []
    circle.append(circle)
    with (
        checkpoint.open(tmp_path, "run") as tracker,
        pytest.raises(InvalidValue, match="recursion"),
    ):
        tracker.step_sync("a", lambda: circle)


def test_raw_json_with_line_ends_stays_one_line(tmp_path):
    """A result that brings its own JSON cannot tear the log."""
    with checkpoint.open(tmp_path, "run") as tracker:
        tracker.step_sync("a", lambda: msgspec.Raw(b'{\n"x": [1,\n2]\n}'))
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.problems == ()
        assert tracker.result("a") == {"x": [1, 2]}


def test_raw_json_with_a_null_is_no_nan(tmp_path):
    """What a struct holds as raw JSON is not searched for numbers that are none."""
    with checkpoint.open(tmp_path, "run") as tracker:
        tracker.step_sync("a", lambda: {"raw": msgspec.Raw(b"null"), "none": None})
        assert tracker.result("a") == {"raw": None, "none": None}


def test_a_large_result_has_a_file_named_by_its_content(tmp_path, log):
    """The log stays small; the content is found by its SHA-256; the same content is kept once."""
    text = "x" * 2_000_000
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.step_sync("a", lambda: text) == text
        tracker.step_sync("b", lambda: text)
        tracker.step_sync("small", lambda: "y" * 1_000_000)
    content = f'"{text}"'.encode()
    (file,) = (tmp_path / "run.data").iterdir()
    assert file.name == hashlib.sha256(content).hexdigest() + ".json"
    assert file.read_bytes() == content
    assert log()[1]["result_file"] == file.stem
    assert "result" not in log()[1]
    assert (tmp_path / "run.jsonl").stat().st_size < 1_100_000
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.step_sync("a", lambda: 0) == text
        assert tracker.result("b", str) == text


async def test_large_results_are_written_and_read_off_the_loop(tmp_path):
    """In an event loop too, where no blocking call is allowed."""
    text = "x" * 2_000_000

    async def work():
        return text

    for _ in range(2):
        async with checkpoint.open(tmp_path, "run") as tracker:
            assert await tracker.step("a", work) == text


def test_large_results_do_not_stay_in_memory(tmp_path):
    """Ten results of 4 MB leave less than one of them behind."""
    with checkpoint.open(tmp_path, "run") as tracker:
        tracemalloc.start()
        for number in range(10):
            tracker.step_sync(f"step-{number}", lambda: "x" * 4_000_000)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert held < 4_000_000


def test_a_large_result_is_synced_before_its_record_is_written(monkeypatch, troubled):
    """Or a crash could leave a completed step whose result is not there."""
    tracker, file = troubled(spill_over=0)
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: file.history.append(("fsync", fd)) or fsync(fd))
    monkeypatch.setattr(disk, "sync_file", os.fsync)
    monkeypatch.setattr(
        os, "replace", lambda *a: file.history.append(("replace", a)) or replace(*a)
    )
    tracker.step_sync("a", lambda: 1)
    kinds = [
        "record" if kind == "append" else kind
        for kind, data in file.history
        if kind != "append" or b"completed" in data
    ]
    assert kinds == [
        "fsync",  # the run's directory, which has a new directory in it
        "fsync",  # the result
        "replace",
        "fsync",  # the directory of results
        "record",
        "sync",
    ]


def test_a_damaged_result_file_is_noticed(tmp_path):
    """Its content is held against its name each time that it is read."""
    with checkpoint.open(tmp_path, "run", spill_over=0) as tracker:
        tracker.step_sync("a", lambda: "result")
    (file,) = (tmp_path / "run.data").iterdir()
    file.write_bytes(b'"resulT"')
    with checkpoint.open(tmp_path, "run") as tracker:
        with pytest.raises(CheckpointError, match="damaged"):
            tracker.result("a")
        with pytest.raises(CheckpointError, match="damaged"):
            tracker.step_sync("a", lambda: pytest.fail("a completed step ran again"))
        file.unlink()
        with pytest.raises(StorageError, match="cannot read the result") as caught:
            tracker.result("a")
        assert caught.value.code == "not_found"


def test_a_log_cannot_name_a_file_elsewhere(tmp_path, write_log):
    """The name of a result is a SHA-256 and nothing else."""
    (tmp_path / "secret.json").write_text('"secret"')
    write_log({"step": "a", "status": "completed", "result_file": "../secret"})
    with (
        checkpoint.open(tmp_path, "run") as tracker,
        pytest.raises(CheckpointError, match="not the name"),
    ):
        tracker.result("a")


def test_steps_with_the_same_large_result_at_the_same_time(tmp_path):
    """Eight threads put the same content."""
    with checkpoint.open(tmp_path, "run", spill_over=0) as tracker:
        threads = [
            threading.Thread(
                target=tracker.step_sync, args=[str(number), lambda: "the same" * 10_000]
            )
            for number in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(tracker.completed_steps()) == 8
    assert len(list((tmp_path / "run.data").iterdir())) == 1


@pytest.mark.parametrize("size", [-1, -100])
def test_a_negative_limit_is_refused(tmp_path, size):
    """The code is `validation`."""
    with pytest.raises(InvalidValue, match="spill_over"):
        checkpoint.open(tmp_path, "run", spill_over=size)
