"""What users write, checked by mypy and pyright and never run."""

import asyncio
from signal import SIGHUP
from typing import assert_type

from mist.lifecycle import (
    DrainGroup,
    Event,
    LifecycleError,
    Report,
    ShutdownTimeout,
    Step,
    Straggler,
    drain_group,
    on_shutdown,
    request_shutdown,
    run,
    run_async,
    shutting_down,
)


class Health:
    """As mist.health's Handler."""

    def set_ready(self, ready: bool) -> None:
        """Take it."""


class Server:
    """As mist.server's Server."""

    async def shutdown(self) -> None:
        """End it."""


def told(report: Report) -> None:
    """Read a report."""
    assert_type(report.phases, tuple[Step, ...])
    assert_type(report.stragglers, tuple[Straggler, ...])
    assert_type(report.errors, tuple[BaseException, ...])
    assert_type(report.seconds, float)


async def main() -> int:
    """Use everything once."""
    on_shutdown(Server().shutdown)
    on_shutdown(lambda: print("sync"), last=True)

    @on_shutdown
    async def hook() -> None:
        pass

    await hook()
    group = drain_group()
    assert_type(group, DrainGroup)
    group.add()
    group.done()
    async with group.track("job"):
        pass
    with group.track("job in a thread"):
        pass
    assert_type(group.spawn(asyncio.sleep(0, "x"), name="job"), asyncio.Task[str])
    stop = shutting_down()
    assert_type(stop, Event)
    assert_type(stop.is_set(), bool)
    await stop.wait()
    request_shutdown()
    return 1


def program() -> None:
    """Run."""
    assert_type(run(main), int | None)
    assert_type(
        run(main, drain_timeout=1, shutdown_timeout=2.5, readiness=Health(), on_report=told),
        int | None,
    )
    run(main, readiness=[Health(), Health()], signals=(SIGHUP,))
    run(main, loop_factory=asyncio.SelectorEventLoop)
    try:
        run(main, signals=False)
    except ShutdownTimeout as exc:
        assert_type(exc.stragglers, tuple[Straggler, ...])
        assert_type(exc.code, str)
    except LifecycleError as exc:
        assert_type(exc.code, str)


async def embedded() -> None:
    """Run inside of a loop."""
    assert_type(await run_async(main, signals=False), int | None)
