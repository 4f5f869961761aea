"""The two sides of a comparison."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """The same work done by ours and by the peer."""

    ours: Callable[[], object]
    peer: Callable[[], object]


@dataclass(frozen=True, slots=True)
class AsyncPair:
    """The same work done by ours and by the peer, each as a coroutine function."""

    ours: Callable[[], Awaitable[object]]
    peer: Callable[[], Awaitable[object]]
