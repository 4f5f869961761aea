"""Bad clients, all at once: `bad_clients.py URL HOW-MANY SEED` says of each kind how long it lasted.

A process of its own, so that what they do does not slow down the good ones.
"""

import asyncio
import json
import random
import socket
import struct
import sys
import time
from contextlib import suppress

from mist.protocol import Message

CUT_OFF_WITHIN = 30.0  # seconds, with a listener's deadlines of two and on a very busy machine


def request(body, length=None):
    """Return a request, perhaps with a length that is not its body's."""
    head = f"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: {length or len(body)}\r\n\r\n"
    return head.encode() + body


async def slow_head(_reader, writer, chance):
    """Never come to the end of a head."""
    await trickle(writer, b"POST /mist HTTP/1.1\r\nX-Long: ", chance)


async def slow_body(_reader, writer, chance):
    """Never come to the end of a body."""
    writer.write(request(b"{", length=5000))
    await trickle(writer, b"", chance)


async def silent(_reader, _writer, _chance):
    """Connect, and say nothing."""


async def garbage(_reader, writer, chance):
    """Speak another protocol."""
    writer.write(b"\x16\x03\x01" + chance.randbytes(300))


async def oversized(_reader, writer, _chance):
    """Announce more than may be sent, and begin to send it."""
    writer.write(request(b"x" * 100_000, length=50 << 20))


async def oversized_head(_reader, writer, _chance):
    """Send a head that is longer than any."""
    writer.write(b"POST /mist HTTP/1.1\r\nX-Long: " + b"x" * 100_000)


async def endless_chunks(_reader, writer, _chance):
    """Send a body in chunks that does not come to its end."""
    writer.write(b"POST /mist HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"400\r\n" + b" " * 0x400 + b"\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def half_closed(_reader, writer, _chance):
    """Close the sending side in the middle of a body."""
    writer.write(request(b"{", length=500))
    writer.write_eof()


async def reset_in_body(_reader, writer, _chance):
    """Vanish in the middle of a body."""
    writer.write(request(b"{", length=500))
    await reset(writer)


async def reset_before_answer(_reader, writer, _chance):
    """Vanish when the request is complete."""
    writer.write(request(Message.new("bad", "acme.order", None).marshal()))
    await reset(writer)


async def never_reading(_reader, writer, _chance):
    """Post on and on, and read no answer."""
    writer.transport.pause_reading()
    while True:
        writer.write(request(b"no message") * 100)
        await writer.drain()


async def trickle(writer, beginning, chance):
    """Send a byte at a time."""
    writer.write(beginning)
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(chance.uniform(0.05, 0.2))


async def reset(writer):
    """End a connection with RST."""
    await writer.drain()
    await asyncio.sleep(0.01)  # real time: what was written has to be on its way
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


KINDS = (
    slow_head,
    slow_body,
    silent,
    garbage,
    oversized,
    oversized_head,
    endless_chunks,
    half_closed,
    reset_in_body,
    reset_before_answer,
    never_reading,
)


async def last(address, kind, chance):
    """Be a client of a kind until the listener ends it, and return how many seconds that took."""
    sock = socket.socket()
    if kind is never_reading:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, address)
    reader, writer = await asyncio.open_connection(sock=sock)
    started = time.monotonic()
    misbehaving = asyncio.ensure_future(kind(reader, writer, chance))
    reading = asyncio.ensure_future(_read_all(reader))
    try:
        async with asyncio.timeout(CUT_OFF_WITHIN):
            with suppress(ConnectionError):
                await (misbehaving if kind is never_reading else reading)
        return time.monotonic() - started
    except TimeoutError:
        raise AssertionError(f"{kind.__name__} was not cut off") from None
    finally:
        misbehaving.cancel()
        reading.cancel()
        await asyncio.gather(misbehaving, reading, return_exceptions=True)
        await _close(writer)


async def _read_all(reader):
    while await reader.read(1 << 16):
        pass


async def _close(writer):
    writer.transport.abort()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def main(url, count, seed):
    """Be that many clients, of all kinds, in a random order."""
    chance = random.Random(int(seed))
    host, _, port = url.split("/")[2].rpartition(":")
    kinds = [KINDS[n % len(KINDS)] for n in range(int(count))]
    chance.shuffle(kinds)
    async with asyncio.TaskGroup() as all_at_once:
        lasting = [
            (kind.__name__, all_at_once.create_task(last((host, int(port)), kind, chance)))
            for kind in kinds
        ]
    print(json.dumps([[lasted.result(), name] for name, lasted in lasting]))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
