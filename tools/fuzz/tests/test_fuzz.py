"""The fuzzer finds a planted bug, ends when it should, and its targets hold for their seeds."""

import importlib.util
import itertools
import signal
import subprocess
import sys
import time

import pytest

from tools.fuzz import engine
from tools.fuzz.__main__ import main
from tools.fuzz.engine import Findings, SlowInputError, run_check
from tools.fuzz.session import Outcome, fuzz
from tools.fuzz.target import Target, UnknownTargetError, names
from tools.workspace import ROOT

needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="no atheris here: hatch run fuzz:test"
)
PLANTED = '''
"""Nothing that begins with bug is let in."""

TOKENS = ("zz",)


def seeds():
    """Begin with nothing like it."""
    yield b"hello world"


def check(data):
    """Break on some inputs."""
    if data[:1] == b"b" and data[1:2] == b"u" and data[2:3] == b"g":
        raise ValueError("planted")
'''


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A target with a bug behind three comparisons."""
    module = "planted_package.planted_target"
    package = tmp_path / "planted_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "planted_target.py").write_text(PLANTED)
    monkeypatch.syspath_prepend(tmp_path)
    yield Target.load(module)
    for name in (module, "planted_package"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", names())
def test_every_target_holds_for_its_seeds(name):
    """What each fuzzing run starts from breaks no invariant, on any Python."""
    target = Target.load(name)
    seeds = list(itertools.islice(target.seeds(), 40))
    assert seeds
    for seed in seeds:
        run_check(target, seed)


@needs_atheris
def test_a_planted_bug_is_found(planted, tmp_path):
    """The search gets past comparisons, goes on after the finding, and ends in its time."""
    outcome = Outcome(planted.name)
    fuzz(planted, 10, tmp_path / "kept", outcome, lambda _: None)
    assert outcome.broken == ""
    assert outcome.seconds < 30
    (finding,) = outcome.findings
    assert finding.path.read_bytes()[:3] == b"bug"
    assert "ValueError: planted" in finding.what
    assert outcome.runs > 1000
    assert outcome.added > 0
    with pytest.raises(ValueError, match="planted"):
        run_check(planted, finding.path.read_bytes())


@needs_atheris
@pytest.mark.skipif(sys.platform == "win32", reason="no process groups")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_report(tmp_path, signum):
    """The child goes too, what it did is told, and the status is 130."""
    fuzzing = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tools.fuzz",
            "--seconds=600",
            "--target=lines",
            f"--dir={tmp_path}",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        end = time.monotonic() + 60
        while not any((tmp_path / "corpus" / "lines").glob("*")) and time.monotonic() < end:
            time.sleep(0.05)  # a real process is waited for
        fuzzing.send_signal(signum)
        out, err = fuzzing.communicate(timeout=30)
    finally:
        fuzzing.kill()
    assert fuzzing.returncode == 130, err
    assert "interrupted" in err
    assert "lines " in out
    left = subprocess.run(
        ["pgrep", "-f", f"tools.fuzz.engine.*{tmp_path}"], check=False, capture_output=True
    )
    assert left.stdout == b""


def test_of_the_inputs_that_fail_alike_the_shortest_is_kept(tmp_path, capsys):
    """The first is told, a shorter one takes its place, and another place is another finding."""

    def fail(where):
        try:
            raise IndexError("no 0") if where else KeyError("x")
        except LookupError as exc:
            return exc

    findings = Findings(tmp_path / "new")
    findings.add(b"longest", fail(0))
    findings.add(b"short", fail(0))
    findings.add(b"longer", fail(0))
    findings.add(b"other", fail(1))
    assert sorted(path.read_bytes() for path in (tmp_path / "new").iterdir()) == [
        b"other",
        b"short",
    ]
    told = capsys.readouterr().err.splitlines()
    assert [line.partition("\t")[2] for line in told] == [
        "KeyError: 'x'",
        "IndexError: no 0",
    ]


def test_an_input_that_takes_too_long_is_a_finding(monkeypatch):
    """Time is part of every invariant."""
    monkeypatch.setattr(engine, "SLOW", 0.0)
    target = Target("m.slow", "", lambda _: None, list, ())
    with pytest.raises(SlowInputError, match="3 bytes took"):
        run_check(target, b"abc")


def test_an_input_is_tried_by_hand(planted, tmp_path, capsys):
    """What a finding's command prints is the traceback and the input; the status tells."""
    for text, status in ((b"bug", 1), (b"fine", 0)):
        file = tmp_path / "input"
        file.write_bytes(text)
        assert main(["--target", planted.module, "--input", str(file)]) == status
    shown = capsys.readouterr()
    assert "ValueError: planted" in shown.err
    assert "breaks planted-target: b'bug'" in shown.out
    assert main(["--target", planted.module, "--input", str(tmp_path / "none")]) == 2


def test_wrong_usage_is_told(capsys):
    """An unknown target lists those that there are."""
    assert main(["--target", "envelop"]) == 2
    assert "envelope" in capsys.readouterr().err
    with pytest.raises(UnknownTargetError):
        Target.load("nothing")
    for wrong in (["--seconds", "0"], ["--input", "x"]):
        with pytest.raises(SystemExit):
            main(wrong)


def test_every_target_says_what_must_hold(capsys):
    """`--list` has a sentence for each."""
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 * len(names())
    assert all(line.startswith("    ") and line.endswith(".") for line in lines[1::2])
