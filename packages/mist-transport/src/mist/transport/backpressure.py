"""Sending at the pace of the receiver."""

import asyncio

from mist.protocol import Message
from mist.transport.errors import BufferFull, Rejected
from mist.transport.interface import Sender

_FIRST_WAIT = 0.05
_LONGEST_WAIT = 1.0


async def blocking_send(transport: Sender, message: Message) -> None:
    """Send a message, waiting for room as long as it takes.

    Bound the wait with `asyncio.timeout`. Only a lack of room is waited out, here
    (`BufferFull`) or at the peer (`Rejected` with code `unavailable`).

    Raises:
        TransportError: Sending failed for another reason.
    """
    wait = _FIRST_WAIT
    while True:
        try:
            return await transport.send(message)
        except BufferFull as full:
            await full.wait_for_room()
        except Rejected as rejected:
            if rejected.code != "unavailable":
                raise
            # A whole second, the usual Retry-After, is long for an inbox that drains in
            # milliseconds; so the peer's wish is an upper bound that short waits approach.
            await asyncio.sleep(min(wait, rejected.retry_after or _LONGEST_WAIT))
            wait = min(2 * wait, _LONGEST_WAIT)
