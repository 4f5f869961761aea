"""Conversations written down, and held again."""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import msgspec

from mist.protocol import Message, ProtocolError
from mist.transport.errors import EndOfStream, TransportClosed, TransportError
from mist.transport.interface import Conversation, Transport
from mist.transport.layer import Layer


class Record(msgspec.Struct, frozen=True):
    """One message of a recorded conversation; a line of a recording is its JSON.

    Attributes:
        time_ns: When it passed, in nanoseconds since the Unix epoch.
        direction: `sent` or `received`.
        message: What passed.
    """

    time_ns: int
    direction: Literal["sent", "received"]
    message: Message


class Recorder(Layer):
    """Writes down what was sent and received through the transport beneath.

    A message is recorded when its send has succeeded, or its receive returns it.
    """

    def __init__(
        self,
        inner: Transport,
        to: str | os.PathLike[str] | list[Record],
        *,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Record a transport.

        Args:
            inner: The transport beneath.
            to: A list, or the path of a file, which is made (mode 0600) or appended to. It is
                written in the background, and complete when `close` has returned; what is received
                after that, when it is called again.
            clock_ns: Tells the time, in nanoseconds since the Unix epoch.
        """
        super().__init__(inner)
        self._clock_ns = clock_ns
        self._log: _Log | None = None
        if isinstance(to, list):
            self._keep: Callable[[Record], object] = to.append
        else:
            self._log = _Log(Path(to))
            self._keep = self._log.write

    async def send(self, message: Message) -> None:
        """Send through the transport beneath, and record it."""
        await self.inner.send(message)
        self._keep(Record(self._clock_ns(), "sent", message))

    async def receive(self) -> Message:
        """Receive from the transport beneath, and record it."""
        message = await self.inner.receive()
        self._keep(Record(self._clock_ns(), "received", message))
        return message

    async def close(self) -> None:
        """Close the transport beneath, and complete the recording.

        Raises:
            TransportError: The recording could not be written.
        """
        try:
            await self.inner.close()
        finally:
            if self._log is not None:
                await self._log.close()


class _Log:
    """Lines of a file, written in order by one thread, so that recording never waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = ThreadPoolExecutor(1, "mist-recorder")
        self._descriptor: int | None = None
        self._error: OSError | None = None

    def write(self, record: Record) -> None:
        self._writer.submit(self._append, msgspec.json.encode(record) + b"\n")

    async def close(self) -> None:
        # The thread is kept: what the transport beneath had taken is received after `close`.
        await asyncio.shield(asyncio.wrap_future(self._writer.submit(self._close_file)))
        if self._error is not None:
            raise TransportError.from_os_error(self._error, f"cannot record to {self._path}")

    def _append(self, line: bytes) -> None:
        try:
            if self._descriptor is None:
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
                self._descriptor = os.open(self._path, flags, 0o600)
            rest = memoryview(line)
            while rest:  # on a full disk, a part is written before the next write fails
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as exc:
            self._error = self._error or exc

    def _close_file(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class ReplayMismatch(AssertionError):
    """What was sent differs from what the recording says.

    Attributes:
        code: The standard error code, `conflict`.
    """

    code: str = "conflict"


class Replay(Conversation):
    """Receives what a recording says was received; made by `replay`.

    Attributes:
        sent: The messages that were sent, in order.
    """

    def __init__(
        self, source: str | os.PathLike[str] | Iterable[Record], *, check_sends: bool
    ) -> None:
        self.sent: list[Message] = []
        self._source = source
        self._check_sends = check_sends
        self._closed = False
        self._loaded = False
        self._incoming: deque[Message] = deque()
        self._expected: deque[Message] = deque()

    async def send(self, message: Message) -> None:
        """Take a message; where sends are checked, it must be the one recorded next.

        Raises:
            ReplayMismatch: Its source, type or payload differs from what was recorded.
            TransportClosed: The transport was closed.
        """
        await self._load()
        self._refuse_if_closed()
        if self._check_sends:
            expected = self._expected[0] if self._expected else None
            if expected is None or _content(message) != _content(expected):
                wanted = "no more sends" if expected is None else repr(expected)
                raise ReplayMismatch(f"the recording has {wanted}, but sent was {message!r}")
            self._expected.popleft()
        self.sent.append(message)

    async def receive(self) -> Message:
        """Return the next recorded message that was received.

        Raises:
            EndOfStream: The recording is over.
            TransportClosed: The transport was closed.
        """
        await self._load()
        self._refuse_if_closed()
        if not self._incoming:
            raise EndOfStream("the recording is over")
        return self._incoming.popleft()

    async def close(self) -> None:
        """Close the transport."""
        self._closed = True

    async def unsent(self) -> list[Message]:
        """Return the recorded sends that, where sends are checked, are still to come."""
        await self._load()
        return list(self._expected)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise TransportClosed("the replay is closed")

    async def _load(self) -> None:
        if self._loaded:
            return
        if isinstance(self._source, (str, os.PathLike)):
            records: Iterable[Record] = await asyncio.to_thread(_read, Path(self._source))
        else:
            records = self._source
        if self._loaded:
            return  # by another task, while this one read
        self._loaded = True
        for record in records:
            (self._expected if record.direction == "sent" else self._incoming).append(
                record.message
            )


def replay(
    source: str | os.PathLike[str] | Iterable[Record], *, check_sends: bool = False
) -> Replay:
    """Return a transport that receives again what a `Recorder` has recorded.

    Args:
        source: The recording: a path, or the records.
        check_sends: Hold what is sent against what was sent then, in order: its source, type and
            payload, since ids and times differ from run to run.
    """
    return Replay(source, check_sends=check_sends)


def _content(message: Message) -> tuple[str, str, bytes]:
    return message.source, message.type, bytes(message.payload)


def _read(path: Path) -> list[Record]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as exc:
        raise TransportError.from_os_error(exc, f"cannot replay {path}") from exc
    records: list[Record] = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(msgspec.json.decode(line, type=Record))
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise ProtocolError(f"{path}, line {number}: not a record: {exc}") from exc
    return records
