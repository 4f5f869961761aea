"""Transports around transports."""

from collections.abc import Callable
from typing import TypeVar

from mist.protocol import Message
from mist.transport.errors import WrongTransportError
from mist.transport.interface import Conversation, Transport

T = TypeVar("T")

Middleware = Callable[[Transport], Transport]
"""Takes a transport and returns one that does more."""


class Layer(Conversation):
    """A transport that passes everything on to the one beneath; the base of middlewares.

    Attributes:
        inner: The transport beneath.
    """

    def __init__(self, inner: Transport) -> None:
        self.inner = inner

    async def send(self, message: Message) -> None:
        """Send through the transport beneath."""
        await self.inner.send(message)

    async def receive(self) -> Message:
        """Receive from the transport beneath."""
        return await self.inner.receive()

    async def close(self) -> None:
        """Close the transport beneath."""
        await self.inner.close()


def wrap(transport: Transport, *middleware: Middleware) -> Layer:
    """Put middlewares around a transport; the first is the outermost.

    `wrap(t, with_logging(log), with_retry(policy))` logs once for all attempts of a send;
    the other way round it logs each.
    """
    for outer in reversed(middleware):
        transport = outer(transport)
    return transport if isinstance(transport, Layer) else Layer(transport)


def unwrap(transport: object, kind: type[T]) -> T:
    """Return the outermost transport of a class among a transport and those beneath it.

    It leads to what only one kind of transport has: `unwrap(wrapped, HTTP).listen(...)`.

    Raises:
        WrongTransportError: There is none.
    """
    seen: list[str] = []
    beneath: object | None = transport
    while beneath is not None:
        if isinstance(beneath, kind):
            return beneath
        seen.append(type(beneath).__name__)
        beneath = getattr(beneath, "inner", None)
    raise WrongTransportError(f"there is no {kind.__name__} in {' over '.join(seen)}")


def require(user: str, given: object, *methods: str) -> None:
    """Refuse what a middleware is given where it lacks one of the methods.

    Raises:
        WrongTransportError: It does; the text names the middleware, and what is missing.
    """
    missing = [name for name in methods if not callable(getattr(given, name, None))]
    if missing:
        raise WrongTransportError(
            f"{user} needs an object with {', '.join(methods)};"
            f" {type(given).__name__} has no {', '.join(missing)}"
        )
