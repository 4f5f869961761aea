"""A transport that does as it is told."""

import sys
from collections import deque
from collections.abc import Iterable

from mist.protocol import Message
from mist.transport.errors import EndOfStream, TransportClosed
from mist.transport.inbox import Inbox
from mist.transport.interface import Conversation


class MockTransport(Conversation):
    """Receives what a script says, and keeps what is sent.

    Attributes:
        sent: The messages that were sent, in order.
    """

    def __init__(
        self,
        receives: Iterable[Message | Exception] = (),
        *,
        sends: Iterable[Exception | None] = (),
        quiet: bool = False,
    ) -> None:
        """Make an open transport.

        Args:
            receives: What each call of `receive` returns, or raises.
            sends: What the first sends raise; None for one that succeeds. Later ones succeed.
            quiet: Wait for `feed` when the script is over, instead of raising `EndOfStream`.
        """
        self.sent: list[Message] = []
        self._script: Inbox[Message | Exception] = Inbox(sys.maxsize, "the mock transport")
        self._outcomes = deque(sends)
        self._quiet = quiet
        self.feed(*receives)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._script.closed

    def feed(self, *items: Message | Exception) -> None:
        """Add to what is received."""
        for item in items:
            self._script.put(item)

    def fail_next_send(self, error: Exception) -> None:
        """Have the next send raise an error, before what else was planned."""
        self._outcomes.appendleft(error)

    async def send(self, message: Message) -> None:
        """Keep the message, or raise what was planned.

        Raises:
            TransportClosed: The transport was closed.
        """
        if self.closed:
            raise TransportClosed("the mock transport is closed")
        if self._outcomes and (error := self._outcomes.popleft()) is not None:
            raise error
        self.sent.append(message)

    async def receive(self) -> Message:
        """Return or raise the next item of the script.

        Raises:
            EndOfStream: The script is over.
            TransportClosed: The transport was closed.
        """
        if not self._script and not self._quiet and not self.closed:
            raise EndOfStream("the script of the mock transport is over")
        item = await self._script.take()
        if isinstance(item, Exception):
            raise item
        return item

    async def close(self) -> None:
        """Close the transport; what is left of the script can still be received."""
        self._script.close()
