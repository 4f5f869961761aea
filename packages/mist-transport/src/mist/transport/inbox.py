"""A bounded queue of messages that can be closed: what a receiver reads from."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from mist.transport.errors import BufferFull, InvalidSettingError, TransportClosed

T = TypeVar("T")
Waiters = deque["asyncio.Future[None]"]


class Inbox(Generic[T]):
    """A first-in, first-out queue with a bound, for the tasks of one event loop.

    Unlike `asyncio.Queue` it can be closed: what it holds can still be taken, nothing can be put.

    Attributes:
        total: How many items were ever put.
    """

    def __init__(
        self,
        size: int,
        name: str,
        *,
        weigh: Callable[[T], int] | None = None,
        capacity: int = 0,
    ) -> None:
        """Make an empty queue.

        Args:
            size: How many items it holds at most.
            name: What an error calls it.
            weigh: Tells how many bytes an item has, where these are bounded too.
            capacity: How many bytes its items have at most. One item is held whatever it has.
        """
        try:
            is_size = size >= 1
        except TypeError:  # text from a file or the environment, say
            is_size = False
        if not is_size:
            raise InvalidSettingError(f"size must be at least 1, got {size!r}")
        self.size = size
        self.name = name
        self.capacity = capacity
        self.closed = False
        self.total = 0
        self._weigh = weigh
        self._weight = 0
        self._items: deque[T] = deque()
        self._takers: Waiters = deque()
        self._waiting_for_room: Waiters = deque()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Add an item at the end, now.

        Raises:
            BufferFull: There is no room.
            TransportClosed: The queue was closed.
        """
        if self.closed:
            raise TransportClosed(f"{self.name} is closed")
        if len(self._items) >= self.size:
            raise BufferFull(
                f"{self.name} is full: {self.size} messages wait to be received", room=self.room
            )
        if self._weigh is not None:
            weight = self._weight + self._weigh(item)
            if weight > self.capacity and self._items:
                raise BufferFull(
                    f"{self.name} is full: {self._weight} of {self.capacity} bytes wait to be"
                    " received",
                    room=self.room,
                )
            self._weight = weight
        self._items.append(item)
        self.total += 1
        if self._takers:
            _wake_one(self._takers)

    async def take(self) -> T:
        """Wait for an item and remove it.

        Raises:
            TransportClosed: The queue was closed and is empty.
        """
        # Nothing is awaited between finding an item and returning it: a cancelled call has
        # taken nothing.
        came_too_late = False
        while not self._items:
            if self.closed:
                raise TransportClosed(f"{self.name} is closed")
            await _wait_in(self._takers, self._has_items, first=came_too_late)
            came_too_late = True
        item = self._items.popleft()
        if self._weigh is not None:
            self._weight -= self._weigh(item)
        if self._waiting_for_room:
            _wake_one(self._waiting_for_room)
        return item

    async def room(self) -> None:
        """Return when there may be room, or when the queue is closed."""
        if self.closed or self._has_room():
            return
        await _wait_in(self._waiting_for_room, self._has_room)
        # Who returns from here may be delayed or cancelled on its way to `put`. As long as the
        # room is there, the next in line must not depend on it.
        asyncio.get_running_loop().call_soon(self._offer_room)

    def close(self) -> None:
        """Take no more items, and wake everybody who waits."""
        self.closed = True
        for waiters in (self._takers, self._waiting_for_room):
            while waiters:
                _wake_one(waiters)

    def _has_items(self) -> bool:
        return bool(self._items)

    def _has_room(self) -> bool:
        if self._weigh is not None and self._weight >= self.capacity:
            return not self._items
        return len(self._items) < self.size

    def _offer_room(self) -> None:
        if self._has_room():
            _wake_one(self._waiting_for_room)


def _wake_one(waiters: Waiters) -> None:
    while waiters:
        waiter = waiters.popleft()
        if not waiter.done():
            waiter.set_result(None)
            return


async def _wait_in(
    waiters: Waiters, worth_waking: Callable[[], bool], *, first: bool = False
) -> None:
    waiter = asyncio.get_running_loop().create_future()
    if first:
        waiters.appendleft(waiter)
    else:
        waiters.append(waiter)
    try:
        await waiter
    except BaseException:
        if waiter.done() and not waiter.cancelled():
            # Woken and cancelled at once: hand the wake-up on, or it would be lost.
            if worth_waking():
                _wake_one(waiters)
        else:
            # Somebody who looked for a waiter to wake may have dropped this one already.
            with suppress(ValueError):
                waiters.remove(waiter)
        raise
