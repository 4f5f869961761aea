"""The four tools as processes: over HTTP, files, or pipes."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

from mist.command.demo.mail import HELLO, PEERS, STAGE, TOOLS, Router
from mist.command.demo.run import SETTINGS_FILE, Run
from mist.command.demo.stage import Observer, Stop, watch
from mist.errors import Code, MistError
from mist.protocol import Message
from mist.transport import HTTP, Channel, File, Stdio, Transport, TransportClosed

_ROOM: Final = 4096  # messages that may wait to be handled
_END_SECONDS: Final = 3.0  # for a process to end once it was let go


@dataclass(frozen=True)
class ToolProcess:
    """A tool that runs.

    Attributes:
        tool: Which.
        process: Its process.
        stdin: The writing end of its standard input; closing it lets the process go.
        stdout: The reading end of its standard output, where there is one.
        log: The file with its log.
    """

    tool: str
    process: Process
    stdin: int
    stdout: int | None
    log: Path

    async def must_not_end(self) -> None:
        """Raise as soon as the process ends."""
        status = await self.process.wait()
        how = f"exit status {status}" if status >= 0 else signal.Signals(-status).name
        raise MistError(
            Code.UNAVAILABLE,
            f"{self.tool} ended before the run did ({how}{self._last_words()});"
            f" its log is {self.log}",
        )

    def _last_words(self) -> str:
        """Return what it has said of its end, beneath the lines of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f": {lines[-1]}" if lines and not lines[-1].startswith("{") else ""

    async def end(self) -> None:
        """Let the process go, and kill it if that does not end it."""
        os.close(self.stdin)
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
        finally:
            if self.stdout is not None:
                os.close(self.stdout)


async def play_in_processes(run: Run, observe: Observer, stopping: Stop) -> None:
    """Run each of the four tools in a process of its own.

    Args:
        run: Which run, and on what transport.
        observe: Is called with each message that reaches the stage; `demo.hello` tells where a
            tool listens.
        stopping: Once set, no task is begun any more, and those that have begun are finished.

    Raises:
        MistError: Code `unavailable`: a tool has ended before the run did. The others are ended.
    """
    play = {"http": _over_http, "file": _over_files, "stdio": _over_pipes}[run.settings.transport]
    await play(run, observe, stopping)


async def _over_http(run: Run, observe: Observer, stopping: Stop) -> None:
    async with AsyncExitStack() as stack:
        inbox = await stack.enter_async_context(HTTP(inbox=_ROOM))
        await inbox.listen("127.0.0.1:0")
        processes = await stack.enter_async_context(_started(run, inbox.listen_url))

        outbox = Router({})
        arriving = _introducing(inbox, outbox, stack)
        await _while_all_live(watch(arriving, outbox, observe, stopping), processes)


async def _introducing(
    inbox: HTTP, outbox: Router, stack: AsyncExitStack
) -> AsyncGenerator[Message]:
    """Yield what arrives; tell the tools of each other, once all have said where they are."""
    urls: dict[str, str] = {}
    async for message in inbox:
        if message.type == HELLO:
            url = urls[message.source] = message.decode(dict[str, Any])["url"]
            outbox.peers[message.source] = await stack.enter_async_context(HTTP(url))
            if len(urls) == len(TOOLS):
                for peer in outbox.peers.values():
                    await peer.send(Message.new(STAGE, PEERS, urls))
        yield message


async def _over_files(run: Run, observe: Observer, stopping: Stop) -> None:
    for left in run.directory.glob("mail-*"):  # by one that was killed
        shutil.rmtree(left, ignore_errors=True)
    directory = Path(mkdtemp(prefix="mail-", dir=run.directory))
    try:
        for name in (*TOOLS, STAGE):
            (directory / f"{name}.jsonl").touch(mode=0o600)
        async with AsyncExitStack() as stack:
            inbox = await stack.enter_async_context(File(directory / f"{STAGE}.jsonl", follow=True))
            peers: dict[str, Transport] = {}
            for tool in TOOLS:
                peers[tool] = await stack.enter_async_context(File(directory / f"{tool}.jsonl"))
            processes = await stack.enter_async_context(_started(run, str(directory)))
            await _while_all_live(watch(inbox, Router(peers), observe, stopping), processes)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def _over_pipes(run: Run, observe: Observer, stopping: Stop) -> None:
    """Pass messages on between the pipes: each tool writes to us what is for the others."""
    stage = Channel(_ROOM)
    async with AsyncExitStack() as stack:
        processes = await stack.enter_async_context(_started(run, "", pipes=True))
        pipes = {
            each.tool: await stack.enter_async_context(Stdio(each.stdout, each.stdin))
            for each in processes
        }
        outbox = Router({**pipes, STAGE: stage})

        async def play() -> None:
            async with asyncio.TaskGroup() as group:
                relays = [group.create_task(_relay(pipe, outbox)) for pipe in pipes.values()]
                await watch(stage, outbox, observe, stopping)
                for relay in relays:
                    relay.cancel()

        await _while_all_live(play(), processes)


async def _relay(pipe: Transport, outbox: Router) -> None:
    with contextlib.suppress(TransportClosed):  # a process has ended, which is told by who waits
        async for message in pipe:
            await outbox.send(message)


@asynccontextmanager
async def _started(
    run: Run, stage: str, *, pipes: bool = False
) -> AsyncGenerator[list[ToolProcess]]:
    """Start the processes, and see to it that none is left in the end."""
    processes: list[ToolProcess] = []
    try:
        for tool in TOOLS:
            processes.append(await _start(tool, run, stage, pipes=pipes))  # noqa: PERF401  # to end those that were started
        yield processes
    finally:
        await asyncio.shield(asyncio.gather(*(each.end() for each in processes)))


async def _start(tool: str, run: Run, stage: str, *, pipes: bool) -> ToolProcess:
    log = run.directory / f"{tool}.log"
    config = run.directory / SETTINGS_FILE
    theirs, stdin = os.pipe()
    stdout, their_stdout = os.pipe() if pipes else (None, DEVNULL)
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "mist.command.demo", tool, f"--config={config}", f"--stage={stage}"),
            stdin=theirs,
            stdout=their_stdout,
            stderr=file,
            start_new_session=True,  # Ctrl-C is for us, who tell them what to do
        )
    os.close(theirs)
    if pipes:
        os.close(their_stdout)
    return ToolProcess(tool, process, stdin, stdout, log)


async def _while_all_live(play: Coroutine[Any, Any, None], processes: list[ToolProcess]) -> None:
    """Await a run, and end it with an error as soon as a process of it has ended."""
    watching = [asyncio.create_task(each.must_not_end()) for each in processes]
    playing = asyncio.create_task(play)
    try:
        await asyncio.wait((playing, *watching), return_when=asyncio.FIRST_COMPLETED)
        for task in (*watching, playing):
            if task.done():
                task.result()
    finally:
        for task in (playing, *watching):
            task.cancel()
        await asyncio.gather(playing, *watching, return_exceptions=True)
