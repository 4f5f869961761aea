"""Moves messages from a source to a destination, at the pace of the slower one.

Nothing that was read is lost: a destination that has no room, or is away, is waited for, and when
the pump is cancelled it reads no more and delivers what it has, within a bounded time.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from mist.protocol import Message, ProtocolError
from mist.transport import BufferFull, EndOfStream, Transport, TransportClosed, TransportError

WINDOW: Final = 512
"""How many messages are read ahead of the destination, and sent at once, at most."""

WINDOW_BYTES: Final = 768 << 10
"""How much of them, in bytes, unless one alone is longer.

Together they fit into one HTTP batch, so that none arrives when one before it did not.
"""

_ENVELOPE_BYTES = 512
_FIRST_WAIT: Final = 0.02
_LONGEST_WAIT: Final = 1.0
_LONGEST_WISH: Final = 60.0


def _never(_error: Exception) -> bool:
    return False


class Pump:
    """Reads from a source and sends to a destination, in order.

    Attributes:
        delivered: How many messages the destination has taken.
        in_sequence: How many of them came before the first that it has not taken.
        waiting_for: Why the destination takes nothing just now; None while it does.
    """

    def __init__(
        self,
        source: Transport,
        destination: Transport,
        *,
        together: Callable[[], bool] = lambda: False,
        may_pass: Callable[[Exception], bool] = _never,
        limit: int | None = None,
        skip: int = 0,
        on_delivered: Callable[[int], None] = lambda _count: None,
        on_waiting: Callable[[Exception], None] = lambda _error: None,
        on_malformed: Callable[[ProtocolError], None] = lambda _error: None,
    ) -> None:
        """Connect the two ends; `run` moves the messages.

        Args:
            source: Where messages come from.
            destination: Where they go.
            together: Whether the destination keeps the order of messages sent all at once; asked
                before each window, as it may turn out on the way. Otherwise each is sent alone.
            may_pass: Whether an error of the destination is to be waited out, like a full buffer.
            limit: Stop after this many messages.
            skip: Pass over this many messages at the start.
            on_delivered: Told of each number of messages that was taken.
            on_waiting: Told of each error that is waited out.
            on_malformed: Told of each line that is not a message.
        """
        self.delivered = 0
        self.in_sequence = 0
        self.waiting_for: Exception | None = None
        self._source = source
        self._destination = destination
        self._together = together
        self._may_pass = may_pass
        self._limit = limit
        self._skip = skip
        self._on_delivered = on_delivered
        self._on_waiting = on_waiting
        self._on_malformed = on_malformed
        self._ahead: deque[Message] = deque()
        self._ahead_bytes = 0
        self._window: deque[Message] = deque()
        self._source_ended = False
        self._changed = asyncio.Event()

    @property
    def undelivered(self) -> list[Message]:
        """What was read and not taken by the destination."""
        return [*self._window, *self._ahead]

    async def run(self, *, patience: Callable[[], float]) -> None:
        """Move messages until the source ends, or until cancelled; the source is closed then.

        Args:
            patience: Asked, once cancelled, how long to go on delivering what was read, in
                seconds.

        Raises:
            TransportError: The source or the destination failed.
            CancelledError: The call was cancelled.
        """
        moving = asyncio.create_task(self._move())
        try:
            await asyncio.shield(moving)
        except asyncio.CancelledError:
            await self._source.close()
            await asyncio.wait({moving}, timeout=patience())
            raise
        finally:
            if moving.cancel():
                await asyncio.wait({moving})
            await self._take_the_rest()

    async def _move(self) -> None:
        reading = asyncio.create_task(self._read())
        try:
            while self._ahead or not self._source_ended:
                if not self._ahead:
                    await self._wait_for_change()
                    continue
                self._fill_window()
                await self._deliver()
            await reading  # for the error that ended it, if one did
        finally:
            if reading.cancel():
                await asyncio.wait({reading})

    async def _read(self) -> None:
        taken = 0
        try:
            while self._limit is None or taken < self._limit:
                while len(self._ahead) >= WINDOW or self._ahead_bytes >= WINDOW_BYTES:
                    await self._wait_for_change()
                try:
                    message = await self._source.receive()
                except ProtocolError as exc:
                    self._on_malformed(exc)
                    continue
                except (EndOfStream, TransportClosed):
                    return
                if self._skip:
                    self._skip -= 1
                    continue
                taken += 1
                self._ahead.append(message)
                self._ahead_bytes += _size(message)
                self._changed.set()
        finally:
            self._source_ended = True
            self._changed.set()

    async def _take_the_rest(self) -> None:
        """Close the source and take what it still holds: its peers believe it delivered."""
        await self._source.close()
        while True:
            try:
                self._ahead.append(await self._source.receive())
            except ProtocolError as exc:
                self._on_malformed(exc)
            except TransportError:
                return

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _fill_window(self) -> None:
        size = 0
        while self._ahead and len(self._window) < WINDOW:
            size += _size(self._ahead[0])
            if self._window and size > WINDOW_BYTES:
                break
            message = self._ahead.popleft()
            self._ahead_bytes -= _size(message)
            self._window.append(message)
        self._changed.set()

    async def _deliver(self) -> None:
        """Send the window until the destination has taken all of it.

        Messages that were not taken are sent again before any that come after them.
        """
        wait = _FIRST_WAIT
        while self._window:
            before = len(self._window)
            try:
                error = await self._send_window()
            finally:
                taken = before - len(self._window)
                if taken:
                    self.delivered += taken
                    self.waiting_for = None
                    self._on_delivered(taken)
                    wait = _FIRST_WAIT
            if error is None:
                self.in_sequence = self.delivered
                continue
            if not isinstance(error, BufferFull) and not self._may_pass(error):
                raise error
            self.waiting_for = error
            self._on_waiting(error)
            if isinstance(error, BufferFull):
                await error.wait_for_room()
            else:
                # Listeners ask for a second, for want of smaller units; who asks for more means it.
                wish = getattr(error, "retry_after", None) or 0.0
                await asyncio.sleep(min(wish, _LONGEST_WISH) if wish > _LONGEST_WAIT else wait)
                wait = min(2 * wait, _LONGEST_WAIT)

    async def _send_window(self) -> TransportError | ProtocolError | None:
        """Send each message once; keep those that were not taken, and return the gravest error."""
        if len(self._window) > 1 and self._together():
            results = await asyncio.gather(
                *(_attempt(self._destination, message) for message in self._window)
            )
            self.in_sequence += next((n for n, error in enumerate(results) if error), len(results))
            failed = [pair for pair in zip(self._window, results, strict=True) if pair[1]]
            self._window = deque(message for message, _ in failed)
            errors = [error for _, error in failed if error]
            lasting = [error for error in errors if not self._may_pass(error)]
            return next(iter([*lasting, *errors]), None)
        # A message that fails stops those behind it, so that none overtakes it.
        while self._window:
            error = await _attempt(self._destination, self._window[0])
            if error is not None:
                return error
            self._window.popleft()
            self.in_sequence += 1
        return None


def _size(message: Message) -> int:
    return len(message.payload) + _ENVELOPE_BYTES


async def _attempt(
    destination: Transport, message: Message
) -> TransportError | ProtocolError | None:
    try:
        await destination.send(message)
    except (TransportError, ProtocolError) as exc:
        return exc
    return None
