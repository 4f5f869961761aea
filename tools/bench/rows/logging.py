"""mist.logging against structlog as its documentation sets it up for JSON."""

import logging
import os
from collections.abc import Callable, Generator
from contextlib import ExitStack
from itertools import repeat

import structlog

import mist.logging
from tools.bench.pair import Pair
from tools.bench.row import Rows, Target, at_least, at_most

ROWS = Rows("logging")

# So many calls to a sample's call that the harness's own call does not count.
_LOOP = 100


def _scalars(log: Callable[..., object]) -> None:
    log("eval started", suite="swe-bench", tasks=300, score=0.5)


def _nested(log: Callable[..., object]) -> None:
    log("eval started", suite="swe-bench", tags=["a", "b", "c"], params={"seed": 7})


def _compare(
    name: str, target: Target, against: str, level: str, write: Callable[..., None]
) -> None:
    @ROWS.calls(name, target, against=against, peers=["structlog", "msgspec"], per_call=_LOOP)
    def lines() -> Generator[Pair]:
        with ExitStack() as stack:
            files = [stack.enter_context(open(os.devnull, "w")) for _ in range(2)]  # noqa: PTH123  # a device
            ours = mist.logging.new("matchspec", writer=files[0])
            # Bound, so that no lazy proxy counts, and with the fastest of its text writers.
            peer = structlog.wrap_logger(
                structlog.WriteLogger(files[1]),
                processors=[
                    structlog.processors.add_log_level,
                    structlog.processors.TimeStamper(fmt="iso"),
                    structlog.processors.JSONRenderer(),
                ],
                wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            ).bind(tool="matchspec")
            yield Pair(_calls(write, getattr(ours, level)), _calls(write, getattr(peer, level)))


def _calls(write: Callable[..., None], log: Callable[..., object]) -> Callable[[], None]:
    def call() -> None:
        for _ in repeat(None, _LOOP):
            write(log)

    return call


_compare(
    "JSON line with 3 fields",
    at_least(1.5),
    "structlog: level, ISO time, JSONRenderer, WriteLogger",
    "info",
    _scalars,
)
_compare(
    "JSON line with a list and a mapping",
    at_least(1),
    "the same, which masks nothing",
    "info",
    _nested,
)
_compare("a dropped level", at_most(1.3), "structlog's filtering logger", "debug", _scalars)
