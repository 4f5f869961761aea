"""`python -m mist.checkpoint show FILE` shows a run to people."""

import os
import subprocess
import sys

import pytest

from mist import checkpoint


@pytest.fixture
def command():
    """Run the command."""

    def run(*arguments, **options):
        return subprocess.run(
            [sys.executable, "-m", "mist.checkpoint", *map(str, arguments)],
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
            **options,
        )

    return run


def moment(second):
    """Return a timestamp."""
    return f"2026-11-20T17:20:{second:06.3f}Z"


def test_a_run_as_a_table(command, write_log):
    """Statuses, attempts, durations of the last attempt, errors; and a line that sums it up."""
    path = write_log(
        {"step": "fetch", "status": "running", "timestamp": moment(1)},
        {"step": "fetch", "status": "completed", "timestamp": moment(1.25), "result": [1, "世界"]},
        {"step": "推論", "status": "running", "timestamp": moment(2), "attempt": 1},
        {"step": "推論", "status": "failed", "timestamp": moment(3), "error": "no", "attempt": 1},
        {"step": "推論", "status": "running", "timestamp": moment(4), "attempt": 2},
        {"step": "推論", "status": "failed", "timestamp": moment(6.5), "error": "x" * 100},
        {"step": "publish", "status": "running", "timestamp": moment(7)},
        {"step": "large", "status": "completed", "result_file": "ab" * 32, "timestamp": "soon"},
        {"step": "later", "status": "archived", "timestamp": moment(8)},
    )
    shown = command("show", path)
    assert shown.returncode == 0
    assert shown.stderr == ""
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert lines[0] == ["STEP", "STATUS", "ATTEMPTS", "TOOK", "AT", "RESULT", "OR", "ERROR"]
    assert lines[1][:4] == ["fetch", "completed", "1", "250ms"]
    assert lines[1][-1] == '"世界"]'
    assert lines[2][:4] == ["推論", "failed", "2", "2.5s"]
    assert lines[2][-1] == "x" * 57 + "..."
    assert lines[3][:3] == ["publish", "running", "1"]
    assert lines[4] == ["large", "completed", "in", "abababababab....json"]
    assert lines[5][:2] == ["later", "archived"]
    assert shown.stdout.splitlines()[-1] == (
        "5 steps: 2 completed, 1 failed, 1 running, 1 archived"
    )


def test_long_steps_are_told_in_minutes_and_hours(command, write_log):
    """As people say it."""
    path = write_log(
        {"step": "a", "status": "running", "timestamp": "2026-11-20T17:00:00Z"},
        {"step": "a", "status": "completed", "timestamp": "2026-11-20T17:02:05Z"},
        {"step": "b", "status": "running", "timestamp": "2026-11-20T17:00:00Z"},
        {"step": "b", "status": "completed", "timestamp": "2026-11-20T20:00:07Z"},
    )
    lines = [line.split() for line in command("show", path).stdout.splitlines()]
    assert [line[3] for line in lines[1:3]] == ["2m05s", "3h00m07s"]


@pytest.mark.parametrize("zone", ["XYZ+12", "XYZ-12"])
def test_a_moment_beyond_the_calendar_is_left_out(command, write_log, zone):
    """Go's zero time, for one, is in the year 0 west of Greenwich."""
    path = write_log(
        {"step": "a", "status": "running", "timestamp": "0001-01-01T00:00:00Z"},
        {"step": "b", "status": "running", "timestamp": "9999-12-31T23:59:59Z"},
    )
    shown = command("show", path, env={**os.environ, "TZ": zone})
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "2 steps: 2 running" in shown.stdout


def test_columns_line_up(command, write_log):
    """Wide characters take two columns each."""
    path = write_log(
        {"step": "世界", "status": "running"},
        {"step": "é\u0301a", "status": "running"},
        {"step": "abcd", "status": "running"},
    )
    lines = command("show", path).stdout.splitlines()[1:4]
    # In characters: two that take two columns each, one that takes none, four plain ones.
    assert [line.index("running") for line in lines] == [4, 7, 6]


def test_bad_lines_are_reported_and_the_rest_is_shown(command, write_log):
    """On stderr, with their numbers, and not without end."""
    path = write_log(
        {"step": "a", "status": "completed"}, b"bad\n" * 50, {"step": "b", "status": "completed"}
    )
    shown = command("show", path)
    assert shown.returncode == 0
    assert "2 steps: 2 completed" in shown.stdout
    errors = shown.stderr.splitlines()
    assert errors[0] == f"{path}: line 2: torn or not JSON; skipped"
    assert errors[-1] == "40 more lines were skipped"
    assert len(errors) == 11


def test_nothing_in_a_log_controls_the_terminal(command, write_log):
    """Escape sequences and line ends are shown, not obeyed."""
    path = write_log(
        {"step": "\x1b[2Jevil\n", "status": "\x1b[31m", "error": "\u202e\x9b31m\r"},
        {"step": "a", "status": "completed", "result": "\x07\u2028"},
    )
    out = command("show", path).stdout
    assert "\\x1b[2Jevil\\n" in out
    assert not {char for char in out if not char.isprintable()} - {"\n"}
    assert len(out.splitlines()) == 4


def test_a_run_that_goes_on_can_be_shown(command, tmp_path):
    """The lock is for who writes."""
    with checkpoint.open(tmp_path, "run") as tracker:
        tracker.step_sync("a", lambda: 1)
        assert "1 completed" in command("show", tmp_path / "run.jsonl").stdout


def test_an_empty_log_is_shown(command, write_log):
    """It has no steps."""
    assert command("show", write_log()).stdout.splitlines()[-1] == "no steps"


def test_exit_statuses(command, tmp_path):
    """2 for wrong usage, 3 for a file that cannot be read, each with one line that says why."""
    assert command().returncode == 2
    assert command("show").returncode == 2
    assert command("frobnicate").returncode == 2
    missing = command("show", tmp_path / "missing.jsonl")
    assert missing.returncode == 3
    assert missing.stderr == f"{tmp_path / 'missing.jsonl'}: No such file or directory\n"
    assert command("show", tmp_path).returncode == 3


def test_help(command):
    """It names the argument and the exit statuses."""
    for arguments in (["--help"], ["show", "--help"]):
        shown = command(*arguments)
        assert shown.returncode == 0
        assert "exit status: 0 shown, 2 wrong usage, 3 " in " ".join(shown.stdout.split())
    assert "FILE" in shown.stdout


def test_a_terminal_that_knows_ascii_only(command, write_log):
    """What it cannot show is spelled out."""
    path = write_log({"step": "世界", "status": "completed"})
    shown = command("show", path, env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert shown.returncode == 0
    assert "\\u4e16\\u754c" in shown.stdout


def test_a_reader_that_has_seen_enough(write_log):
    """A closed pipe is no error."""
    path = write_log(*[{"step": f"{n}", "status": "running"} for n in range(20_000)])
    with subprocess.Popen(
        [sys.executable, "-m", "mist.checkpoint", "show", path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0
