"""Files that somebody else has put where a run keeps its own."""

import json
import os
import stat
from pathlib import Path

import pytest

from mist import checkpoint
from mist.checkpoint import CheckpointError, InvalidValue, StorageError

pytestmark = pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="links are followed here")


def _mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


def _superseded(count=300):
    record = {"step": "a", "status": "running", "timestamp": "2024-01-01T00:00:00Z"}
    return "".join(json.dumps(record | {"attempt": n}) + "\n" for n in range(count))


@pytest.mark.parametrize("suffix", [".jsonl", ".lock"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_is_refused_and_what_it_leads_to_left_alone(tmp_path, suffix, exists):
    """Whoever put it there chooses nothing that is written to."""
    target = tmp_path / "target"
    if exists:
        target.write_text("theirs")
    runs = tmp_path / "runs"
    runs.mkdir()
    (runs / f"run{suffix}").symlink_to(target)
    with pytest.raises(StorageError) as caught:
        checkpoint.open(runs, "run")
    assert caught.value.code == "validation"
    assert (target.read_text() if exists else target.exists()) == ("theirs" if exists else False)


@pytest.mark.parametrize("plant", [Path.symlink_to, Path.hardlink_to], ids=["symlink", "hardlink"])
def test_compaction_does_not_write_through_a_link(tmp_path, plant):
    """Its temporary file is a new one, whatever has its name."""
    target = tmp_path / "target"
    target.write_text("theirs")
    log = tmp_path / "run.jsonl"
    log.write_text(_superseded())
    plant(tmp_path / "run.tmp", target)
    with checkpoint.open(tmp_path, "run"):
        pass
    assert target.read_text() == "theirs"
    assert len(log.read_text().splitlines()) < 10  # it was compacted all the same
    assert not log.is_symlink()


def test_a_directory_keeps_its_mode_and_its_files_are_private(tmp_path):
    """A directory of the user's choice is not changed; the files in it are nobody else's."""
    shared, made = tmp_path / "shared", tmp_path / "made" / "deep"
    shared.mkdir()
    shared.chmod(0o755)
    for directory in (shared, made):
        with checkpoint.open(directory, "run", spill_over=10) as tracker:
            tracker.step_sync("large", lambda: "x" * 100)
    assert _mode(shared) == 0o755
    assert _mode(made) == 0o700
    for directory in (shared, made):
        found = {path.name: _mode(path) for path in directory.rglob("*")}
        assert len(found) == 4
        assert {mode for name, mode in found.items() if not name.endswith(".data")} == {0o600}
        assert found["run.data"] == 0o700


@pytest.mark.parametrize(
    "run_id", ["", ".", "..", "a/b", "../a", "a\\b", "a\0b", "a\n", "a.b", "\u0430", "x" * 256]
)
def test_a_run_id_leads_nowhere_else(tmp_path, run_id):
    """It is refused before anything is made."""
    with pytest.raises(InvalidValue):
        checkpoint.open(tmp_path / "runs", run_id)
    assert not (tmp_path / "runs").exists()


def test_the_name_of_a_result_leads_nowhere_else(tmp_path):
    """A log that somebody wrote by hand cannot have another file read."""
    (tmp_path / "secret.json").write_text('"hunter2"')
    record = {"step": "a", "status": "completed", "timestamp": "2024-01-01T00:00:00Z"}
    (tmp_path / "run.jsonl").write_text(json.dumps(record | {"result_file": "../secret"}) + "\n")
    with (
        checkpoint.open(tmp_path, "run") as tracker,
        pytest.raises(CheckpointError, match="not the name of a result"),
    ):
        tracker.result("a")
