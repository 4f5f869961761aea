"""A log of mist-go resumes here, and ours resumes there."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from mist import checkpoint
from mist.checkpoint import Status, read_records
from mist.checkpoint.log_file import LogFile
from mist.checkpoint.replay import Replay


def completed_in_go(data):
    """Replay a log as mist-go's `replay` does; like it, stop at what is no record."""
    completed = {}
    for line in data.decode().splitlines():
        record = json.loads(line)
        if record["status"] == "completed":
            completed[record["step"]] = record.get("result")
        elif record["status"] in {"failed", "running"}:
            completed.pop(record["step"], None)
    return completed


def test_a_whole_log_of_mist_go_resumes(golden, tmp_path):
    """What it completed is not run again, and has the results that mist-go recorded."""
    data = (golden / "checkpoint" / "complete-run.jsonl").read_bytes()
    (tmp_path / "complete-run.jsonl").write_bytes(data)
    with checkpoint.open(tmp_path, "complete-run") as tracker:
        assert tracker.problems == ()
        assert {name: tracker.result(name) for name in tracker.completed_steps()} == {
            "fetch-dataset": [{"id": 1, "q": "2<3?"}, {"id": 2, "q": "世界"}],
            "none": None,
            "scalar": 3.5,
            "run-inference": {"ok": True},
        }
        assert tracker.step_sync("scalar", lambda: 0 / 0) == 3.5
        assert tracker.step_sync("none", lambda: 0 / 0) is None
        assert tracker.step_sync("failing", lambda: "mended") == "mended"
    after = (tmp_path / "complete-run.jsonl").read_bytes()
    assert after.startswith(data)
    assert completed_in_go(after) == completed_in_go(data) | {"failing": "mended"}


def test_mist_gos_records_are_read_in_full(golden):
    """Attempts, errors and timestamps come as they were written."""
    path = golden / "checkpoint" / "complete-run.jsonl"
    records = list(read_records(path))
    assert len(records) == 14
    assert records[7].status == Status.FAILED
    assert (records[7].step, records[7].error) == ("run-inference", "connection refused")
    assert (records[7].attempt, records[7].timestamp) == (1, "2026-11-20T17:20:33.988499113Z")
    assert bytes(records[5].result) == b"3.5"


def test_what_only_we_write_does_not_disturb_mist_go(tmp_path):
    """A result in a file is no result to mist-go, and keys that it does not know are ignored."""
    with checkpoint.open(tmp_path, "run", spill_over=10) as tracker:
        tracker.step_sync("large", lambda: "x" * 100)
        tracker.step_sync("small", lambda: 1, inputs=[1])
    data = (tmp_path / "run.jsonl").read_bytes()
    assert completed_in_go(data) == {"large": None, "small": 1}


STATUSES = ["pending", "running", "completed", "failed", "skipped"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(STATUSES), st.integers(0, 9))))
def test_any_order_of_records_leaves_what_it_leaves_in_mist_go(tmp_path_factory, records):
    """The same steps are completed, with the same results, also after another line of ours."""
    directory = tmp_path_factory.mktemp("log")
    data = b"".join(
        json.dumps({"step": step, "status": status, "timestamp": "", "result": result}).encode()
        + b"\n"
        for step, status, result in records
    )
    (directory / "run.jsonl").write_bytes(data)
    file = LogFile(str(directory / "run.jsonl"))
    replay = Replay(file)
    file.close()
    assert {
        name: json.loads(bytes(entry.result)) for name, entry in replay.completed.items()
    } == completed_in_go(data)
