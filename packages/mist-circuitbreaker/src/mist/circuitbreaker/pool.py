"""One breaker for each of many: hosts, models, tenants."""

from __future__ import annotations

import os
from collections import OrderedDict
from weakref import WeakSet

from mist.circuitbreaker.breaker import Breaker
from mist.circuitbreaker.hooks import want_plain
from mist.circuitbreaker.rules import want_count
from mist.circuitbreaker.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable
    from typing import Any, TypeVar

    T = TypeVar("T")


class BreakerPool:
    """Makes and keeps a breaker for each key, so that one bad host does not stop the others.

    It is bounded: where a new key finds it full, the closed breaker that was unused for longest
    is forgotten, or if none is closed, the one unused for longest. Whoever still holds a
    forgotten breaker may go on with it; the key's next user gets a new one.

    Args:
        max_breakers: how many are kept.
        on_state_change: called with the key, the old and the new state.
        settings: of each breaker, as `Breaker` takes them; its name is the key's text.

    Raises:
        InvalidSettingError: `max_breakers` is not an integer of 1 or more, or a setting is out of
            its range.
        TypeError: A setting is not one that `Breaker` takes, or a hook is not callable, or a
            coroutine function.
    """

    def __init__(
        self,
        *,
        max_breakers: int = 1024,
        on_state_change: Callable[[Any, State, State], object] | None = None,
        **settings: Any,
    ) -> None:
        from threading import RLock  # noqa: PLC0415  # as in Breaker

        want_count("max_breakers", max_breakers)
        if on_state_change is not None:
            want_plain("on_state_change", on_state_change)
        self._most = max_breakers
        self._on_state_change = on_state_change
        self._settings = settings
        self._breakers: OrderedDict[Hashable, Breaker] = OrderedDict()
        self._lock = RLock()
        _pools.add(self)
        self._make("")  # so that a wrong setting is an error here, and not at the first call

    def get(self, key: Hashable) -> Breaker:
        """Return the key's breaker, a new one if it has none."""
        with self._lock:
            breaker = self._breakers.get(key)
            if breaker is None:
                while len(self._breakers) >= self._most:
                    del self._breakers[self._least_missed()]
                breaker = self._breakers[key] = self._make(key)
            else:
                self._breakers.move_to_end(key)
            return breaker

    __getitem__ = get

    async def do(self, key: Hashable, fn: Callable[[], Awaitable[T]]) -> T:
        """Call `fn` through the key's breaker, as `Breaker.do` does."""
        return await self.get(key).do(fn)

    def do_sync(self, key: Hashable, fn: Callable[[], T]) -> T:
        """Call `fn` through the key's breaker, as `Breaker.do_sync` does."""
        return self.get(key).do_sync(fn)

    def discard(self, key: Hashable) -> None:
        """Forget the key's breaker, if it has one."""
        with self._lock:
            self._breakers.pop(key, None)

    def states(self) -> dict[Hashable, State]:
        """Return the state of each breaker that is kept, the longest unused first."""
        with self._lock:
            return {key: breaker.state for key, breaker in self._breakers.items()}

    def __len__(self) -> int:
        return len(self._breakers)

    def __contains__(self, key: object) -> bool:
        return key in self._breakers

    def _after_fork(self) -> None:
        """Go on in a forked child, without the thread that had the lock."""
        from threading import RLock  # noqa: PLC0415  # as in Breaker

        self._lock = RLock()

    def _make(self, key: Hashable) -> Breaker:
        hook = self._on_state_change
        if hook is None:
            return Breaker(name=str(key), **self._settings)
        return Breaker(
            name=str(key), on_state_change=lambda old, new: hook(key, old, new), **self._settings
        )

    def _least_missed(self) -> Hashable:
        oldest = next(iter(self._breakers))
        closed = (k for k, breaker in self._breakers.items() if breaker.state is State.CLOSED)
        return next(closed, oldest)


_pools: WeakSet[BreakerPool] = WeakSet()


def _after_fork() -> None:
    for pool in tuple(_pools):
        pool._after_fork()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # of this module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
