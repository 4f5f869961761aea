"""Messages between tasks of one process."""

from typing import Self
from weakref import WeakValueDictionary

from mist.protocol import Message
from mist.transport.inbox import Inbox
from mist.transport.interface import Conversation

_named: WeakValueDictionary[str, "Channel"] = WeakValueDictionary()


class Channel(Conversation):
    """An in-process queue: what is sent into it is received from it.

    Full means `BufferFull`, at once; `blocking_send` waits for room. After `close`, what was
    already sent can still be received.
    """

    def __init__(self, size: int = 256) -> None:
        """Make an open channel.

        Args:
            size: How many messages may wait to be received.
        """
        self._incoming: Inbox[Message] = Inbox(size, "channel")
        self._outgoing = self._incoming

    @classmethod
    def pair(cls, size: int = 256) -> tuple[Self, Self]:
        """Make the two ends of a two-way channel: what one sends, the other receives.

        Args:
            size: How many messages may wait in each direction.
        """
        one, other = cls(size), cls(size)
        one._outgoing, other._outgoing = other._incoming, one._incoming
        return one, other

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._outgoing.closed

    async def send(self, message: Message) -> None:
        """Put a message into the channel.

        Raises:
            BufferFull: As many messages as the channel holds wait to be received.
            TransportClosed: The channel, or the other end of the pair, was closed.
        """
        self._outgoing.put(message)

    async def receive(self) -> Message:
        """Wait for a message.

        Raises:
            TransportClosed: The channel was closed and is empty.
        """
        return await self._incoming.take()

    async def close(self) -> None:
        """Close the channel for both sides; what was sent can still be received."""
        self._outgoing.close()
        self._incoming.close()


def channel_pair(size: int = 256) -> tuple[Channel, Channel]:
    """Return the two ends of a two-way channel: what one sends, the other receives.

    Args:
        size: How many messages may wait in each direction.
    """
    return Channel.pair(size)


def named_channel(name: str, size: int = 256) -> Channel:
    """Return the process's open channel of that name, making it where there is none.

    It lives, with what it holds, as long as somebody holds it; the size of one that is there
    stays as it is. A closed one is replaced, so that a name can be used again.
    """
    channel = _named.get(name)
    if channel is None or channel.closed:
        channel = _named[name] = Channel(size)
    return channel
