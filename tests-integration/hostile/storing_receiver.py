"""A receiver that stores before it answers: `storing_receiver.py ADDRESS FILE SAMPLES SECONDS`.

What it has answered 202 is in the file, whatever kills it.
"""

import asyncio
import sys

from sampling import sample_to
from starlette.responses import Response

from mist.protocol import unmarshal_lines
from mist.server import Server
from mist.transport import File


async def main(address, path, samples, interval):
    """Serve until killed."""
    file, server = File(path), Server(address)

    @server.handle("POST /mist")
    async def store(request):
        for message in unmarshal_lines(await request.body()):
            await file.send(message)
        await asyncio.sleep(0.002)  # about what a disk would take that is waited for
        return Response(status_code=202, headers={"Accept-Post": "application/x-ndjson"})

    sample_to(samples, float(interval))
    await server.serve()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
