"""What every transport can do, whatever carries its messages."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from mist.protocol import Message
from mist.transport.errors import EndOfStream, TransportClosed


@runtime_checkable
class Sender(Protocol):
    """Can send messages."""

    async def send(self, message: Message) -> None:
        """Send one message; returning means that it was taken.

        Raises:
            TransportError: It was not, or nobody knows; the kind and `code` tell which.
        """
        ...


@runtime_checkable
class Receiver(Protocol):
    """Can receive messages."""

    async def receive(self) -> Message:
        """Wait for the next message.

        Cancelling the call loses no message: the next call returns it.

        Raises:
            EndOfStream: There are no more.
            TransportClosed: The transport was closed, and what it held has been received.
            ProtocolError: What came is not a message; the one after it can be received.
        """
        ...


@runtime_checkable
class Transport(Sender, Receiver, Protocol):
    """Can send, receive, and be closed; safe for concurrent use by tasks of one event loop.

    `Conversation` adds to `send`, `receive` and `close` what else it takes: being an async
    context manager, and an async iterator of messages.
    """

    async def close(self) -> None:
        """Release everything; calling it again does nothing."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> Message: ...


class Conversation(ABC):
    """The base of a transport: `async with` closes it, `async for` receives from it.

    Iteration ends when the stream does, or when the transport is closed.
    """

    @abstractmethod
    async def receive(self) -> Message:
        """Wait for the next message; see `Receiver.receive`."""

    @abstractmethod
    async def close(self) -> None:
        """Release everything; calling it again does nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        try:
            return await self.receive()
        except (EndOfStream, TransportClosed):
            raise StopAsyncIteration from None
