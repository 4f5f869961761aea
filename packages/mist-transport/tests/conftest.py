"""What the tests of this package share."""

import asyncio
import contextlib
import json
import os
import selectors
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
import trustme
from blockbuster import BlockBuster, blockbuster_ctx

from mist.protocol import Message
from mist.transport.http import HTTP

T = TypeVar("T")


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """Fail a test that blocks its event loop."""
    with blockbuster_ctx("mist") as detector:
        # Appending a line to a regular file is a copy into the page cache, done in place.
        detector.functions["os.write"].can_block_in("mist/transport/file.py", "append")
        detector.functions["os.read"].can_block_in("mist/transport/file.py", "_begins_line")
        # It is the process's own, and looked at once.
        detector.functions["os.getcwd"].can_block_in("mist/transport/file.py", "open_for_appending")
        # Looked at once, where the file is opened, which takes as long.
        for name in ("_is_named_pipe", "_explain"):
            detector.functions["os.stat"].can_block_in("mist/transport/file.py", name)
        # Written in place only where the pipe says that it has room.
        detector.functions["os.write"].can_block_in("mist/transport/writing.py", "_write_now")
        # A scheme that is not built in is looked up in what is installed, which is an import.
        for blocking in detector.functions.values():
            blocking.can_block_in("mist/transport/dial.py", "_registered")
        yield detector


@pytest.fixture(scope="session")
def golden() -> Path:
    """Return the directory of what mist-go wrote."""
    named = os.environ.get("MIST_GOLDEN")
    if named:
        return Path(named)
    for parent in Path(__file__).resolve().parents:
        for candidate in (parent / "shared/golden", parent / "golden"):
            if (candidate / "wire.jsonl").is_file():
                return candidate
    pytest.skip("golden data is absent: set MIST_GOLDEN to its directory")


class _VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer whenever nothing is ready."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self.now


class _Jumping(selectors.DefaultSelector):
    """Waits for no timer; without one, nothing would ever happen again, and the test fails."""

    def __init__(self, loop: _VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("deadlock: every task waits, and no timer is set")
        if not ready and timeout:
            self._loop.now += timeout
        return ready


@pytest.fixture(scope="session")
def virtually() -> Callable[[Coroutine[Any, Any, T]], T]:
    """Return a function that runs a coroutine in virtual time: sleeping takes none."""

    def run(work: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
            return runner.run(asyncio.wait_for(work, 3600.0))

    return run


@pytest.fixture
def messages() -> Callable[[int], list[Message]]:
    """Return a function that makes numbered messages."""

    def make(count: int) -> list[Message]:
        return [Message.new("test", "test.number", {"n": n}) for n in range(count)]

    return make


@pytest.fixture
def samples() -> list[Message]:
    """Return twenty messages with checksums, different in size and content."""
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
    """Serve raw connections: called with a handler, it returns the URL of a server."""
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
                    # CPython 3.11's streams complain of a handler that ends by its cancellation.
                    with contextlib.suppress(ConnectionError, asyncio.CancelledError):
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
    """Read one request that has a Content-Length; the result is its head and its body."""

    async def read(reader):
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = [line for line in lines if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(length[0].split(b":")[1]) if length else 0)
        return head, body

    return read


@pytest.fixture
async def web_app():
    """Serve an ASGI application with uvicorn; the result is its base URL."""
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
