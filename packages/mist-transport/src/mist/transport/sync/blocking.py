"""Transports with calls that block.

All of them live on one event loop, on a background thread that starts when the first is made.
They can be used from several threads at once, and close when the process ends. Within a running
event loop they are refused: there, `mist.transport.dial` and `await` are the way.
"""

import asyncio
import inspect
import weakref
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from mist.protocol import Message
from mist.transport.backpressure import blocking_send
from mist.transport.dial import dial as dial_async
from mist.transport.errors import EndOfStream, TransportClosed, TransportError, TransportTimeout
from mist.transport.headers import incoming_headers
from mist.transport.interface import Transport
from mist.transport.sync.background import Background, background

T = TypeVar("T")
AnyTransport = TypeVar("AnyTransport", bound=Transport)


def dial(url: str, **options: Any) -> "SyncTransport[Transport]":
    """Return the transport that a URL names, with calls that block.

    Args:
        url: As `mist.transport.dial` takes it.
        options: As `mist.transport.dial` takes them for this scheme.

    Raises:
        TransportError: It was called within a running event loop.
    """
    return blocking(lambda: dial_async(url, **options))


def blocking(
    make: "Callable[[], AnyTransport | Awaitable[AnyTransport]]",
) -> "SyncTransport[AnyTransport]":
    """Give any transport calls that block: `blocking(lambda: Resilient(...))`.

    Args:
        make: Makes the transport; it is called on the background thread.

    Raises:
        TransportError: It was called within a running event loop.
    """
    _refuse_event_loop()
    home = background()

    async def make_there() -> AnyTransport:
        made = make()
        return await made if inspect.isawaitable(made) else made

    return SyncTransport(home.run(make_there, copy_context(), home.abandon), home)


class SyncTransport(Generic[AnyTransport]):
    """A transport whose calls block; safe for use by several threads at once.

    Timeouts are in seconds, None for none. A call that times out, or is interrupted by Ctrl-C,
    is cancelled: a message that had not been received then is received by the next call.
    """

    def __init__(self, transport: AnyTransport, home: Background) -> None:
        self._transport = transport
        self._home = home
        # Messages that arrived while their receiver was being interrupted.
        self._unclaimed: deque[Message] = deque()
        home.adopt(transport)
        weakref.finalize(self, home.abandon, transport).atexit = False

    @property
    def transport(self) -> AnyTransport:
        """The transport itself, which lives on the background thread: look, do not await."""
        return self._transport

    def send(self, message: Message, timeout: float | None = None) -> None:
        """Send one message; returning means that it was taken.

        Raises:
            TransportTimeout: It took longer; whether the message was taken is not known.
            TransportError: It was not taken, or nobody knows; the kind and `code` tell which.
        """
        self._run("send", lambda: self._transport.send(message), timeout)

    def blocking_send(self, message: Message, timeout: float | None = None) -> None:
        """Send a message, waiting for room where there is none.

        Raises:
            TransportTimeout: It took longer; whether the message was taken is not known.
            TransportError: Sending failed for another reason than a lack of room.
        """
        self._run("blocking_send", lambda: blocking_send(self._transport, message), timeout)

    def receive(self, timeout: float | None = None) -> Message:
        """Wait for the next message.

        Raises:
            TransportTimeout: There was none in time.
            EndOfStream: There are no more.
            TransportClosed: The transport was closed, and what it held has been received.
            ProtocolError: What came is not a message; the one after it can be received.
        """
        if self._unclaimed:
            try:
                return self._unclaimed.popleft()
            except IndexError:
                pass  # another thread was faster
        return self._run("receive", self._transport.receive, timeout, self._unclaimed.append)

    def call(
        self, operation: Callable[[AnyTransport], Awaitable[T]], timeout: float | None = None
    ) -> T:
        """Run what only this kind of transport can do: `t.call(lambda http: http.listen(addr))`.

        Raises:
            TransportTimeout: It took longer.
        """
        return self._run("call", lambda: operation(self._transport), timeout)

    def close(self) -> None:
        """Release everything; calling it again does nothing."""
        if self._home.is_ours:
            self._run("close", lambda: self._home.close(self._transport), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message:
        try:
            return self.receive()
        except (EndOfStream, TransportClosed):
            raise StopIteration from None

    def _run(
        self,
        what: str,
        operation: Callable[[], Awaitable[T]],
        timeout: float | None,
        unclaimed: Callable[[T], object] | None = None,
    ) -> T:
        _refuse_event_loop()
        if not self._home.is_ours:
            raise TransportError(
                "this transport belongs to the parent process, whose event loop a fork does not"
                " copy: dial again in the child",
                code="validation",
            )
        context = copy_context()
        try:
            return self._home.run(_bounded(what, operation, timeout), context, unclaimed)
        finally:
            # What came with a message is read in the context of the thread that receives it.
            if incoming_headers in context:
                incoming_headers.set(context[incoming_headers])


def _bounded(
    what: str, operation: Callable[[], Awaitable[T]], timeout: float | None
) -> Callable[[], Coroutine[Any, Any, T]]:
    async def work() -> T:
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                return await operation()
        except TimeoutError:
            if limit.expired():
                raise TransportTimeout(f"{what} took longer than {timeout} s") from None
            raise

    return work


def _refuse_event_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise TransportError(
        "mist.transport.sync blocks, and an event loop is running in this thread:"
        " use mist.transport.dial and await",
        code="validation",
    )
