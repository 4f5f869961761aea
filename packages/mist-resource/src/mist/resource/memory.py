"""A bound on how much memory is spoken for at a time."""

from __future__ import annotations

from types import TracebackType

from mist.resource.errors import BudgetExceeded, ResourceError
from mist.resource.queue import FairQueue


class MemoryBudget:
    """Bytes that a program sets aside before it uses them; it measures nothing.

    Whoever loads a file of known size reserves that much first, so that ten of them at a time do
    not end the process. Tasks of any event loop and threads may share one budget.

    Args:
        name: for people; in errors and in a monitor's status.
        limit_bytes: how much may be reserved at a time.

    Raises:
        ResourceError: `limit_bytes` is not an integer of 1 or more.
    """

    def __init__(self, name: str, limit_bytes: int) -> None:
        if not _is_count(limit_bytes) or limit_bytes < 1:
            raise ResourceError(
                f"memory budget {name!r}: limit_bytes must be an integer of 1 or more,"
                f" got {limit_bytes!r}"
            )
        self._name = name
        self._queue = FairQueue(limit_bytes)

    @property
    def name(self) -> str:
        """What it is called."""
        return self._name

    @property
    def limit(self) -> int:
        """How many bytes may be reserved at a time."""
        return self._queue.limit

    @property
    def reserved(self) -> int:
        """How many bytes are reserved."""
        return self._queue.taken

    @property
    def available(self) -> int:
        """How many bytes are left; never negative."""
        return self._queue.limit - self._queue.taken

    @property
    def waiting(self) -> int:
        """How many wait for bytes."""
        return self._queue.waiting

    def reserve(self, n: int) -> bool:
        """Reserve bytes if that many are left and nobody waits for some.

        Raises:
            ResourceError: `n` is not an integer of 0 or more.
        """
        self._want_bytes(n)
        return self._queue.try_take(n)

    def release(self, n: int) -> None:
        """Give reserved bytes back, from any thread.

        Raises:
            ResourceError: `n` is no such integer, or more than is reserved; nothing is given back then.
        """
        self._want_bytes(n)
        if not self._queue.give_back(n):
            raise ResourceError(
                f"memory budget {self._name!r}: {n} bytes released, but only {self.reserved} are"
                " reserved; `with budget.reserving(n):` gives back what it took"
            )

    def reserving(self, n: int, *, wait: bool = False, timeout: float | None = None) -> Reservation:
        """Reserve bytes for a block, `with` in a thread or `async with` in a task.

        Args:
            n: bytes.
            wait: wait until there is room, in order, instead of failing at once.
            timeout: seconds to wait at most, with `wait`; None waits for ever.

        Raises:
            BudgetExceeded: On entering the block, there is no room, or not in time.
            ResourceError: `n` is not an integer of 0 or more, or is more than the whole budget;
                or a timeout is no number, or there without `wait`.
        """
        self._want_bytes(n)
        if timeout is not None and not (wait and timeout <= float("inf")):
            raise ResourceError(
                f"memory budget {self._name!r}: timeout is {timeout}: it goes with wait=True, and is"
                " a number of seconds"
            )
        if n > self.limit:
            raise ResourceError(
                f"memory budget {self._name!r}: {n} bytes never fit into {self.limit}"
            )
        return Reservation(self, self._queue, n, wait=wait, timeout=timeout)

    def __repr__(self) -> str:
        return f"<MemoryBudget {self._name!r}: {self.reserved} of {self.limit} bytes>"

    def _want_bytes(self, n: int) -> None:
        if not _is_count(n) or n < 0:
            raise ResourceError(
                f"memory budget {self._name!r}: bytes must be an integer of 0 or more, got {n!r}"
            )


class Reservation:
    """Bytes of a budget, for a block. `MemoryBudget.reserving` makes one."""

    def __init__(
        self,
        budget: MemoryBudget,
        queue: FairQueue,
        n: int,
        *,
        wait: bool,
        timeout: float | None,
    ) -> None:
        self._budget = budget
        self._queue = queue
        self._n = n
        self._wait = wait
        self._timeout = timeout

    def __enter__(self) -> None:
        came = (
            self._queue.take_sync(self._n, self._timeout)
            if self._wait
            else self._queue.try_take(self._n)
        )
        if not came:
            raise self._no_room()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._budget.release(self._n)

    async def __aenter__(self) -> None:
        if self._wait:
            from asyncio import timeout  # noqa: PLC0415  # see FairQueue

            try:
                async with timeout(self._timeout):
                    await self._queue.take(self._n)
            except TimeoutError:
                raise self._no_room() from None
        elif not self._queue.try_take(self._n):
            raise self._no_room()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._budget.release(self._n)

    def _no_room(self) -> BudgetExceeded:
        budget = self._budget
        return BudgetExceeded(budget.name, self._n, budget.available, budget.limit)


def _is_count(value: object) -> bool:
    # A bool is an int to Python, but nobody means it; and fractions would not add up.
    return isinstance(value, int) and not isinstance(value, bool)
