"""What the tests of this package share: golden data, a real web server, real processes."""

import asyncio
import contextlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """Fail a test that blocks its event loop."""
    with blockbuster_ctx("mist") as detector:
        yield detector


@pytest.fixture
def golden() -> Path:
    """The directory of what mist-go wrote."""
    places = [Path(os.environ["MIST_GOLDEN"])] if "MIST_GOLDEN" in os.environ else []
    places += [parent / "shared" / "golden" for parent in Path(__file__).resolve().parents]
    for place in places:
        if place.is_dir():
            return place
    pytest.skip("golden data is not there: set MIST_GOLDEN to its directory")


@pytest.fixture
def run_script(tmp_path):
    """Run a script in an interpreter of its own, with warnings as errors; return its stdout."""

    def run(script, *args):
        path = tmp_path / "script.py"
        path.write_text(textwrap.dedent(script), "utf-8")
        done = subprocess.run(
            [sys.executable, "-W", "error", path, *map(str, args)],
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    return run


@pytest.fixture
async def web_app():
    """Serve an ASGI application with uvicorn; the result is its port."""
    import uvicorn

    async with contextlib.AsyncExitStack() as stack:

        async def serve(app):
            config = uvicorn.Config(app, port=0, log_config=None, lifespan="on", ws="none")
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

        yield serve


@pytest.fixture
def get():
    """Ask a local server, and return status, headers and body."""

    async def get(port, accept=None, method="GET", path="/"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        wanted = f"Accept: {accept}\r\n" if accept is not None else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{wanted}\r\n"
        writer.write(head.encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return SimpleNamespace(status=int(status.split()[1]), headers=headers, body=body)

    return get
