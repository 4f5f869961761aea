"""A listener with short deadlines that counts what it takes.

For each line of standard input it says what it holds, as one line of JSON.
"""

import asyncio
import ctypes
import gc
import json
import sys
from contextlib import suppress

from sampling import holds

from mist.transport import HTTP

DEADLINE = 2.0  # seconds for a head, a body, and the reading of an answer


def give_back():
    """Have the system given back what is free, so that what is left in memory is held."""
    gc.collect()
    with suppress(AttributeError):  # the C library is another one
        ctypes.CDLL(None).malloc_trim(0)


async def main():
    """Listen until standard input ends."""
    received = 0
    async with HTTP(inbox=8192, body_timeout=DEADLINE) as http:
        await http.listen("127.0.0.1:0", header_timeout=DEADLINE)
        print(http.listen_url, flush=True)

        async def take():
            nonlocal received
            async for _message in http:
                received += 1

        taking = asyncio.create_task(take())
        while await asyncio.to_thread(sys.stdin.readline):
            give_back()
            now = holds() | {"blocks": sys.getallocatedblocks(), "received": received}
            print(json.dumps(now), flush=True)
    await taking


if __name__ == "__main__":
    asyncio.run(main())
