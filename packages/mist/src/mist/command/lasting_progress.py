"""Progress that a log sees only where the work lasts."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from mist.output import Progress, progress

_LASTING: Final = 5.0
"""As long as the first plain line of `progress` takes to appear, in seconds."""


@contextmanager
def lasting_progress(total: int | None, label: str) -> Generator[Progress]:
    """Show progress as `mist.output` does, but no closing line in a log for a moment's work."""
    started = time.monotonic()
    bar = progress(total, label)
    finished = False
    try:
        yield bar
        finished = True
    finally:
        if sys.stderr.isatty() or time.monotonic() - started >= _LASTING:
            bar.close(interrupted=not finished)
