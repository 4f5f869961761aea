"""What the tests of this package share."""

import asyncio
import contextlib
import os
import re
import selectors
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """Fail a test that blocks its event loop."""
    with blockbuster_ctx("mist") as detector:
        yield detector


@pytest.fixture(scope="session")
def golden() -> Path:
    """The directory of what mist-go wrote."""
    places = [Path(os.environ["MIST_GOLDEN"])] if "MIST_GOLDEN" in os.environ else []
    places += [parent / "shared" / "golden" for parent in Path(__file__).resolve().parents]
    for place in places:
        if place.is_dir():
            return place
    pytest.skip("golden data is not there: set MIST_GOLDEN to its directory")


@pytest.fixture(scope="session")
def readme() -> str:
    """The README of the checkout, or the copy in the installed package where there is none."""
    path = Path(__file__).parents[1] / "README.md"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    return metadata("mist-health").json["description"]


@pytest.fixture(scope="session")
def readme_blocks(readme):
    """Return a function that gives the README's code blocks in one language."""

    def blocks(language: str) -> list[str]:
        return re.findall(rf"^```{language}\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)

    return blocks


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
def virtually():
    """Return a function that runs a coroutine in virtual time: sleeping takes none."""

    def run(work):
        with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
            return runner.run(asyncio.wait_for(work, 3600.0))

    return run


@pytest.fixture(scope="session")
def loop_time():
    """A clock for handlers that are used in virtual time."""

    def now() -> float:
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return 0.0

    return now


@pytest.fixture
def clock():
    """A clock that a test sets by its `now`."""

    class Clock:
        now = 1000.0

        def __call__(self) -> float:
            return self.now

    return Clock()


@pytest.fixture(scope="session")
def ask():
    """Return a function that makes one ASGI request; the result has status, headers, body."""

    async def request(app, method="GET", accept=None, headers=()):
        sent = []
        headers = [*headers, *([(b"accept", accept.encode("latin-1"))] if accept else [])]
        scope = {"type": "http", "method": method, "path": "/", "headers": headers}

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(event):
            sent.append(event)

        await app(scope, receive, send)
        start, body = sent
        assert (start["type"], body["type"]) == ("http.response.start", "http.response.body")
        return SimpleNamespace(
            status=start["status"],
            headers={name.decode(): value.decode() for name, value in start["headers"]},
            body=body["body"],
        )

    return request


@pytest.fixture
async def serve():
    """Serve an ASGI application with uvicorn; the result is its port."""
    import uvicorn

    async with contextlib.AsyncExitStack() as stack:

        async def start(app, **options):
            config = uvicorn.Config(app, port=0, log_config=None, ws="none", **options)
            server = uvicorn.Server(config)
            server.capture_signals = contextlib.nullcontext
            task = asyncio.create_task(server.serve())

            async def stop():
                server.should_exit = True
                await task

            stack.push_async_callback(stop)
            while not server.started:
                await asyncio.sleep(0.01)
            return server.servers[0].sockets[0].getsockname()[1]

        yield start


@pytest.fixture(scope="session")
def fetch():
    """Return a function that sends one request over TCP; the result has status, headers, body."""

    async def request(port, path="/", method="GET", **headers):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *fields = head.decode("latin-1").split("\r\n")
        return SimpleNamespace(
            status=int(status.split()[1]),
            headers={
                name.lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)
            },
            body=body,
        )

    return request
