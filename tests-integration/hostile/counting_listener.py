"""A listener with short deadlines that counts what it takes; for each line of standard input it says
what it holds, as one line of JSON.
"""

import asyncio
import gc
import json
import sys

from sampling import holds

from mist.transport import HTTP

DEADLINE = 2.0  # seconds for a head, a body, and the reading of an answer


async def main():
    """Listen until standard input ends."""
    ids = set()
    async with HTTP(inbox=8192, body_timeout=DEADLINE) as http:
        await http.listen("127.0.0.1:0", header_timeout=DEADLINE)
        print(http.listen_url, flush=True)

        async def take():
            async for message in http:
                ids.add(message.id)

        taking = asyncio.create_task(take())
        while await asyncio.to_thread(sys.stdin.readline):
            gc.collect()
            print(json.dumps({**holds(), "received": len(ids)}), flush=True)
    await taking


if __name__ == "__main__":
    asyncio.run(main())
