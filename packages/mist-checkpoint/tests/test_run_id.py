"""Run ids are those of mist-go, and nothing that could leave the directory."""

import json

import pytest

from mist import checkpoint
from mist.checkpoint import CheckpointError, valid_run_id


def test_run_ids_are_judged_as_mist_go_judges_them(golden):
    """Every verdict in the golden file is ours too."""
    lines = (golden / "checkpoint_run_ids.jsonl").read_bytes().splitlines()
    cases = [json.loads(line) for line in lines]
    assert cases
    for case in cases:
        assert valid_run_id(case["run_id"]) == case["valid"], case


BAD = ["", "a/b", "..", ".", "a\n", "\n", "a b", "a\0", "a\\b", "x" * 256, "é", "Ⅷ", "٣", "a.b"]
BAD += [None, 7, b"a", ["a"]]


@pytest.mark.parametrize("run_id", BAD)
def test_a_bad_run_id_opens_nothing(tmp_path, run_id):
    """The error is a ValueError with the code `validation`, and not even the directory is made."""
    assert not valid_run_id(run_id)
    with pytest.raises(CheckpointError, match="run id") as caught:
        checkpoint.open(tmp_path / "runs", run_id)
    assert isinstance(caught.value, ValueError)
    assert caught.value.code == "validation"
    assert not (tmp_path / "runs").exists()


def test_the_longest_run_id_that_the_file_system_takes_works(tmp_path):
    """No file of a run has a longer name than its log."""
    run_id = "x" * 249
    with checkpoint.open(tmp_path, run_id, spill_over=0) as tracker:
        assert tracker.step_sync("a", lambda: "kept in a file") == "kept in a file"
    with checkpoint.open(tmp_path, run_id) as tracker:
        assert tracker.result("a") == "kept in a file"


def test_a_valid_id_that_the_file_system_refuses_is_a_clear_error(tmp_path):
    """255 characters are a valid id, and with a suffix too long a name for most file systems."""
    with pytest.raises(CheckpointError, match="name too long") as caught:
        checkpoint.open(tmp_path, "x" * 255)
    assert caught.value.code == "validation"
