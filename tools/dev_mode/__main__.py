"""Run pytest in Python's development mode, the processes that tests start included.

The arguments are pytest's. Beyond what warnings tell, a test fails that leaves a task behind or
that asyncio has complained about.
"""

import os
import subprocess
import sys
from pathlib import Path

_ASKED = {"PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1"}


def main(argv: list[str]) -> int:
    """Return pytest's exit status."""
    paths = [str(Path(__file__).parent / "everywhere"), os.environ.get("PYTHONPATH", "")]
    asked = {**_ASKED, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-m", "pytest", "-p", "tools.dev_mode.plugin", *argv]
    with subprocess.Popen(command, env=os.environ | asked) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # pytest has it too, and ends with a report
                continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
