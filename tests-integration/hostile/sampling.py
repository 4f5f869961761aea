"""What a process holds, written down by the process itself at a steady pace.

As a program it does so while it runs the `mist` command: `sampling.py FILE SECONDS relay a b`.
"""

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path
from weakref import WeakSet

# The garbage collector knows them too, but would hand to this thread what another is still building.
LOOPS = WeakSet()
_new_event_loop = asyncio.events.new_event_loop


def _noted_event_loop():
    loop = _new_event_loop()
    LOOPS.add(loop)
    return loop


asyncio.events.new_event_loop = _noted_event_loop


def holds():
    """Return what this process holds just now: memory in bytes, and counts of the rest."""
    return {
        "seconds": time.monotonic(),
        "rss": int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
        "fds": len(list(Path("/proc/self/fd").iterdir())) - 1,  # one is for the listing
        "tasks": sum(len(asyncio.all_tasks(loop)) for loop in list(LOOPS) if loop.is_running()),
    }


def sample_to(path, interval):
    """Append what this process holds to a file, a line each `interval` seconds."""

    def sample():
        with Path(path).open("a", buffering=1) as file:
            while True:
                file.write(json.dumps(holds()) + "\n")
                time.sleep(interval)

    threading.Thread(target=sample, daemon=True).start()


def main():
    """Run the mist command, and sample it."""
    from mist.command import main as mist

    path, interval, *sys.argv[1:] = sys.argv[1:]
    sample_to(path, float(interval))
    mist()


if __name__ == "__main__":
    main()
