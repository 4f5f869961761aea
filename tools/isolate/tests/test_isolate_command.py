"""The isolated wheel test passes what is sound, and names what is not."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.isolate.export import export
from tools.isolate.process import run
from tools.workspace import ROOT


def rows(out):
    """Read the table back: package -> (passed, failed, skipped, verdict)."""
    lines = [re.split(r"\s+", line) for line in out.splitlines()]
    return {x[0]: (*x[3:6], x[7]) for x in lines if len(x) == 8 and x[2].endswith(".whl")}


def test_sound_distributions_pass_alone(monorepo, capsys):
    """Every wheel installs with its closure, its tests pass, and metadata alone is fine too."""
    status = monorepo.isolate()
    out = capsys.readouterr().out
    assert status == 0, out
    assert rows(out) == {
        "mist-base": ("1", "0", "1", "ok"),
        "mist-plan": ("-", "-", "-", "ok"),
        "mist-top": ("1", "0", "1", "ok"),
    }


def test_each_fault_is_named(monorepo, capsys):
    """A failing test, a warning, a sibling that is not declared, stray files: each fails its row."""
    monorepo.write(
        "mist-base/tests/test_base.py",
        "import warnings\n"
        "def test_bad():\n    assert 'left' == 'right'\n"
        "def test_warning():\n    warnings.warn('as the settings of the root say')\n",
    )
    monorepo.write("mist-base/src/mist/plan/__init__.py", "")
    monorepo.write("mist-top/src/mist/top/deep.py", "")
    monorepo.write("mist-top/tests/test_deep.py", "import mist.plan\ndef test_it():\n    pass\n")
    (monorepo.root / "packages/mist-top/src/mist/top/py.typed").unlink()
    status = monorepo.isolate()
    out = capsys.readouterr().out
    assert status == 1
    verdicts = {name: row[-1] for name, row in rows(out).items()}
    assert verdicts == {"mist-base": "FAILED", "mist-plan": "ok", "mist-top": "FAILED"}
    assert "assert 'left' == 'right'" in out
    assert "UserWarning: as the settings of the root say" in out
    assert "mist.plan is importable, though it is outside the declared closure" in out
    assert "the wheel holds mist/plan/__init__.py, which is not below mist/base/" in out
    assert "the wheel lacks mist/top/py.typed" in out
    assert "3 runs, 2 failed" in out


def test_an_undeclared_sibling_is_not_there(monorepo, capsys):
    """Code that imports what its wheel does not require fails when it is alone."""
    monorepo.write("mist-base/src/mist/base/__init__.py", "import mist.top\n")
    assert monorepo.isolate("mist-base") == 1
    assert "mist.base does not import: ModuleNotFoundError: No module named 'mist.top'" in (
        capsys.readouterr().out
    )


def test_a_distribution_without_tests_fails(monorepo, capsys):
    """No tests is not the same as passing tests."""
    (monorepo.root / "packages/mist-base/tests/test_base.py").unlink()
    assert monorepo.isolate("mist-base") == 1
    assert "mist-base has no tests" in capsys.readouterr().out


def test_a_distribution_that_does_not_build(monorepo, capsys):
    """The builder's own words are shown."""
    (monorepo.root / "packages/mist-base/README.md").unlink()
    assert monorepo.isolate("mist-base") == 1
    error = capsys.readouterr().err
    assert error.startswith("mist-base does not build\n$ ")
    assert "README.md" in error


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["mist-gone"], "no distribution 'mist-gone' here; there are mist-base, "),
        (["--python", "3.4"], "no Python 3.4 on this machine; choose another by --python"),
    ],
)
def test_a_wrong_argument_is_named(monorepo, capsys, argv, message):
    """What is not there is said before anything is built."""
    assert monorepo.isolate(*argv) == 1
    assert capsys.readouterr().err.startswith(message)


def test_an_export_holds_what_git_sees_with_edits_and_nothing_stale(monorepo, tmp_path):
    """New and changed files are in; ignored and deleted ones are not."""

    def git(*argv):
        subprocess.run(["git", "-C", monorepo.root, *argv], check=True, capture_output=True)

    git("init")
    (monorepo.root / ".gitignore").write_text("stale.py\n")
    monorepo.write("mist-base/gone.py", "")
    git("add", ".")
    monorepo.write("mist-base/stale.py", "")
    monorepo.write("mist-base/new.py", "")
    monorepo.write("mist-base/LICENSE", "edited")
    (monorepo.root / "packages/mist-base/gone.py").unlink()
    target = tmp_path / "export"
    asyncio.run(export(monorepo.root, target))
    held = {path.name for path in (target / "packages/mist-base").iterdir()}
    assert held == {"LICENSE", "README.md", "new.py", "pyproject.toml", "src", "tests"}
    assert (target / "packages/mist-base/LICENSE").read_text() == "edited"


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
async def test_a_cancelled_command_takes_its_children_along(tmp_path):
    """Nothing a command started outlives its cancellation."""
    script = "sleep 60 & echo $! > child; mv child pid; wait"
    task = asyncio.create_task(run("sh", "-c", script, cwd=tmp_path))
    pid = tmp_path / "pid"
    while not pid.exists():  # real processes, so real time
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    deadline = time.monotonic() + 10
    while _alive(int(pid.read_text())) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    assert not _alive(int(pid.read_text()))


def _alive(pid):
    """Tell whether a process runs; a zombie that waits for init does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_an_interrupt_leaves_nothing_behind(monorepo, tmp_path):
    """Ctrl-C ends with status 130 and removes the directory it worked in."""
    monorepo.write("mist-base/tests/test_base.py", "import time\ndef test():\n    time.sleep(60)\n")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    argv = [sys.executable, "-m", "tools.isolate", "--root", monorepo.root, "mist-base"]
    process = subprocess.Popen(
        argv,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr.readline().startswith("built ")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")
    assert [path.name for path in temporary.iterdir() if path.name.startswith("mist-")] == []
