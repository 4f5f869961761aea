"""One tool in a process of its own.

The process that started it holds the other end of its standard input, and lets go of it when the
run is over. Where that process is gone, however it ended, this one notices and ends as well.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, Self

from mist import logging
from mist.command.demo.desk import Desk, Outgoing
from mist.command.demo.mail import HELLO, PEERS, STAGE, TOOLS, Router, arrivals
from mist.command.demo.settings import load_settings
from mist.command.demo.stage import play_tool
from mist.health import Handler
from mist.logging import Logger
from mist.metrics import Registry
from mist.protocol import Message
from mist.server import Server
from mist.transport import HTTP, File, Sender, Stdio, Transport

_ROOM: Final = 4096  # messages that may wait to be handled
_STDIN: Final = 0

Ends = tuple[AsyncIterator[Message], Sender]


@dataclass(frozen=True)
class Host:
    """What the process of a tool was started with.

    Attributes:
        tool: Which tool.
        config: The run's settings; its files are in the same directory.
        stage: Where the stage takes messages: a URL, a directory of files, or nothing for pipes.
    """

    tool: str
    config: Path
    stage: str

    async def run(self) -> None:
        """Run the tool until its work is done, and stay until nobody needs this process."""
        settings = load_settings(self.config)
        log = logging.new(self.tool, settings.log_level)
        log.capture_stdlib()
        metrics = Registry()
        if settings.transport == "http":
            ends = self._over_http(settings.listen, log, metrics)
        else:
            ends = self._over_stdio() if settings.transport == "stdio" else self._over_files()
        async with ends as (inbox, outbox):
            outgoing = Outgoing(outbox)
            arriving = arrivals(inbox, self.tool)
            desk = Desk(
                self.tool, settings, self.config.parent, arriving, outbox, outgoing, log, metrics
            )
            async with outgoing.sending():
                await play_tool(desk)
            log.info("done")
            async for _ in inbox:
                pass

    @asynccontextmanager
    async def _over_stdio(self) -> AsyncGenerator[Ends]:
        async with Stdio() as pipe:
            yield pipe, pipe

    @asynccontextmanager
    async def _over_files(self) -> AsyncGenerator[Ends]:
        paths = {name: Path(self.stage) / f"{name}.jsonl" for name in (*TOOLS, STAGE)}
        async with AsyncExitStack() as stack:
            peers = {
                name: await stack.enter_async_context(File(path)) for name, path in paths.items()
            }
            inbox = await stack.enter_async_context(File(paths[self.tool], follow=True))
            _close_when_let_go(inbox)
            yield inbox, Router(peers)

    @asynccontextmanager
    async def _over_http(self, listen: str, log: Logger, metrics: Registry) -> AsyncGenerator[Ends]:
        """Serve messages, probes and metrics; learn from the stage where the others are."""
        health = Handler(self.tool, version("mist"))
        health.set_ready(False)
        metrics.add_process_metrics()
        inbox = HTTP(inbox=_ROOM)
        server = Server(listen, logger=log, readiness=health, drain_delay=0)
        server.handle("POST /mist", inbox.asgi)
        server.handle("GET /healthz", health.liveness())
        server.handle("GET /readyz", health.readiness())
        server.handle("GET /metricsz", metrics.handler())
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(server)
            await stack.enter_async_context(inbox)
            _close_when_let_go(inbox)
            log.info("listening", url=server.url)
            peers = {STAGE: await stack.enter_async_context(HTTP(self.stage))}
            await peers[STAGE].send(Message.new(self.tool, HELLO, {"url": server.url}))

            early: list[Message] = []  # from peers that were told of us before we of them
            while (message := await inbox.receive()).type != PEERS:
                early.append(message)
            for name, url in message.decode(dict[str, str]).items():
                peers[name] = await stack.enter_async_context(HTTP(url))
            health.set_ready(True)
            yield _Arrived(early, inbox), Router(peers)


class _Arrived:
    """Messages that have been received already, then those of an inbox."""

    def __init__(self, early: list[Message], inbox: HTTP) -> None:
        self._early = early
        self._inbox = inbox

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        return self._early.pop(0) if self._early else await anext(self._inbox)


def _close_when_let_go(inbox: Transport) -> None:
    """Close an inbox as soon as nobody holds the other end of standard input any more."""
    loop = asyncio.get_running_loop()
    closing: list[asyncio.Task[None]] = []  # held, so that it is not collected

    def wait() -> None:
        while os.read(_STDIN, 1024):
            pass
        with contextlib.suppress(RuntimeError):  # the loop is over
            loop.call_soon_threadsafe(lambda: closing.append(loop.create_task(inbox.close())))

    # A daemon: nothing ends a read but who holds the other end.
    threading.Thread(target=wait, daemon=True).start()
