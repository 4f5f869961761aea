"""Messages that come again, told by their ids: what at-least-once delivery leaves to remove."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from msgspec import Raw

from mist.protocol import Message
from mist.transport.errors import InvalidSettingError
from mist.transport.interface import Transport
from mist.transport.isolation import Isolation, want_plain
from mist.transport.layer import Layer, Middleware

# Of an id and of a content, which includes the id: both together have to collide before a message
# is taken for one that it is not.
_DIGEST_BYTES: Final = 8
_NO_PAYLOAD: Final = Raw(b"")

_log = logging.getLogger("mist.transport")


class Dedupe:
    """Remembers the messages that came last, and tells those that come again.

    A message comes again when its id, source, type and payload are those of one before it. One
    that has only the id of another is no repetition, but a conflict: somebody gives ids twice.

    Memory is bounded, whatever ids and payloads are like: 64-bit digests of the last `window`
    different ids, some 200 bytes each. A message that comes again after more than that many
    others is taken for new.

    Attributes:
        window: How many ids are remembered at most.
        repeated: How many messages came again.
        conflicting: How many messages had the id of another.
    """

    def __init__(
        self, window: int = 1 << 16, *, on_conflict: Callable[[Message], object] | None = None
    ) -> None:
        """Begin with an empty memory.

        Args:
            window: How many ids to remember.
            on_conflict: Told of each message that has the id of another; by default a warning of
                the standard library's logger `mist.transport`. What it raises is logged, once.

        Raises:
            InvalidSettingError: The window is not positive, or the hook a coroutine function.
        """
        if window <= 0:
            raise InvalidSettingError(
                f"window counts the ids to remember, so it cannot be {window}"
            )
        want_plain("on_conflict", on_conflict)
        self.window = window
        self.repeated = 0
        self.conflicting = 0
        self._on_conflict = on_conflict or _warn
        self._isolated = Isolation("the on_conflict of Dedupe").call
        self._contents: OrderedDict[bytes, bytes] = OrderedDict()

    def repeats(self, message: Message) -> bool:
        """Tell whether a message came before, and remember it."""
        key = _digest(message.id)
        content = _digest(repr((message.id, message.source, message.type)), message.payload)
        known = self._contents.get(key)
        if known == content:
            self._contents.move_to_end(key)
            self.repeated += 1
            return True
        if known is not None:
            self.conflicting += 1
            self._isolated(self._on_conflict, message)
            return False
        self._contents[key] = content
        if len(self._contents) > self.window:
            self._contents.popitem(last=False)
        return False


def with_dedupe(
    window: int = 1 << 16, *, on_conflict: Callable[[Message], object] | None = None
) -> Middleware:
    """Receive each message once, however often it comes: those that come again are passed over.

    What a receive has returned counts as come, whatever becomes of it. A message that has the id
    of another, and differs from it, is reported and received. Sends are left alone.

    Args:
        window: How many ids to remember; a message that comes again after more than that many
            others is received again.
        on_conflict: Told of each message that has the id of another; by default a warning is
            logged.

    Raises:
        InvalidSettingError: The window is not positive, or the hook a coroutine function.
    """
    Dedupe(window, on_conflict=on_conflict)  # so that what is wrong is an error here
    return lambda transport: _Deduped(transport, Dedupe(window, on_conflict=on_conflict))


class _Deduped(Layer):
    def __init__(self, inner: Transport, dedupe: Dedupe) -> None:
        super().__init__(inner)
        self._dedupe = dedupe

    async def receive(self) -> Message:
        while True:
            message = await self.inner.receive()
            if not self._dedupe.repeats(message):
                return message


def _digest(text: str, payload: Raw = _NO_PAYLOAD) -> bytes:
    digest = blake2b(text.encode(errors="surrogatepass"), digest_size=_DIGEST_BYTES)
    digest.update(payload)
    return digest.digest()


def _warn(message: Message) -> None:
    _log.warning(
        "message %s of %s (%s) has the id of another, and differs from it; both are kept",
        message.id,
        message.source,
        message.type,
    )
