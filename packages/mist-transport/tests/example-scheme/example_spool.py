"""Messages as the files of a directory."""

import asyncio
from pathlib import Path

from mist.protocol import Message
from mist.transport import Conversation, EndOfStream, Transport, TransportClosed


class Spool(Conversation):
    """A directory with a file for each message, taken in the order of their names."""

    def __init__(self, directory: Path, *, suffix: str = ".json") -> None:
        self.directory = directory
        self.suffix = suffix
        self.closed = False

    async def send(self, message: Message) -> None:
        """Put a message into the directory."""
        self._refuse_if_closed()
        path = self.directory / f"{message.timestamp_ns:020}-{message.id}{self.suffix}"
        await asyncio.to_thread(path.write_bytes, message.marshal())

    async def receive(self) -> Message:
        """Take the oldest message out of the directory."""
        self._refuse_if_closed()
        found = await asyncio.to_thread(self._take)
        if found is None:
            raise EndOfStream(f"{self.directory} is empty")
        return Message.unmarshal(found)

    async def close(self) -> None:
        """Take no more calls."""
        self.closed = True

    def _take(self) -> bytes | None:
        oldest = min(self.directory.glob(f"*{self.suffix}"), default=None)
        if oldest is None:
            return None
        data = oldest.read_bytes()
        oldest.unlink()
        return data

    def _refuse_if_closed(self) -> None:
        if self.closed:
            raise TransportClosed("the spool is closed")


def open_spool(url: str, **options: str) -> Transport:
    """Return the transport of a URL: what `dial` calls for `spool:directory`."""
    return Spool(Path(url.removeprefix("spool:")), **options)
