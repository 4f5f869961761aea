"""What a small command-line application costs before it does anything."""

import subprocess
import sys
import time
from collections.abc import Generator

from tools.bench.row import Rows, Unit, at_most

_APP = """
from mist.cli import App, Command

app = App("trivial", "1.0.0")
app.add_command(Command("nothing", "Do nothing", lambda command, args: None))
raise SystemExit(app.execute(["nothing"]))
"""

ROWS = Rows("cli")


def _seconds(code: str) -> float:
    started = time.perf_counter()
    ran = subprocess.run([sys.executable, "-I", "-c", code], check=False)
    taken = time.perf_counter() - started
    if ran.returncode:
        raise RuntimeError(f"the program fails: {code}")
    return taken


@ROWS.rounds(
    "start-up of a trivial App",
    at_most(2),
    against='python -c "import argparse"',
    unit=Unit.SECONDS,
    rounds=21,
)
def start_up() -> Generator[tuple[float, float]]:
    """Run a whole process of each."""
    while True:
        yield _seconds(_APP), _seconds("import argparse")
