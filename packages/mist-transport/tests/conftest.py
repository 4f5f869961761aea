"""What every test of this package has at hand."""

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme
from blockbuster import BlockBuster, blockbuster_ctx

from mist.protocol import Message
from mist.transport.http import HTTP


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[BlockBuster]:
    """Fail a test in which the event loop is blocked by input or output, or by sleep."""
    with blockbuster_ctx("mist.transport") as blockbuster:
        # Appending a line to a regular file is a copy into the page cache, done in place.
        blockbuster.functions["os.write"].can_block_in("mist/transport/file.py", "append")
        blockbuster.functions["os.read"].can_block_in("mist/transport/file.py", "_is_newline")
        yield blockbuster


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of data that mist-go wrote."""
    places = [Path(os.environ["MIST_GOLDEN"])] if "MIST_GOLDEN" in os.environ else []
    places += [parent / "shared" / "golden" for parent in Path(__file__).resolve().parents]
    for place in places:
        if (place / "stream.jsonl").is_file():
            return place
    pytest.skip("the golden data (../shared/golden) is not beside this checkout")


@pytest.fixture
def messages() -> list[Message]:
    """Twenty messages with checksums, different in size and content."""
    return [
        Message.new("test", "acme.item", {"n": n, "text": "<é\u2028>" * n}).with_checksum()
        for n in range(20)
    ]


@pytest.fixture(scope="session")
def golden_wire(golden) -> list[dict]:
    """The messages of `wire.jsonl`."""
    return [json.loads(line) for line in (golden / "wire.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A certificate authority, its file, and files of a server's and a client's certificates."""
    directory = tmp_path_factory.mktemp("tls")
    ca = trustme.CA()
    files = SimpleNamespace(
        ca=str(directory / "ca.pem"),
        server=str(directory / "server.pem"),
        client=str(directory / "client.pem"),
    )
    ca.cert_pem.write_to_path(files.ca)
    ca.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        files.server
    )
    ca.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(files.client)
    return files


@pytest.fixture
async def http():
    """Make HTTP transports that are closed when the test ends."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(url=None, *, listen=None, listen_options=None, **options):
            transport = await stack.enter_async_context(HTTP(url, **options))
            if listen is not None:
                await transport.listen(listen, **(listen_options or {}))
            return transport

        yield make


@pytest.fixture
async def peer():
    """Serve raw connections: `await peer(handler)` returns the URL of a server of this test."""
    async with contextlib.AsyncExitStack() as stack:

        async def serve(handler, **options):
            tasks = set()

            async def guarded(reader, writer):
                tasks.add(asyncio.current_task())
                try:
                    await handler(reader, writer)
                except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                    pass  # the other side, or the test, is done
                finally:
                    writer.close()
                    with contextlib.suppress(ConnectionError):
                        await writer.wait_closed()

            async def stop():
                server.close()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

            server = await asyncio.start_server(guarded, "127.0.0.1", 0, **options)
            stack.push_async_callback(stop)
            port = server.sockets[0].getsockname()[1]
            return f"{'https' if 'ssl' in options else 'http'}://127.0.0.1:{port}"

        yield serve


@pytest.fixture
def read_request():
    """Read one request with a Content-Length: `await read_request(reader)` gives head and body."""

    async def read(reader):
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = [line for line in lines if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(length[0].split(b":")[1]) if length else 0)
        return head, body

    return read


@pytest.fixture
async def web_app():
    """Serve an ASGI application with uvicorn: `await web_app(app)` returns its base URL."""
    import uvicorn

    async with contextlib.AsyncExitStack() as stack:

        async def serve(app, lifespan="on"):
            server = uvicorn.Server(
                uvicorn.Config(app, port=0, log_config=None, lifespan=lifespan, ws="none")
            )
            server.capture_signals = contextlib.nullcontext
            task = asyncio.create_task(server.serve())

            async def stop():
                server.should_exit = True
                await task

            stack.push_async_callback(stop)
            while not server.started:
                await asyncio.sleep(0.01)
            return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

        yield serve
