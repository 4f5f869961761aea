"""Moves messages from a source to a destination, at the pace of the slower one.

Nothing that was read is lost: a destination that has no room is waited for, and when the pump is
cancelled it reads no more and delivers what it has, within a bounded time.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from mist.protocol import Message, ProtocolError
from mist.transport import (
    BufferFull,
    EndOfStream,
    Rejected,
    Transport,
    TransportClosed,
    TransportError,
)

WINDOW: Final = 512
"""How many messages are read ahead of the destination, and sent at once, at most."""

_FIRST_WAIT: Final = 0.02
_LONGEST_WAIT: Final = 1.0


class Pump:
    """Reads from a source and sends to a destination, in order.

    Attributes:
        delivered: How many messages the destination has taken.
        malformed: How many lines of the source were not messages.
    """

    def __init__(
        self,
        source: Transport,
        destination: Transport,
        *,
        together: Callable[[], bool] = lambda: False,
        limit: int | None = None,
        skip: int = 0,
        on_delivered: Callable[[int], None] = lambda _count: None,
        on_malformed: Callable[[ProtocolError], None] = lambda _error: None,
    ) -> None:
        """Connect the two ends; `run` moves the messages.

        Args:
            source: Where messages come from.
            destination: Where they go.
            together: Whether the destination keeps the order of messages sent all at once; asked
                before each window, as it may turn out on the way. Otherwise each is sent alone.
            limit: Stop after this many messages.
            skip: Pass over this many messages at the start.
            on_delivered: Told of each number of messages that was taken.
            on_malformed: Told of each line that is not a message.
        """
        self.delivered = 0
        self.malformed = 0
        self._source = source
        self._destination = destination
        self._together = together
        self._limit = limit
        self._skip = skip
        self._on_delivered = on_delivered
        self._on_malformed = on_malformed
        self._ahead: deque[Message] = deque()
        self._undelivered: Sequence[Message] = ()
        self._source_ended = False
        self._changed = asyncio.Event()

    @property
    def undelivered(self) -> list[Message]:
        """What was read and not taken by the destination."""
        return [*self._undelivered, *self._ahead]

    async def run(self, *, patience: float) -> None:
        """Move messages until the source ends, or until cancelled.

        Args:
            patience: How long to go on delivering what was read once cancelled, in seconds.

        Raises:
            TransportError: The source or the destination failed.
            CancelledError: The call was cancelled; `undelivered` holds what is left.
        """
        moving = asyncio.create_task(self._move())
        try:
            await asyncio.shield(moving)
        except asyncio.CancelledError:
            await self._source.close()
            await asyncio.wait({moving}, timeout=patience)
            raise
        finally:
            if moving.cancel():
                await asyncio.wait({moving})

    async def _move(self) -> None:
        reading = asyncio.create_task(self._read())
        try:
            while self._ahead or not self._source_ended:
                if not self._ahead:
                    await self._wait_for_change()
                    continue
                size = min(WINDOW, len(self._ahead))
                self._undelivered = [self._ahead.popleft() for _ in range(size)]
                self._changed.set()
                await self._deliver()
            await reading  # for the error that ended it, if one did
        finally:
            if reading.cancel():
                await asyncio.wait({reading})

    async def _read(self) -> None:
        taken = 0
        try:
            while self._limit is None or taken < self._limit:
                while len(self._ahead) >= WINDOW:
                    await self._wait_for_change()
                try:
                    message = await self._source.receive()
                except ProtocolError as exc:
                    self.malformed += 1
                    self._on_malformed(exc)
                    continue
                except (EndOfStream, TransportClosed):
                    return
                if self._skip:
                    self._skip -= 1
                    continue
                taken += 1
                self._ahead.append(message)
                self._changed.set()
        finally:
            self._source_ended = True
            self._changed.set()

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _deliver(self) -> None:
        """Send what is in `_undelivered`, until the destination has taken all of it.

        Messages that find no room are sent again before any that come after them.
        """
        wait = _FIRST_WAIT
        while self._undelivered:
            before = len(self._undelivered)
            error = await self._send_all()
            taken = before - len(self._undelivered)
            self.delivered += taken
            if taken:
                self._on_delivered(taken)
                wait = _FIRST_WAIT
            if error is None:
                continue
            if isinstance(error, BufferFull):
                await error.wait_for_room()
            elif isinstance(error, Rejected) and error.code in ("unavailable", "rate_limit"):
                await asyncio.sleep(min(wait, error.retry_after or _LONGEST_WAIT))
                wait = min(2 * wait, _LONGEST_WAIT)
            else:
                raise error

    async def _send_all(self) -> TransportError | ProtocolError | None:
        """Send each message once; keep those that were not taken, and return the gravest error."""
        messages = self._undelivered
        if len(messages) > 1 and self._together():
            results = await asyncio.gather(
                *(_attempt(self._destination, message) for message in messages)
            )
        else:
            # A message that fails stops those behind it, so that none overtakes it.
            results = []
            for message in messages:
                results.append(await _attempt(self._destination, message))
                if results[-1] is not None:
                    break
        errors = [error for error in results if error is not None]
        failed = [
            message for message, error in zip(messages, results, strict=False) if error is not None
        ]
        self._undelivered = failed + list(messages[len(results) :])
        lasting = [error for error in errors if error.code not in ("unavailable", "rate_limit")]
        return next(iter([*lasting, *errors]), None)


async def _attempt(
    destination: Transport, message: Message
) -> TransportError | ProtocolError | None:
    try:
        await destination.send(message)
    except (TransportError, ProtocolError) as exc:
        return exc
    return None
