"""Do many things at a time: in order, with bounds, and with nothing left behind."""

from mist.parallel.errors import ParallelError
from mist.parallel.mapping import do, fan_out, map, map_sync  # noqa: A004  # the contract's name
from mist.parallel.pool import Pool
from mist.parallel.rate_limiter import Grant, RateLimiter
from mist.parallel.result import Result
from mist.parallel.streaming import stream

__all__ = [
    "Grant",
    "ParallelError",
    "Pool",
    "RateLimiter",
    "Result",
    "do",
    "fan_out",
    "map",
    "map_sync",
    "stream",
]

for _public in (
    Grant,
    ParallelError,
    Pool,
    RateLimiter,
    Result,
    do,
    fan_out,
    map,
    map_sync,
    stream,
):
    _public.__module__ = __name__
del _public
