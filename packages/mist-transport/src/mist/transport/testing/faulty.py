"""A transport with the faults of a bad network, the same ones in every run."""

import asyncio
import zlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import NoReturn

import msgspec
from msgspec import Raw

from mist.protocol import Message
from mist.transport.backpressure import blocking_send
from mist.transport.errors import (
    BufferFull,
    EndOfStream,
    InvalidSettingError,
    TransportClosed,
    TransportError,
)
from mist.transport.interface import Transport
from mist.transport.layer import Layer

_CORRUPTION_TRIES = 16
# How long closing waits for room for what was held back, in seconds.
_CLOSE_TIMEOUT = 5.0
_check_syntax = msgspec.json.Decoder(Raw).decode


class FaultyTransport(Layer):
    """Disturbs what passes through the transport beneath, each way, by a seeded chance.

    Of each fault there is the probability that it befalls a message. The same seed and the same
    messages give the same faults, whatever the timing; sending and receiving do not influence
    each other. Nothing is lost but by `loss`, which nobody is told of; it is counted.

    Attributes:
        faults: How often each fault has happened.
    """

    def __init__(
        self,
        inner: Transport,
        *,
        seed: int,
        loss: float = 0.0,
        delay: float = 0.0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        corrupt: float = 0.0,
        disconnect: float = 0.0,
        max_delay: float = 0.1,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Put faults around a transport.

        Args:
            inner: The transport beneath.
            seed: Decides the faults.
            loss: The message vanishes, and its sender is not told.
            delay: The message is held up for a part of `max_delay`.
            duplicate: The message passes twice.
            reorder: The message passes after the next one; after `max_delay` if none comes.
            corrupt: The payload is changed, into other JSON; its checksum tells.
            disconnect: The call fails with a `TransportError`, as do all later ones, and the
                transport beneath is closed. The message may have passed, as on a real network.
            max_delay: The longest delay, in seconds.
            sleep: Waits that many seconds.
        """
        super().__init__(inner)
        chances = {
            "loss": loss,
            "delay": delay,
            "duplicate": duplicate,
            "reorder": reorder,
            "corrupt": corrupt,
            "disconnect": disconnect,
        }
        for name, chance in chances.items():
            if not 0.0 <= chance <= 1.0:
                raise InvalidSettingError(f"{name} is a probability, expected 0 to 1, got {chance}")
        self.faults: Counter[str] = Counter()
        self._max_delay = max_delay
        self._sleep = sleep
        self._disconnected = False
        self._closed = False
        self._outgoing = _Dice(f"{seed} send", chances)
        self._incoming = _Dice(f"{seed} receive", chances)
        # Sent, and held back so that the next one overtakes it.
        self._late: deque[Message] = deque()
        self._sending_late = asyncio.Lock()
        self._releasing: asyncio.Task[None] | None = None
        # Received, and held back; received, and ready to be returned.
        self._overtaken: list[Message] = []
        self._arrived: deque[Message] = deque()
        self._receiving = asyncio.Lock()
        self._next_fate: _Fate | None = None

    async def send(self, message: Message) -> None:
        """Send through the transport beneath, or suffer a fault.

        Raises:
            TransportError: There was a disconnection.
        """
        self._refuse_if_over()
        fate = self._outgoing.roll()
        if "disconnect" in fate.faults:
            if fate.chance < 0.5:  # noqa: PLR2004  # either is as likely
                await self.inner.send(message)
            await self._disconnect()
        if "delay" in fate.faults:
            self.faults["delay"] += 1
            await self._sleep(fate.chance * self._max_delay)
            self._refuse_if_over()
        copies = self._disturbed(message, fate)
        if copies and "reorder" in fate.faults:
            self.faults["reorder"] += 1
            self._late.extend(copies)
            if self._releasing is None or self._releasing.done():
                self._releasing = asyncio.create_task(self._release_in_time())
            return
        for copy in copies:
            await self.inner.send(copy)
        await self._release()

    async def receive(self) -> Message:
        """Receive from the transport beneath, or suffer a fault.

        Raises:
            TransportError: There was a disconnection.
        """
        # One at a time: else a cancelled call would leave its message to a call that waits for
        # another one.
        async with self._receiving:
            while not self._arrived:
                await self._advance()
            return self._arrived.popleft()

    async def close(self) -> None:
        """Send what was held back, waiting some seconds for room, and close what is beneath."""
        self._closed = True
        if self._releasing is not None:
            self._releasing.cancel()
            await asyncio.wait([self._releasing])
        if not self._disconnected:
            await self._release_all()
        async with self._sending_late:
            self.faults["loss"] += len(self._late)
            self._late.clear()
        await self.inner.close()

    async def _advance(self) -> None:
        """Let one more message arrive, or be lost, or held back."""
        fate = self._next_fate = self._next_fate or self._incoming.roll()
        if "disconnect" in fate.faults and not self._disconnected:
            await self._disconnect()
        message = await self._take()
        if message is None:
            return
        # Whatever is awaited from here on, the message is kept where the next call finds it.
        self._next_fate = None
        copies = self._disturbed(message, fate)
        if copies and "reorder" in fate.faults and not self._overtaken:
            self.faults["reorder"] += 1
            self._overtaken = copies
            return
        self._arrived.extend(copies)
        self._let_overtaken_arrive()
        if "delay" in fate.faults:
            self.faults["delay"] += 1
            await self._sleep(fate.chance * self._max_delay)

    async def _take(self) -> Message | None:
        """Return the next message, or None when it is time for one that was held back."""
        if not self._overtaken:
            try:
                return await self.inner.receive()
            except TransportClosed:
                self._refuse_if_disconnected()
                raise
        limit = asyncio.timeout(self._max_delay)
        try:
            async with limit:
                return await self.inner.receive()
        except (EndOfStream, TransportClosed):
            self._let_overtaken_arrive()
        except TimeoutError:
            if not limit.expired():
                raise
            self._let_overtaken_arrive()
        return None

    def _let_overtaken_arrive(self) -> None:
        self._arrived.extend(self._overtaken)
        self._overtaken = []

    def _disturbed(self, message: Message, fate: "_Fate") -> list[Message]:
        """Return what becomes of a message: none, one or two."""
        if "loss" in fate.faults:
            self.faults["loss"] += 1
            return []
        if "corrupt" in fate.faults and message.payload:
            self.faults["corrupt"] += 1
            message = _corrupted(message, Random(fate.chance))  # nosec B311  # noqa: S311  # not for secrets
        if "duplicate" in fate.faults:
            self.faults["duplicate"] += 1
            return [message, message]
        return [message]

    async def _disconnect(self) -> NoReturn:
        await self._release_all()
        self.faults["disconnect"] += 1
        self._disconnected = True
        await self.inner.close()
        self._refuse_if_disconnected()
        raise AssertionError  # not reached

    def _refuse_if_over(self) -> None:
        """Take nothing that could only be held back for ever."""
        self._refuse_if_disconnected()
        if self._closed:
            raise TransportClosed("the faulty transport is closed")

    def _refuse_if_disconnected(self) -> None:
        if self._disconnected:
            raise TransportError("disconnected, as the fault was drawn")

    async def _release_in_time(self) -> None:
        while self._late:
            await self._sleep(self._max_delay)
            await self._release()

    async def _release_all(self) -> None:
        """Send what was held back, waiting a while for room."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT), self._sending_late:
                await self._send_late(partial(blocking_send, self.inner))

    async def _release(self) -> None:
        """Send what was held back, as far as there is room, unless somebody is at it."""
        if self._late and not self._sending_late.locked():
            async with self._sending_late:
                await self._send_late(self.inner.send)

    async def _send_late(self, send: Callable[[Message], Awaitable[None]]) -> None:
        while self._late:
            try:
                await send(self._late[0])
            except BufferFull:
                return
            except TransportError:
                self.faults["loss"] += 1
            # Only now, so that a cancelled call leaves it in its place.
            self._late.popleft()


@dataclass(frozen=True)
class _Fate:
    """What befalls one message, and a number from 0 to 1 that decides how."""

    faults: frozenset[str]
    chance: float


class _Dice:
    def __init__(self, seed: str, chances: dict[str, float]) -> None:
        self._random = Random(seed)  # nosec B311  # noqa: S311  # reproducible is what is wanted
        self._chances = chances

    def roll(self) -> _Fate:
        # As many numbers for each message, so that one probability does not shift the others.
        roll = self._random.random
        faults = frozenset([name for name, chance in self._chances.items() if roll() < chance])
        return _Fate(faults, roll())


def _corrupted(message: Message, random: Random) -> Message:
    """Change one bit of the payload such that it still is JSON: only the checksum can tell."""
    payload = bytes(message.payload)
    changed = b"false" if payload == b"null" else b"null"
    for _ in range(_CORRUPTION_TRIES):
        flipped = bytearray(payload)
        flipped[random.randrange(len(payload))] ^= 1 << random.randrange(7)  # nosec B311
        if _is_json(bytes(flipped)):
            changed = bytes(flipped)
            break
    checksum = message.checksum or zlib.crc32(payload)
    return msgspec.structs.replace(message, payload=Raw(changed), checksum=checksum)


def _is_json(data: bytes) -> bool:
    try:
        _check_syntax(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True
