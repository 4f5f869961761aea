"""How a listening socket is closed without losing whoever is just about to connect.

A system finishes handshakes by itself. A connection that it finishes between the last look at a
listening socket and its closing is reset, with the request that it may have brought. On Linux a
socket can be told to drop the first packet of every handshake: a client that comes now waits, tries
again after a second, and is refused cleanly if the socket is closed by then.
"""

import asyncio
import socket
import struct
import sys
from array import array
from typing import Final

_SO_ATTACH_FILTER: Final = 26
# socket(7), and Documentation/networking/filter.rst: a program sees a packet from its TCP header
# on, and returns how much of it to keep. This one keeps what is not SYN without ACK (RFC 9293).
_PROGRAM: Final = (
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x54, 0, 0, 0x12),  # leave SYN and ACK of it
    (0x15, 0, 1, 0x02),  # unless it is SYN alone, skip one
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # keep
)
# What has begun a handshake by now has this long to end it.
_HANDSHAKE_SECONDS: Final = 0.05


async def refuse_newcomers(listening: socket.socket) -> bool:
    """Let no new handshake begin, and return when those that have begun have mostly ended.

    Returns:
        Whether the system does so; there are some that let no user but root, or nobody, ask for it.
    """
    if not sys.platform.startswith("linux") or listening.family == socket.AF_UNIX:
        return False
    code = array("B", b"".join(struct.pack("HBBI", *each) for each in _PROGRAM))
    program = struct.pack("HP", len(_PROGRAM), code.buffer_info()[0])
    try:
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
    except OSError:
        return False
    await asyncio.sleep(_HANDSHAKE_SECONDS)
    return True
