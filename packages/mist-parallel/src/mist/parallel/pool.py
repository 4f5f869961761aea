"""How many at a time, and how fast."""

from __future__ import annotations

from mist.parallel.errors import ParallelError
from mist.parallel.rate_limiter import RateLimiter


class Pool:
    """Bounds on work that is done in parallel.

    A pool holds nothing and may be shared: each `map`, `do`, `fan_out` or `stream` has the
    whole of it to itself, so that one inside of another cannot wait for it for ever.

    Args:
        workers: how many inputs are worked on at a time.
        rate: a limiter whose turn each input waits for; shared by all who use the pool. An
            input's error of code `rate_limit` slows it down.

    Raises:
        ParallelError: `workers` is not an integer of 1 or more.
    """

    def __init__(self, workers: int, *, rate: RateLimiter | None = None) -> None:
        # A bool is an int to Python, but nobody means it.
        if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
            raise ParallelError(f"workers must be an integer of 1 or more, got {workers!r}")
        self.workers = workers
        self.rate = rate

    def __repr__(self) -> str:
        return f"Pool({self.workers})"
