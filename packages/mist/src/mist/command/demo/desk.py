"""What a tool works with, whatever carries its messages."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
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

_TOGETHER: Final = 256  # spans that are sent at the same time


@dataclass
class Desk:
    """A tool's place: messages come in, messages go out.

    Attributes:
        tool: The tool's name, the source of its messages.
        settings: What the run was started with.
        directory: The run's files.
        inbox: What arrives, until nothing more can.
        outbox: Takes what the tool sends, and knows who gets it.
        log: The tool's log.
        metrics: The tool's metrics.
        stopping: Set when no more work is to be begun.
    """

    tool: str
    settings: Settings
    directory: Path
    inbox: AsyncIterator[Message]
    outbox: Sender
    log: Logger
    metrics: Registry
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, type: str, payload: object) -> None:  # noqa: A002  # the wire's name
        """Make a message and send it."""
        await self.outbox.send(Message.new(self.tool, type, payload))


@asynccontextmanager
async def span_mail(outbox: Sender) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Send every span that ends in this process, as a message of the tool that it is named for.

    None is dropped: cost is counted from spans, and is to come out the same each time.

    Yields:
        What returns once all spans that have ended so far were taken by their recipients.
    """
    ended: asyncio.Queue[trace.Span] = asyncio.Queue()

    async def send() -> None:
        while True:
            batch = [await ended.get()]
            while len(batch) < _TOGETHER and not ended.empty():
                batch.append(ended.get_nowait())
            await asyncio.gather(*(outbox.send(_message(span)) for span in batch))
            for _ in batch:
                ended.task_done()

    async def flush() -> None:
        joining = asyncio.ensure_future(ended.join())
        try:
            await asyncio.wait((joining, sending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            joining.cancel()
        if sending.done():
            sending.result()

    handle = trace.add_sink(ended.put_nowait)
    sending = asyncio.create_task(send())
    try:
        yield flush
    finally:
        handle.remove()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


def _message(span: trace.Span) -> Message:
    tool = span.operation.partition(".")[0]
    return Message.new(tool, MessageType.TRACE_SPAN, span.to_payload())
