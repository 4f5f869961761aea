"""Who gets which message: the one thing that the transports of the demo have in common.

A tool sends messages and does not know to whom. Here their type says it, and never what is in
them. Beside the types of the stack the demo has a few of its own.
"""

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mist.protocol import Message, MessageType, Source
from mist.transport import Sender, blocking_send

STAGE: Final = "stage"
TOOLS: Final = (Source.SCHEMAFLUX, Source.INFERMUX, Source.TOKENTRACE, Source.MATCHSPEC)

BREAKER: Final = "matchspec.breaker"  # a `BreakerChange`
SUMMARY: Final = "tokentrace.summary"  # a `Summary`
END: Final = "demo.end"  # its source has done its work and sends nothing more
STOP: Final = "demo.stop"  # begin nothing more, finish what has begun
HELLO: Final = "demo.hello"  # {"url": where the source takes messages}
PEERS: Final = "demo.peers"  # {tool: where it takes messages}

_RECIPIENTS: Final[Mapping[str, tuple[str, ...]]] = {
    MessageType.DATA_SCHEMA: (STAGE,),
    MessageType.DATA_ENTITIES: (Source.MATCHSPEC, STAGE),
    MessageType.EVAL_RUN: (STAGE,),
    MessageType.INFER_REQUEST: (Source.INFERMUX,),
    MessageType.INFER_RESPONSE: (Source.MATCHSPEC,),
    MessageType.EVAL_RESULT: (STAGE,),
    MessageType.TRACE_SPAN: (Source.TOKENTRACE, STAGE),
    MessageType.TRACE_ALERT: (STAGE,),
    BREAKER: (STAGE,),
    SUMMARY: (STAGE,),
    STOP: (Source.MATCHSPEC,),
    HELLO: (STAGE,),
}

# Who has nothing more to expect once a tool has ended.
_FOLLOWERS: Final[Mapping[str, tuple[str, ...]]] = {
    Source.SCHEMAFLUX: (Source.TOKENTRACE,),
    Source.MATCHSPEC: (Source.INFERMUX, Source.TOKENTRACE),
    Source.INFERMUX: (Source.TOKENTRACE,),
    Source.TOKENTRACE: (STAGE,),
}


@dataclass(frozen=True)
class BreakerChange:
    """A circuit that has changed its state.

    Attributes:
        name: The model that it protects.
        old: `closed`, `open` or `half-open`.
        new: Likewise.
    """

    name: str
    old: str
    new: str


@dataclass(frozen=True)
class ModelFigures:
    """What one model was asked, and what that took.

    Attributes:
        calls: How often it was called.
        errors: How many of the calls failed.
        tokens_in: Tokens that it read.
        tokens_out: Tokens that it wrote.
        cost_usd: What that cost, in US dollars.
        p50_ms: Half of the calls took this long at most, in milliseconds.
        p95_ms: Likewise 95 of 100.
        p99_ms: Likewise 99 of 100.
    """

    calls: int
    errors: int
    tokens_in: int
    tokens_out: int
    cost_usd: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Summary:
    """What tokentrace made of all spans.

    Attributes:
        models: Figures by the model's name.
        slowest: The spans of the task that took longest, as payloads of `trace.span`.
    """

    models: dict[str, ModelFigures]
    slowest: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def recipients(message: Message) -> tuple[str, ...]:
    """Return who gets a message; nobody, if its type is not one of the demo's."""
    if message.type == END:
        return _FOLLOWERS.get(message.source, ())
    return _RECIPIENTS.get(message.type, ())


def reply(request: Message, source: str, type: str, payload: object) -> Message:  # noqa: A002  # the wire's name
    """Make the answer to a message: it has the same id, by which the asker knows it again."""
    new = Message.new(source, type, payload)
    return Message(new.version, request.id, source, type, new.timestamp_ns, new.payload)


async def arrivals(inbox: AsyncIterable[Message], reader: str) -> AsyncIterator[Message]:
    """Yield what arrives for a reader, until all that it has to expect from have ended."""
    awaited: set[str] = {tool for tool, them in _FOLLOWERS.items() if reader in them}
    async for message in inbox:
        if message.type == END:
            awaited.discard(message.source)
            if not awaited:
                return
        else:
            yield message


class Router:
    """A sender that passes each message on to all who get it."""

    def __init__(self, peers: Mapping[str, Sender]) -> None:
        """Begin with those who are known; `peers` may grow later.

        Args:
            peers: What leads to each, by name.
        """
        self.peers = dict(peers)

    async def send(self, message: Message) -> None:
        """Send a message to all who get it, waiting for room where there is none."""
        for name in recipients(message):
            await blocking_send(self.peers[name], message)
