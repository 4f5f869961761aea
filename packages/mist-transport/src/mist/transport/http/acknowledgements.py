"""Which of the messages that were taken the receiver has acknowledged."""

import asyncio
from collections import deque


class Acknowledgements:
    """Counts what was acknowledged, and lets requests wait until theirs is.

    Messages are acknowledged in the order in which they were taken, so that a count is enough.
    """

    def __init__(self) -> None:
        self._count = 0
        self._ended = False
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def add(self, count: int) -> None:
        """Acknowledge the next messages."""
        self._count += count
        while self._waiting and self._waiting[0][0] <= self._count:
            self._wake_first()

    def end(self) -> None:
        """Let nobody wait any longer, now or later."""
        self._ended = True
        while self._waiting:
            self._wake_first()

    async def wait_for(self, count: int) -> None:
        """Return when so many messages in all are acknowledged, or no more will be.

        Args:
            count: Not less than that of any call before.
        """
        if count <= self._count or self._ended:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append((count, waiter))
        await waiter

    def _wake_first(self) -> None:
        _, waiter = self._waiting.popleft()
        if not waiter.done():
            waiter.set_result(None)
