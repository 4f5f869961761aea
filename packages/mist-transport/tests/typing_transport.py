"""What users write, checked by mypy and pyright and never run."""

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, assert_type

from mist.protocol import Message
from mist.transport import (
    HTTP,
    BufferFull,
    Channel,
    Conversation,
    EndOfStream,
    File,
    LineParser,
    Middleware,
    Receiver,
    Rejected,
    Resilient,
    Sender,
    Stdio,
    Transport,
    TransportError,
    TransportTimeout,
    blocking_send,
    channel_pair,
    dial,
    sync,
    unwrap,
    with_logging,
    with_metrics,
    with_retry,
    with_tracing,
    wrap,
)
from mist.transport.testing import (
    FaultyTransport,
    MockTransport,
    Record,
    Recorder,
    Replay,
    replay,
)

message = Message.new("acme", "acme.order", 1)


class Own(Conversation):
    """A transport of a user's own."""

    async def send(self, message: Message) -> None:
        """Send."""

    async def receive(self) -> Message:
        """Receive."""
        return message

    async def close(self) -> None:
        """Close."""


transports: list[Transport] = [
    Own(),
    HTTP("http://localhost"),
    File("x"),
    Stdio(),
    Channel(),
    Resilient(Own),
    MockTransport(),
]
sender: Sender = transports[0]
receiver: Receiver = transports[0]
assert_type(dial("file:x", follow=True), Transport)
assert_type(channel_pair(size=2), tuple[Channel, Channel])


async def converse() -> None:
    """Use every transport as a context manager and an iterator."""
    async with File("x") as file, HTTP() as http, Channel() as channel:
        assert_type(file, File)
        assert_type(http, HTTP)
        async for received in file:
            assert_type(received, Message)
            await blocking_send(channel, received)
        assert_type(file.line_number, int)
        await http.listen("127.0.0.1:0")
        assert_type(http.addr, str)
        assert_type(http.listen_url, str)
    wrapped = wrap(dial("http://localhost"), with_retry(Policy()), passing)
    async with wrapped as same:
        await same.send(message)
        assert_type(await same.receive(), Message)
        assert_type(unwrap(same, HTTP), HTTP)


async def make() -> Transport:
    """Connect."""
    return Own()


resilient = Resilient(make, reconnect_wait=1, on_state_change=print)
assert_type(resilient.last_error, Exception | None)


class Policy:
    """A retry policy by its shape."""

    max_wait = 5.0

    def waits(self) -> list[float]:
        """Return seconds."""
        return [0.1]


class Metric:
    """A counter and a histogram by their shapes."""

    def inc(self) -> None:
        """Count."""

    def observe(self, value: float) -> None:
        """Sort in."""


class Registry:
    """A registry by its shape."""

    def counter(self, name: str, **labels: str) -> Metric:
        """Return a counter."""
        raise NotImplementedError

    def histogram(self, name: str, buckets: tuple[float, ...] = (), **labels: str) -> Metric:
        """Return a histogram."""
        raise NotImplementedError


class Span:
    """A span by its shape."""

    def set_attr(self, key: str, value: object) -> None:
        """Note."""


class Tracer:
    """A tracer by its shape."""

    def start(self, operation: str, **attrs: Any) -> AbstractContextManager[Span]:
        """Start a span."""
        raise NotImplementedError

    def inject_http(self, headers: dict[str, str]) -> None:
        """Write headers."""
        raise NotImplementedError

    def extract_http(
        self, headers: Mapping[str, str], operation: str
    ) -> AbstractContextManager[Span]:
        """Read headers."""
        raise NotImplementedError


def passing(transport: Transport) -> Transport:
    """Do no more than the transport: a middleware is any such function."""
    return transport


middlewares: list[Middleware] = [
    with_logging(logging.getLogger("acme")),
    with_metrics(Registry(), transport="http"),
    with_tracing(Tracer()),
    with_retry(Policy()),
    passing,
    lambda transport: FaultyTransport(transport, seed=1, loss=0.1),
]

with sync.dial("file:x") as blocking:
    assert_type(blocking, sync.SyncTransport[Transport])
    blocking.send(message, timeout=1.0)
    assert_type(blocking.receive(timeout=1.0), Message)
    for received in blocking:
        assert_type(received, Message)

listener = sync.blocking(lambda: HTTP(inbox=8))
assert_type(listener, sync.SyncTransport[HTTP])
listener.call(lambda http: http.listen("127.0.0.1:0"))
assert_type(listener.transport.addr, str)

records: list[Record] = []
assert_type(Recorder(Own(), records), Recorder)
assert_type(Recorder(Own(), "recording.jsonl").inner, Transport)
assert_type(replay(records, check_sends=True), Replay)
assert_type(MockTransport([message, TransportError("lost")]).sent, list[Message])

parser = LineParser("stdin")
parser.feed(b"")
assert_type(parser.next_message(), Message | None)

try:
    listener.close()
except Rejected as rejected:
    assert_type(rejected.status, int)
    assert_type(rejected.body, str)
except (BufferFull, TransportTimeout, EndOfStream) as error:
    assert_type(error.retry_after, float | None)
except TransportError as error:
    assert_type(error.code, str)
