"""Progress that a log sees only where the work lasts."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

from mist.output import Progress, progress


@contextmanager
def lasting_progress(total: int | None, label: str) -> Generator[Progress]:
    """Show progress as `mist.output` does, but no closing line in a log.

    Commands tell the totals themselves, and a moment's work needs no more.
    """
    bar = progress(total, label)
    finished = False
    try:
        yield bar
        finished = True
    finally:
        if sys.stderr.isatty():
            bar.close(interrupted=not finished)
