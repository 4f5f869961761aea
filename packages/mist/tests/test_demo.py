"""`mist demo` as its user runs it, in one process."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from mist.command.demo import declaration

_EXTRA = [name for name in declaration.NEEDED if find_spec(f"mist.{name}") is None]
needs_extra = pytest.mark.skipif(
    bool(_EXTRA), reason=f"the extra `demo` is not installed: {_EXTRA}"
)

_PATIENCE = 30


@pytest.fixture
def demo(execute, tmp_path):
    """Run `mist demo` inside this process, with few and fast tasks unless told otherwise."""

    def run(*words, tasks=40, latency=0.002):
        some = [] if tasks is None else ["--tasks", tasks, "--latency", latency]
        return execute("demo", "--dir", tmp_path / "runs", *some, *words)

    return run


@pytest.fixture
def report(demo):
    """Run `mist demo` and return its report as JSON values."""

    def run(*words, **options):
        ended = demo("--format", "json", *words, **options)
        assert ended.status == 0, ended.err
        return json.loads(ended.out)

    return run


def _completed(directory):
    """The names of the steps in the checkpoint, as often as they were completed."""
    lines = (directory / "checkpoint.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines if line.endswith("}")]
    return [each["step"] for each in records if each["status"] == "completed"]


def _wait_for_completed(base, count):
    """Wait until a run has completed that many tasks, and return its directory."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        for path in base.glob("*/checkpoint.jsonl"):
            if len(_completed(path.parent)) >= count:
                return path.parent
        time.sleep(0.02)
    raise AssertionError("no run got that far")


@needs_extra
def test_the_report_goes_into_any_encoding(mist):
    """A file on Windows has no arrows: the report has a question mark for each, and all else."""
    words = ["demo", "--dir", "runs", "--tasks", 4, "--latency", 0.002]
    ended = mist(*words, PYTHONIOENCODING="ascii")
    assert ended.status == 0, ended.err
    assert "?? matchspec.infer" in ended.out
    assert "4 tasks in" in ended.out


@needs_extra
def test_it_shows_results_on_stdout_and_progress_on_stderr(demo):
    """Tables, the slowest trace and the fingerprint go to stdout, the rest to stderr."""
    ended = demo()
    assert ended.status == 0
    assert re.search(r"^total +40 +\d+ ", ended.out, re.MULTILINE)
    assert re.search(r"^sage-1 +\d+ +\d+\.\d% ", ended.out, re.MULTILINE)
    assert re.search(r"^trace [0-9a-f]{32}  \d+ spans", ended.out, re.MULTILINE)
    assert re.search(r"└─ infermux.answer (sage|swift)-1", ended.out)
    assert re.search(r"^40 tasks in \d+\.\d s, results [0-9a-f]{16}$", ended.out, re.MULTILINE)
    assert re.match(r"run \S+; its files are in .*\nschemaflux: 40 entities compiled\n", ended.err)
    assert "tasks: 40/40 (100%)" in ended.err
    assert "\x1b" not in ended.out + ended.err


@needs_extra
def test_results_depend_on_seed_and_tasks_and_not_on_workers(report):
    """Two workers or sixteen, a breaker that opens or not: the results are the same."""
    one = report("--workers", 2, "--fail-rate", 0.3)
    many = report("--workers", 16, "--fail-rate", 0.3)
    assert many["fingerprint"] == one["fingerprint"]
    for key in ("calls", "errors", "tokens_in", "tokens_out", "cost_usd"):
        assert [m[key] for m in many["models"].values()] == [m[key] for m in one["models"].values()]
    assert report("--seed", 8, "--fail-rate", 0.3)["fingerprint"] != one["fingerprint"]


@needs_extra
def test_a_breaker_opens_and_closes_again_without_costing_a_result(report):
    """While half of all calls fail, circuits open; every task still has its result."""
    told = report("--fail-rate", 0.5, tasks=60)
    changes = {(each["old"], each["new"]) for each in told["breakers"]}
    assert {("closed", "open"), ("open", "half-open"), ("half-open", "closed")} <= changes
    assert told["complete"]
    assert told["total"]["tasks"] == 60
    assert any(each["metric"] == "error_rate" for each in told["alerts"])


@needs_extra
def test_without_failures_nothing_fails(report):
    """A fail rate of 0 is none: one call for each task and model, no error, no open circuit."""
    told = report("--fail-rate", 0)
    assert [each["calls"] for each in told["models"].values()] == [40, 40]
    assert [each["errors"] for each in told["models"].values()] == [0, 0]
    assert (told["total"]["errors"], told["breakers"]) == (0, [])


@needs_extra
def test_with_failures_only_every_task_has_an_error(report):
    """A fail rate of 1 is all: four attempts each, and no score."""
    told = report("--fail-rate", 1, tasks=6)
    assert [each["calls"] for each in told["models"].values()] == [24, 24]
    assert (told["total"]["errors"], told["total"]["passed"]) == (6, 0)


@needs_extra
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tasks", 0), "--tasks is a number from 1 to 1000000, got 0"),
        (("--tasks", -5), "--tasks is a number from 1 to 1000000, got -5"),
        (("--fail-rate", 2), "--fail-rate is a number from 0 to 1, got 2.0"),
        (("--fail-rate", "nan"), "--fail-rate is a number from 0 to 1, got nan"),
        (("--workers", 0), "--workers is a number from 1 to 1000, got 0"),
        (("--latency", -1), "--latency is a number from 0 to 60, got -1.0"),
        (("--transport", "pigeon"), "expected one of chan, http, file, stdio, got 'pigeon'"),
    ],
)
def test_wrong_flags_are_one_line(demo, words, said, tmp_path):
    """A flag out of its range is named, with the range, and nothing is begun."""
    ended = demo(*words, tasks=None)
    assert (ended.status, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@needs_extra
def test_a_directory_that_cannot_be_is_one_line(execute, tmp_path):
    """Where runs cannot be kept, the directory is named."""
    (tmp_path / "file").touch()
    ended = execute("demo", "--dir", tmp_path / "file")
    assert ended.status == 2
    assert ended.err == f"mist: validation: cannot keep a run in {tmp_path}/file: Not a directory\n"


@needs_extra
@pytest.mark.parametrize(
    ("variable", "below"),
    [
        ("XDG_STATE_HOME", "mist-demo"),
        ("HOME" if os.name == "posix" else "USERPROFILE", ".local/state/mist-demo"),
    ],
)
def test_runs_are_kept_with_the_users_own_state(execute, tmp_path, monkeypatch, variable, below):
    """Without --dir they are where programs keep state: the XDG Base Directory Specification."""
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "mine"))
    ended = execute("demo", "--tasks", 3, "--latency", 0, "--format", "json")
    assert ended.status == 0
    run = json.loads(ended.out)
    assert Path(run["directory"]) == tmp_path / "mine" / below / run["run"]


@needs_extra
@pytest.mark.parametrize("run_id", ["nightly", "../runs", ""])
def test_an_unknown_run_is_not_found(demo, run_id, report):
    """Resuming what is not there names it, and the last run that is."""
    if not run_id:
        run_id = report()["run"][:-1]
    ended = demo("--resume", run_id, tasks=None)
    assert ended.status == 3
    assert ended.err.startswith(f"mist: not_found: no run {run_id!r} in ")


@needs_extra
def test_a_run_is_resumed_with_the_same_results_or_not_at_all(demo, report):
    """Settings that decide the results must be those of the run; the text says which are not."""
    run = report("--seed", 5)
    ended = demo("--resume", run["run"], "--seed", 6, "--tasks", 41, tasks=None)
    assert ended.status == 10
    assert ended.err == (
        f"mist: conflict: run {run['run']} cannot go on with other results:"
        " --tasks is 40 there and 41 here; --seed is 5 there and 6 here\n"
    )


@needs_extra
def test_a_finished_run_that_is_resumed_is_read_and_not_repeated(report):
    """Its report is the same but for time, and no model is called again."""
    first = report("--seed", 5)
    again = report("--resume", first["run"], tasks=None)
    assert again["resumed"] == 40
    for key in ("fingerprint", "suites", "models", "slowest"):
        assert again[key] == first[key]


@needs_extra
def test_a_run_in_use_is_left_to_its_user(demo, start, tmp_path):
    """A second process is told who has the run."""
    process = start("demo", "--dir", tmp_path / "runs", "--latency", 0.5)
    run = _wait_for_completed(tmp_path / "runs", 1)
    ended = demo("--resume", run.name, tasks=None)
    assert ended.status == 10
    assert ended.err == f"mist: conflict: run {run.name} is in use by process {process.pid}\n"


@needs_extra
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
def test_a_killed_run_goes_on_where_it_was(report, start, tmp_path):
    """After kill -9 only the rest is done, and all comes to what it would have come to."""
    process = start("demo", "--dir", tmp_path / "runs", "--tasks", 60, "--latency", 0.1)
    run = _wait_for_completed(tmp_path / "runs", 10)
    process.kill()
    process.wait()
    before = set(_completed(run))
    told = report("--resume", run.name, "--latency", 0.002, tasks=None)
    assert 10 <= len(before) == told["resumed"] < 60
    completed = _completed(run)
    assert len(completed) == len(set(completed)) == 60
    assert told["fingerprint"] == report(tasks=60)["fingerprint"]


@needs_extra
def test_a_torn_line_does_not_keep_a_run_from_going_on(report):
    """A span of which a full disk has kept a part is passed over; the figures are of the rest."""
    first = report("--seed", 5)
    with (Path(first["directory"]) / "spans.jsonl").open("a") as spans:
        spans.write('{"version":"1","id":')
    again = report("--resume", first["run"], tasks=None)
    assert again["models"] == first["models"]
    assert report("--resume", first["run"], tasks=None)["slowest"] == first["slowest"]


@needs_extra
@pytest.mark.skipif(os.name != "posix", reason="limits are POSIX's")
def test_a_full_disk_does_not_cost_a_run_its_settings(demo, report):
    """Where they cannot be written again the run is not begun, and can be when there is room."""
    import resource  # Windows has none

    first = report("--seed", 5)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        ended = demo("--resume", first["run"], "--workers", 2, tasks=None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert ended.status != 0
    assert re.match(r"mist: \w+: cannot keep run \S+ in .*: File too large\n", ended.err)
    assert report("--resume", first["run"], tasks=None)["fingerprint"] == first["fingerprint"]


@needs_extra
@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_what_has_begun(start, tmp_path, number, status):
    """Nothing more is begun, the report is of what is done, and a line to go on with is told."""
    base = tmp_path / "my runs"
    process = start("demo", "--dir", base, "--latency", 0.15)
    run = _wait_for_completed(base, 16)
    process.send_signal(number)
    out, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode == status
    done = len(_completed(run))
    assert 16 <= done < 200
    assert "finishing the tasks that have begun; interrupt again to end at once" in err
    line = f"mist demo --resume {run.name} --dir '{base}'"
    assert f"{done} of 200 tasks are done; to go on: {line}\n" in err
    assert f"\n{done} tasks in " in out


@needs_extra
def test_the_messages_of_a_run_are_valid(report, mist):
    """What it keeps are messages that `mist validate` knows."""
    directory = Path(report()["directory"])
    ended = mist("validate", directory / "spans.jsonl")
    assert ended.status == 0
    assert json.loads(ended.out)["valid"] > 200


def test_help_loads_nothing_of_the_demo():
    """Who asks `mist` for help does not wait for the packages of the demo."""
    packages = [f"mist.{name}" for name in declaration.NEEDED]
    code = (
        "import sys; from mist.command import build_app; build_app().execute(['demo', '--help']);"
        f"print([name for name in {packages} if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *helped, loaded = ended.stdout.splitlines()
    assert "  mist demo --transport http" in helped
    assert loaded == "[]"


def test_what_is_missing_is_named_with_the_remedy(execute, monkeypatch):
    """Without the packages of the extra, one line says which, and how to get them."""
    if not _EXTRA:
        monkeypatch.setattr(
            "importlib.util.find_spec", lambda name: None if "retry" in name else name
        )
    missing = _EXTRA or ["retry"]
    ended = execute("demo")
    assert (ended.status, ended.out) == (6, "")
    assert f"needs {', '.join(f'mist-{name}' for name in missing)} as well" in ended.err
    remedy = " ".join(f"./packages/mist-{name}" for name in missing)
    assert f"pip install {remedy}\n" in ended.err
    assert ended.err.count("\n") == 1
