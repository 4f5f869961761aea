"""What a tool works with, whatever carries its messages."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mist import trace
from mist.command.demo.settings import Settings
from mist.logging import Logger
from mist.metrics import Registry
from mist.protocol import Message, MessageType
from mist.transport import Sender

_TOGETHER: Final = 256  # messages that are sent at the same time


class Outgoing:
    """Messages that are sent by and by, while their makers go on. None is dropped."""

    def __init__(self, outbox: Sender) -> None:
        """Send nothing yet.

        Args:
            outbox: Takes the messages.
        """
        self._outbox = outbox
        self._waiting: asyncio.Queue[Message] = asyncio.Queue()
        self._sending: asyncio.Task[None] | None = None

    def put(self, message: Message) -> None:
        """Have a message sent."""
        self._waiting.put_nowait(message)

    async def flush(self) -> None:
        """Return once all messages so far were taken by their recipients.

        Raises:
            TransportError: One was not.
        """
        assert self._sending is not None  # noqa: S101  # `sending` is entered
        joining = asyncio.create_task(self._waiting.join())
        try:
            await asyncio.wait((joining, self._sending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            joining.cancel()
        if self._sending.done():
            self._sending.result()

    @asynccontextmanager
    async def sending(self) -> AsyncGenerator[None]:
        """Send while entered, and every span that ends in this process as well.

        A span is a message of the tool that its operation begins with.
        """
        handle = trace.add_sink(lambda span: self.put(_span_message(span)))
        self._sending = asyncio.create_task(self._send())
        try:
            yield
        finally:
            handle.remove()
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    async def _send(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < _TOGETHER and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await asyncio.gather(*map(self._outbox.send, batch))
            for _ in batch:
                self._waiting.task_done()


@dataclass
class Desk:
    """A tool's place: messages come in, messages go out.

    Attributes:
        tool: The tool's name, the source of its messages.
        settings: What the run was started with.
        directory: The run's files.
        inbox: What arrives, until nothing more can.
        outbox: Takes what the tool sends, and knows who gets it.
        outgoing: Takes what may be sent a little later.
        log: The tool's log.
        metrics: The tool's metrics.
        stopping: Set when no more work is to be begun.
    """

    tool: str
    settings: Settings
    directory: Path
    inbox: AsyncIterator[Message]
    outbox: Sender
    outgoing: Outgoing
    log: Logger
    metrics: Registry
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, type: str, payload: object) -> None:  # noqa: A002  # the wire's name
        """Make a message and send it."""
        await self.outbox.send(Message.new(self.tool, type, payload))

    def send_later(self, type: str, payload: object) -> None:  # noqa: A002  # the wire's name
        """Make a message and have it sent, from where nothing can be awaited."""
        self.outgoing.put(Message.new(self.tool, type, payload))


def _span_message(span: trace.Span) -> Message:
    tool = span.operation.partition(".")[0]
    return Message.new(tool, MessageType.TRACE_SPAN, span.to_payload())
