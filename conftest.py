"""What every test session of the monorepo does."""

import gc
import os

from hypothesis import settings

from tools.signals import heed_ignored_signals

# How long an example takes says more of the machine, and of who shares it, than of the code.
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")

heed_ignored_signals()


def pytest_xdist_auto_num_workers() -> int:
    """Use one process more than there are cores: many tests wait for another process, or time."""
    return min((os.cpu_count() or 1) + 1, 8)


def pytest_collection_finish() -> None:
    """Keep what lives as long as the session out of the full collections that tests ask for."""
    gc.collect()
    gc.freeze()
