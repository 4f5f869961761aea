"""A service that passes its trace on, as the W3C's validation of trace context asks for one.

It takes a JSON array of `{"url": ..., "arguments": ...}` and posts each `arguments` to its `url`,
within the trace that the request came with. It prints where it listens.
"""

import aiohttp
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mist import trace
from mist.server import Server

server = Server("127.0.0.1:0")


@server.handle("POST /test")
async def call_back(request: Request) -> Response:
    """Post what is asked for, one after the other, each in a span of its own."""
    with trace.extract_http(request.scope["headers"], "POST /test"):
        async with aiohttp.ClientSession() as session:
            for wanted in await request.json():
                with trace.start("callback"):
                    headers: dict[str, str] = {}
                    trace.inject_http(headers)
                    await session.post(wanted["url"], json=wanted["arguments"], headers=headers)
    return JSONResponse(None)


if __name__ == "__main__":
    server.listen_and_serve()
