"""A transport that reconnects."""

import asyncio
import inspect
import random
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal

from mist.protocol import Message, ProtocolError
from mist.transport.errors import (
    BufferFull,
    EndOfStream,
    InvalidSettingError,
    Rejected,
    TransportClosed,
    TransportError,
    WrongTransportError,
    code_of,
    wish_of,
)
from mist.transport.interface import Conversation, Transport
from mist.transport.isolation import Isolation, want_plain

State = Literal["connecting", "connected", "disconnected", "closed"]

_MAY_PASS = frozenset({"transport", "timeout", "unavailable", "rate_limit"})
_JITTER = 0.25
# How long a transport that has failed is given to close, in seconds, before the next is made.
_CLOSE_TIMEOUT = 5.0


class Resilient(Conversation):
    """A transport that is made anew whenever its connection is lost.

    `send` returns when the message was delivered, however many connections that takes; bound it
    with `asyncio.timeout`. A message whose answer was lost with the connection is sent again, so
    that its receiver may see it twice, under the same id. What the lost connection had already
    received is still received.

    Only the loss of a connection is made good. The answers of a living peer (`Rejected`,
    `BufferFull`), the end of a stream, messages that are none, and errors that a new connection
    would meet again (codes validation, auth, not_found, conflict) are raised as they are.
    """

    def __init__(
        self,
        dial: Callable[[], Transport | Awaitable[Transport]],
        *,
        reconnect_wait: float = 0.1,
        max_reconnect_wait: float = 30.0,
        on_state_change: Callable[[State], object] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Make a transport that connects when it is first used.

        Args:
            dial: Makes a connected transport.
            reconnect_wait: Seconds to wait before the first reconnection; each further one in a
                row waits twice as long, give or take a quarter.
            max_reconnect_wait: The longest wait, in seconds.
            on_state_change: Called with each new state; what it raises is logged, once.
            sleep: Waits that many seconds.
            jitter: Returns random numbers from 0 to 1.

        Raises:
            InvalidSettingError: The waits make no sense, or the hook is a coroutine function.
            WrongTransportError: `dial` is no function, but a URL or a transport, say.
        """
        if not callable(dial):
            raise WrongTransportError(
                f"Resilient needs a function that makes a transport, got {dial!r};"
                " write Resilient(lambda: dial(url))"
            )
        want_plain("on_state_change", on_state_change)
        if not 0 <= reconnect_wait <= max_reconnect_wait:
            raise InvalidSettingError(
                "expected 0 <= reconnect_wait <= max_reconnect_wait,"
                f" got {reconnect_wait} and {max_reconnect_wait}"
            )
        self._dial = dial
        self._reconnect_wait = reconnect_wait
        self._max_reconnect_wait = max_reconnect_wait
        self._on_state_change = on_state_change
        self._isolated = Isolation("the on_state_change of Resilient").call
        self._sleep = sleep
        self._jitter = jitter
        self._state: State = "disconnected"
        self._transport: Transport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._failures = 0
        self._last_error: Exception | None = None
        # Lost connections on their way out, and what they had received.
        self._closing: set[asyncio.Task[None]] = set()
        self._left_over: deque[Message | ProtocolError] = deque()

    @property
    def state(self) -> State:
        """How it stands with the connection."""
        return self._state

    @property
    def last_error(self) -> Exception | None:
        """Why the connection was lost, or could not be made; None while all is well."""
        return self._last_error

    @property
    def inner(self) -> Transport | None:
        """The present connection, if there is one."""
        return self._transport

    async def send(self, message: Message) -> None:
        """Send a message, over as many connections as it takes.

        Raises:
            TransportClosed: This transport was closed.
            TransportError: The peer did not take the message, or no connection can be made.
        """
        while True:
            transport = self._transport
            if transport is None:
                await self._reconnect()
                continue
            try:
                await transport.send(message)
            except Exception as exc:
                if not _is_loss(exc):
                    raise
                self._lose(transport, exc)
            else:
                self._prove(transport)
                return

    async def receive(self) -> Message:
        """Wait for the next message, over as many connections as it takes.

        Raises:
            EndOfStream: There are no more messages.
            TransportClosed: This transport was closed, and what it held has been received.
            ProtocolError: What came is not a message; the one after it can be received.
        """
        while True:
            if self._closing:
                await asyncio.wait(self._closing)
            if self._left_over:
                return _message_or_raise(self._left_over.popleft())
            transport = self._transport
            if transport is None:
                await self._reconnect()
                continue
            try:
                message = await transport.receive()
            except Exception as exc:
                # Where another call has given the connection up, its end is no news.
                if transport is self._transport and not _is_loss(exc):
                    raise
                if isinstance(exc, ProtocolError):
                    raise
                self._lose(transport, exc)
            else:
                self._prove(transport)
                return message

    async def close(self) -> None:
        """Close the connection, and end all calls that wait with `TransportClosed`."""
        self._enter("closed")
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        if self._transport is not None:
            self._retire(self._transport)
        if self._closing:
            await asyncio.wait(self._closing)

    async def _reconnect(self) -> None:
        """Wait for the present attempt to connect, making one where there is none."""
        if self._state == "closed":
            raise TransportClosed("the transport is closed") from self._last_error
        # One task connects for all who wait, and outlives any of them that is cancelled.
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(self._stop_connecting)
        connecting = self._connecting
        await asyncio.wait([connecting])
        if not connecting.cancelled():
            if error := connecting.exception():
                raise error
        elif self.state != "closed":
            self._enter("disconnected")
            raise TransportError("what dials was cancelled from within", code="cancelled")

    def _stop_connecting(self, task: "asyncio.Task[None]") -> None:
        self._connecting = None
        if not task.cancelled():
            task.exception()  # those who wait raise it; there may be none left

    async def _connect(self) -> None:
        if self._closing:
            await asyncio.wait(self._closing)
        while True:
            if self._failures:
                await self._sleep(self._wait())
            self._enter("connecting")
            try:
                made = self._dial()
                self._transport = await made if inspect.isawaitable(made) else made
            except Exception as exc:
                self._last_error = exc
                self._enter("disconnected")
                if code_of(exc) not in _MAY_PASS:
                    raise
                self._failures += 1
            else:
                self._enter("connected")
                return

    def _wait(self) -> float:
        wait = self._reconnect_wait * 2.0 ** min(self._failures - 1, 60)
        wait *= 1 + _JITTER * (2 * self._jitter() - 1)
        return min(max(wait, wish_of(self._last_error)), self._max_reconnect_wait)

    def _prove(self, transport: Transport) -> None:
        """Take a call that succeeded as proof of the connection: one just made proves nothing."""
        if self._last_error is not None and transport is self._transport:
            self._failures = 0
            self._last_error = None

    def _lose(self, transport: Transport, exc: Exception) -> None:
        """Give up a connection, unless another call that used it has done so already."""
        if transport is self._transport:
            self._retire(transport)
            self._failures += 1
            self._last_error = exc
            self._enter("disconnected")

    def _retire(self, transport: Transport) -> None:
        self._transport = None
        task = asyncio.create_task(self._close_and_drain(transport))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close_and_drain(self, transport: Transport) -> None:
        # What has failed may fail, or hang, in closing too.
        with suppress(Exception):
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await transport.close()
                while True:
                    try:
                        self._left_over.append(await transport.receive())
                    except ProtocolError as exc:
                        self._left_over.append(exc)

    def _enter(self, state: State) -> None:
        if self._state not in (state, "closed"):
            self._state = state
            if self._on_state_change is not None:
                self._isolated(self._on_state_change, state)


def _is_loss(exc: Exception) -> bool:
    """Tell a lost connection from an answer that came over one."""
    if isinstance(exc, TransportClosed):
        return True
    if isinstance(exc, (Rejected, BufferFull, EndOfStream)):
        return False
    return code_of(exc) in _MAY_PASS


def _message_or_raise(item: Message | ProtocolError) -> Message:
    if isinstance(item, ProtocolError):
        raise item
    return item
