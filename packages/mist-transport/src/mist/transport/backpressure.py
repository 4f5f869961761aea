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
            # Listeners ask for a second, for want of smaller units, while an inbox drains in
            # milliseconds: up to that, short waits approach it. Who asks for more means it.
            wish = rejected.retry_after or 0.0
            await asyncio.sleep(wish if wish > _LONGEST_WAIT else wait)
            wait = min(2 * wait, _LONGEST_WAIT)
