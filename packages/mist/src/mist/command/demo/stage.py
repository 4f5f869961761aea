"""The run of the four tools, as whoever watches it sees it: a stream of messages.

An `Observer` is called with every message that reaches the stage, in order of arrival: what was
compiled (`data.schema`, `data.entities`), the start (`eval.run`), each result (`eval.result`), each
span (`trace.span`), each change of a breaker (`matchspec.breaker`), each alert (`trace.alert`), and
at the end the figures (`tokentrace.summary`). The live progress and the report are observers, and
nothing else knows how a run is doing.
"""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from contextlib import ExitStack
from typing import Final, Protocol

from mist import logging
from mist.command.demo.desk import Desk, Outgoing
from mist.command.demo.infermux import run_infermux
from mist.command.demo.mail import END, STAGE, STOP, TOOLS, Router, arrivals
from mist.command.demo.matchspec import run_matchspec
from mist.command.demo.run import Run
from mist.command.demo.schemaflux import run_schemaflux
from mist.command.demo.tokentrace import run_tokentrace
from mist.metrics import Registry
from mist.protocol import Message, MessageType, Source
from mist.transport import Channel, Sender


class Stop(Protocol):
    """The order to stop, such as `mist.lifecycle.shutting_down()`."""

    def wait(self) -> Awaitable[object]:
        """Return once it was given."""
        ...


Observer = Callable[[Message], object]
Tool = Callable[[Desk], Awaitable[None]]

_RUN: Final[Mapping[str, Tool]] = {
    Source.SCHEMAFLUX: run_schemaflux,
    Source.INFERMUX: run_infermux,
    Source.TOKENTRACE: run_tokentrace,
    Source.MATCHSPEC: run_matchspec,
}

_ROOM: Final = 4096  # messages that may wait for each tool


async def play_in_process(run: Run, observe: Observer, stopping: Stop) -> None:
    """Run the four tools as tasks of this process, over channels.

    Args:
        run: Which run.
        observe: Is called with each message that reaches the stage.
        stopping: Once set, no task is begun any more, and those that have begun are finished.
    """
    boxes = {name: Channel(_ROOM) for name in (*TOOLS, STAGE)}
    outbox = Router(boxes)
    outgoing = Outgoing(outbox)
    with ExitStack() as files:
        async with outgoing.sending(), asyncio.TaskGroup() as group:
            tools: list[asyncio.Task[None]] = []
            for tool in TOOLS:
                file = files.enter_context((run.directory / f"{tool}.log").open("a"))
                log = logging.new(tool, run.settings.log_level, writer=file)
                inbox = arrivals(boxes[tool], tool)
                ends = (inbox, outbox, outgoing)
                desk = Desk(tool, run.settings, run.directory, *ends, log, Registry())
                tools.append(group.create_task(play_tool(desk)))
            await watch(boxes[STAGE], outbox, observe, stopping)
            for task in tools:
                task.cancel()


async def play_tool(desk: Desk) -> None:
    """Run one tool to its end, and tell those who wait for it, after its last span."""
    await _RUN[desk.tool](desk)
    await desk.outgoing.flush()
    await desk.send(END, {})


async def watch(
    inbox: AsyncIterable[Message], outbox: Sender, observe: Observer, stopping: Stop
) -> None:
    """Show the observer what arrives until the run is over, and pass on the order to stop.

    Where that comes before the evaluation has begun, there is nothing to wait for.
    """
    begun = False

    async def read() -> None:
        nonlocal begun
        async for message in arrivals(inbox, STAGE):
            begun = begun or message.type == MessageType.EVAL_RUN
            observe(message)

    reading = asyncio.create_task(read())
    ordered = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((reading, ordered), return_when=asyncio.FIRST_COMPLETED)
        if begun and not reading.done():
            stop = Message.new(STAGE, STOP, {})
            observe(stop)
            await outbox.send(stop)
            await reading
        elif reading.done():
            reading.result()
    finally:
        reading.cancel()
        ordered.cancel()
        await asyncio.gather(reading, ordered, return_exceptions=True)
