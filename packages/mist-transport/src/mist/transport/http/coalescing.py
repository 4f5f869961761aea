"""Sends that wait while a request is in flight, put together into the next one.

A send that finds nothing in flight goes at once, so that coalescing adds no delay; the longer a
request takes, the more the next one carries.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import Context
from typing import Final, NamedTuple

from mist.transport.errors import TransportClosed, TransportError, TransportTimeout

Fate = TransportError | None
"""What became of one message: None when it was taken."""

Post = Callable[[list[bytes], Mapping[str, str]], Awaitable[Sequence[Fate]]]
"""Posts lines with extra headers and returns the fate of each, or raises for all of them."""

_CLOSED: Final = "the transport was closed before the peer answered"


class _Waiting(NamedTuple):
    line: bytes
    fate: "asyncio.Future[Fate]"


class Coalescer:
    """Sends lines in batches, each batch one request, and tells each line's fate.

    Lines with the same headers keep their order, and one request of theirs is in flight at a
    time; lines with other headers do not wait for them. The requests belong to the coalescer: a
    send that is cancelled is not sent if it still waits, and harms no other.
    """

    def __init__(self, post: Post, *, max_messages: int, max_bytes: int) -> None:
        """Make a coalescer with nothing in flight.

        Args:
            post: Makes one request.
            max_messages: How many lines a request carries at most; one that is broken into
                several goes alone.
            max_bytes: How many bytes its lines have at most; a longer line goes alone.
        """
        self._post = post
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._lanes: dict[tuple[tuple[str, str], ...], deque[_Waiting]] = {}
        self._runs: set[asyncio.Task[None]] = set()

    async def send(self, line: bytes, headers: Mapping[str, str]) -> None:
        """Send one line, at once or with those that wait.

        Raises:
            TransportError: It was not taken, or nobody knows.
        """
        fate: asyncio.Future[Fate] = asyncio.get_running_loop().create_future()
        key = tuple(headers.items()) if headers else ()
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = deque()
            # The request serves many sends, so it takes on the context of none of them.
            run = asyncio.create_task(self._run(key, lane), context=Context())
            self._runs.add(run)
            run.add_done_callback(self._runs.discard)
        lane.append(_Waiting(line, fate))
        fault = await fate
        if fault is not None:
            raise fault

    async def close(self, patience: float) -> None:
        """Finish what waits and what is in flight, then fail what is left.

        Args:
            patience: How long that may take, in seconds.
        """
        if self._runs:
            _, late = await asyncio.wait(self._runs, timeout=patience)
            for run in late:
                run.cancel()
            if late:
                await asyncio.wait(late)

    async def _run(self, key: tuple[tuple[str, str], ...], lane: deque[_Waiting]) -> None:
        headers = dict(key)
        batch: list[_Waiting] = []
        try:
            while lane:
                batch = self._next_batch(lane)
                if batch:
                    await self._send_batch(batch, headers, lane)
                    # Senders woken just now run before this task does: what they send next
                    # goes into the next batch, rather than all but the first into the one after.
                    await asyncio.sleep(0)
        finally:
            del self._lanes[key]
            for waiting in (*batch, *lane):
                _settle(waiting, TransportClosed(_CLOSED))

    def _next_batch(self, lane: deque[_Waiting]) -> list[_Waiting]:
        batch: list[_Waiting] = []
        room = self._max_bytes
        while lane and len(batch) < self._max_messages:
            if lane[0].fate.cancelled():
                lane.popleft()
                continue
            line = lane[0].line
            room -= len(line) + 1
            # A payload that came with line breaks keeps them, and so does not fit on a line.
            goes_alone = b"\n" in line
            if batch and (room < 0 or goes_alone):
                break
            batch.append(lane.popleft())
            if goes_alone:
                break
        return batch

    async def _send_batch(
        self, batch: list[_Waiting], headers: Mapping[str, str], lane: deque[_Waiting]
    ) -> None:
        waited_throughout = len(lane)
        try:
            fates = await self._post([waiting.line for waiting in batch], headers)
        except TransportError as exc:
            failed = batch
            if isinstance(exc, TransportTimeout):
                # These have waited as long as a request may take. Were each batch of them given
                # as long again, a peer that hangs would hold the last for ever.
                failed = batch + [lane.popleft() for _ in range(waited_throughout)]
            for waiting in failed:
                _settle(waiting, _own(exc))
        except Exception as exc:  # noqa: BLE001  # out of memory, say: those behind go on
            for waiting in batch:
                if not waiting.fate.done():
                    waiting.fate.set_exception(exc)
        else:
            for waiting, fate in zip(batch, fates, strict=True):
                _settle(waiting, fate)


def _settle(waiting: _Waiting, fate: Fate) -> None:
    if not waiting.fate.done():
        waiting.fate.set_result(fate)


def _own(exc: TransportError) -> TransportError:
    """Return an equal exception: each sender raises one of its own, with its own traceback."""
    own = type(exc)(str(exc), code=exc.code, retry_after=exc.retry_after)
    own.__cause__ = exc.__cause__
    return own
