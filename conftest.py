"""What every test session of the monorepo does."""

import gc


def pytest_collection_finish() -> None:
    """Keep what lives as long as the session out of the full collections that tests ask for."""
    gc.collect()
    gc.freeze()
