"""One target, fuzzed for some time in a child: what it is told, and what becomes of it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools.fuzz.engine import FOUND
from tools.fuzz.target import Target
from tools.workspace import ROOT

LARGEST = 8192
"""The largest input that is tried, in bytes."""

_TIMEOUT = 20  # seconds for one input, which then counts as a hang
_MEMORY = 1024  # MiB
_GRACE = 15.0  # seconds beyond its time that a child may need for its last words
_EVERY = 10.0  # seconds between lines of progress
_COVERED = re.compile(r"^#(\d+)\t.*\bcov: (\d+)")
_STATISTIC = re.compile(r"^stat::(\w+):\s+(\d+)")
_WRITTEN = re.compile(r"Test unit written to (.+)$")
_LAST_WORDS = 15


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that broke a target's invariant.

    Attributes:
        path: The file that holds it.
        what: What it brought about.
    """

    path: Path
    what: str


@dataclass(slots=True)
class Outcome:
    """What came of fuzzing one target.

    Attributes:
        target: The target's name.
        seconds: How long it ran.
        runs: How many inputs were tried.
        coverage: How many branches they reached.
        added: How many inputs were kept since they reached more.
        findings: The inputs that broke the invariant.
        broken: The child's last words, where it ended for another reason than its time.
    """

    target: str
    seconds: float = 0.0
    runs: int = 0
    coverage: int = 0
    added: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])
    broken: str = ""


def fuzz(
    target: Target,
    seconds: int,
    directory: Path,
    outcome: Outcome,
    progress: Callable[[Outcome], None],
) -> None:
    """Fuzz a target.

    Args:
        target: The target.
        seconds: For how long.
        directory: Where `corpus/TARGET` and `findings/TARGET` are kept from run to run.
        outcome: Takes what comes of it.
        progress: Called from time to time with what is known so far.

    Raises:
        KeyboardInterrupt: Ctrl-C; the child has ended, and what it kept is kept.
    """
    corpus = directory / "corpus" / target.name
    findings = directory / "findings" / target.name
    seeds, tokens = directory / "seeds" / target.name, directory / "tokens" / target.name
    for each in (corpus, findings, seeds, tokens.parent):
        each.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (seeds / f"{number:04}").write_bytes(seed[:LARGEST])
    tokens.write_text("".join(f'"{_escaped(token)}"\n' for token in target.tokens))
    command = [
        *(sys.executable, "-m", "tools.fuzz.engine", target.module, str(findings)),
        *(str(time.time() + seconds), f"-max_len={LARGEST}", f"-dict={tokens}"),
        *(f"-timeout={_TIMEOUT}", f"-rss_limit_mb={_MEMORY}", f"-artifact_prefix={findings}/"),
        *("-print_final_stats=1", "-verbosity=1", str(corpus), str(seeds)),
    ]
    began = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # Ctrl-C is for us, who then end the child
    ) as child:
        deadline = threading.Timer(seconds + _GRACE + _TIMEOUT, _kill, (child,))
        deadline.start()
        try:
            last = _listen(child, outcome, progress)
        finally:
            deadline.cancel()
            _kill(child)
            outcome.seconds = time.monotonic() - began
    if child.returncode and not outcome.findings:
        outcome.broken = "\n".join(last)


def _listen(
    child: "subprocess.Popen[str]", outcome: Outcome, progress: Callable[[Outcome], None]
) -> list[str]:
    """Read what the child says until it ends; return its last words."""
    assert child.stderr is not None
    last: list[str] = []
    told = time.monotonic()
    for line in child.stderr:
        if not line.startswith("INFO:"):
            last = [*last[1 - _LAST_WORDS :], line.rstrip()]
        _take(line, outcome)
        if time.monotonic() - told >= _EVERY:
            told = time.monotonic()
            progress(outcome)
    child.wait()
    return last


def _take(line: str, outcome: Outcome) -> None:
    """Learn what a line of the child's tells."""
    if line.startswith(FOUND):
        name, _, what = line.removeprefix(FOUND).rstrip("\n").partition("\t")
        outcome.findings.append(Finding(Path(name), what))
    elif found := _WRITTEN.search(line):
        path = Path(found[1])
        if not path.name.startswith("slow-unit-"):  # libFuzzer's own remark, no verdict
            outcome.findings.append(Finding(path, path.name.partition("-")[0]))
    elif found := _COVERED.match(line):
        outcome.runs, outcome.coverage = int(found[1]), int(found[2])
    elif found := _STATISTIC.match(line):
        if found[1] == "number_of_executed_units":
            outcome.runs = int(found[2])
        elif found[1] == "new_units_added":
            outcome.added = int(found[2])


def _kill(child: "subprocess.Popen[str]") -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _escaped(token: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token.encode("utf-8", "surrogatepass"))
