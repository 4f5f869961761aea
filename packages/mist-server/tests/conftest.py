"""What the tests of this package share."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import trustme
from blockbuster import BlockBuster, blockbuster_ctx

from mist.server import Server


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """Fail a test that blocks its event loop."""
    with blockbuster_ctx("mist") as detector:
        yield detector


@pytest.fixture
async def serve():
    """Make servers at a free port of loopback that serve until the test ends."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(handlers=None, addr="127.0.0.1:0", **options):
            server = Server(addr, **options)
            for pattern, app in (handlers or {}).items():
                server.handle(pattern, app)
            return await stack.enter_async_context(server)

        yield start


@dataclass
class Answer:
    """A response, read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes
    keeps: bool


@dataclass
class Client:
    """A bare connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, text):
        """Send bytes as they are, or lines of a head."""
        self.writer.write(text if isinstance(text, bytes) else text.replace("\n", "\r\n").encode())
        await self.writer.drain()

    async def answer(self, method="GET"):
        """Read one response."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        if first.startswith("HTTP/1.1 100"):
            return await self.answer(method)
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
        status = int(first.split()[1])
        if method == "HEAD" or status in (204, 304):
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int((await self.reader.readuntil(b"\n")), 16):
                body += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readline()
        else:
            body = await self.reader.readexactly(int(headers["content-length"]))
        return Answer(status, headers, body, headers.get("connection") != "close")

    async def ask(self, method, path, *, headers=(), body=b"", host="test"):
        """Send one request and read its response."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        await self.send("\r\n".join([*lines, "", ""]).encode() + body)
        return await self.answer(method)

    async def ended(self, within=5.0):
        """Read until the server ends the connection, and return what came."""
        async with asyncio.timeout(within):
            with contextlib.suppress(ConnectionError):
                return await self.reader.read(-1)
            return b""


@pytest.fixture
async def connect():
    """Open bare connections that are closed when the test ends."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_one(server, **options):
            addr = server if isinstance(server, str) else server.addr
            kind, _, path = addr.partition(":")
            if kind == "unix":
                reader, writer = await asyncio.open_unix_connection(path, **options)
            else:
                host, _, port = addr.rpartition(":")
                host = host.strip("[]").replace("::", "::1") if host == "[::]" else host.strip("[]")
                reader, writer = await asyncio.open_connection(host, int(port), **options)
            stack.callback(writer.close)
            return Client(reader, writer)

        yield open_one


@pytest.fixture
def ask(connect):
    """Send one request over a connection of its own."""

    async def send(server, method, path, **options):
        client = await connect(server)
        answer = await client.ask(method, path, **options)
        client.writer.close()
        return answer

    return send


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A certificate authority, and the files of a server's certificate."""
    directory = tmp_path_factory.mktemp("tls")
    ca = trustme.CA()
    leaf = ca.issue_cert("localhost", "127.0.0.1")
    files = SimpleNamespace(
        ca=ca,
        both=str(directory / "both.pem"),
        cert=str(directory / "cert.pem"),
        key=str(directory / "key.pem"),
    )
    leaf.private_key_and_cert_chain_pem.write_to_path(files.both)
    leaf.cert_chain_pems[0].write_to_path(files.cert)
    leaf.private_key_pem.write_to_path(files.key)
    return files


class Logger:
    """A structural logger that keeps what it is told."""

    def __init__(self):
        self.lines = []

    def __getattr__(self, level):
        if level.startswith("_"):
            raise AttributeError(level)
        return lambda msg, **fields: self.lines.append((level, msg, fields))

    def of(self, level):
        """Return what was said at a level."""
        return [(msg, fields) for said, msg, fields in self.lines if said == level]


@pytest.fixture
def logger():
    """Return a structural logger that keeps what it is told."""
    return Logger()
