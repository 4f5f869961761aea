"""The course of a run, from main's first step to the last hook."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager

from mist.lifecycle.deadline import Deadline
from mist.lifecycle.errors import LifecycleError
from mist.lifecycle.hook import Hook
from mist.lifecycle.report import Step, Straggler
from mist.lifecycle.stack import task_stack, thread_stack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mist.lifecycle.own_loop import OwnLoop
    from mist.lifecycle.plan import Plan
    from mist.lifecycle.scope import Scope

_log = logging.getLogger("mist.lifecycle")

# Seconds beyond the deadline for what is only told to end, and ends when it is told.
MOMENT = 0.1

# The part of a hook's share after which it is cancelled; the rest is for its `finally` blocks.
_WORK = 0.9


class Course:
    """The course of one run.

    Args:
        main: a coroutine function.
        plan: what the caller asks for.
        scope: what main registers.
        own_loop: the event loop, where it belongs to the run.

    Attributes:
        main: its task.
        told: whether main was cancelled by the shutdown.
        seconds: what the shutdown took.
        phases: what each took so far.
        hooks: what each took so far.
        stragglers: who was late so far.
        errors: what was raised so far, but for main's, and where.
    """

    def __init__(
        self,
        main: Callable[[], Awaitable[Any]],
        plan: Plan,
        scope: Scope,
        own_loop: OwnLoop | None,
    ) -> None:
        self.told = False
        self.seconds = 0.0
        self.phases: list[Step] = []
        self.hooks: list[Step] = []
        self.stragglers: list[Straggler] = []
        self.errors: list[tuple[str, BaseException]] = []
        self._plan = plan
        self._scope = scope
        self._own_loop = own_loop
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time
        self._began = self._now()
        self._deadline = Deadline(self._began, plan.drain_timeout, plan.shutdown_timeout)
        self._hook_tasks: set[asyncio.Task[Any]] = set()
        context = scope.attach(self._loop)
        self.main = self._loop.create_task(_settle(main), name="main", context=context)
        self.main.add_done_callback(self._main_is_over)
        scope.unfinished = lambda: self._main_late("running")

    async def run(self) -> None:
        """Wait until the shutdown is to begin, and carry it out."""
        await self._until_requested()
        try:
            self._begin()
            await self._drain()
            await self._cancel()
            self._deadline.drained(self._now())
            await self._run_hooks()
            if self._own_loop is not None:
                await self._sweep(self._own_loop)
        finally:
            await self._abandon()
            self.seconds = self._now() - self._began

    def _left(self) -> float:
        """Seconds until everything has to be over; at least a moment."""
        return max(self._deadline.left(self._now()), MOMENT)

    def _blame(self, stragglers: Iterable[Straggler]) -> None:
        """Note who was late."""
        self.stragglers += stragglers

    @contextmanager
    def _phase(
        self, name: str, allowed: float, unfinished: Callable[[], list[Straggler]]
    ) -> Generator[None]:
        """Measure a phase.

        Args:
            name: what the report calls it.
            allowed: seconds it may take.
            unfinished: tells who keeps it from being over.
        """
        began = self._now()
        self._scope.unfinished = unfinished
        try:
            yield
        finally:
            self.phases.append(Step(name, self._now() - began, allowed))

    def _main_is_over(self, main: asyncio.Task[tuple[Any, BaseException | None]]) -> None:
        failed = main.cancelled() or main.result()[1] is not None
        self._scope.request("main failed" if failed else "main returned")
        self._scope.poke()

    async def _until_requested(self) -> None:
        while self._scope.reason is None:
            try:
                self._scope.changed.clear()
                await self._scope.changed.wait()
            except KeyboardInterrupt as exc:
                # Where no signal is handled, Ctrl-C strikes whatever runs just then.
                self._scope.fail(exc)

    def _begin(self) -> None:
        plan = self._plan
        self._began = self._now()
        self._deadline = Deadline(self._began, plan.drain_timeout, plan.shutdown_timeout)
        _log.info("shutting down: %s", self._scope.reason)
        with self._phase("readiness", self._deadline.left(self._began), list):
            for each in plan.readiness:
                try:
                    each.set_ready(False)
                except Exception as exc:  # noqa: BLE001  # told with the others
                    self.errors.append(("readiness", exc))
            self._scope.begun.set()

    async def _drain(self) -> None:
        """Let work finish; cancel a main that does not listen as soon as none is in flight."""
        in_flight, changed = self._scope.in_flight, self._scope.changed

        def unfinished() -> list[Straggler]:
            return self._main_late("drain") + self._work_late()

        with self._phase("drain", self._plan.drain_timeout, unfinished):
            try:
                async with asyncio.timeout_at(self._deadline.drain):
                    while in_flight.busy or not self.main.done():
                        changed.clear()
                        if not in_flight.busy and not self._scope.heard:
                            self._tell_main()
                        await changed.wait()
            except TimeoutError:
                # A main that was told already has a share of its own for its `finally` blocks.
                self._blame(self._work_late() if self.told else unfinished())

    async def _cancel(self) -> None:
        """Cancel what did not end by itself, and let it end."""
        tasks = {each for each in (self.main, *self._scope.in_flight.spawned) if not each.done()}
        if not tasks:
            return

        def unfinished() -> list[Straggler]:
            return [_late(each, "cancel") for each in tasks if not each.done()]

        share = self._deadline.share(self._now(), self._pending + 1)
        with self._phase("cancel", share, unfinished):
            for each in tasks - {self.main}:
                each.cancel()
            self._tell_main()
            await asyncio.wait(tasks, timeout=share)
            self._blame(unfinished())

    async def _run_hooks(self) -> None:
        scope = self._scope
        with self._phase("hooks", self._deadline.left(self._now()), list):
            while scope.hooks:
                await self._run_hook(scope.hooks.pop(), "hooks")
        with self._phase("flush", self._deadline.left(self._now()), list):
            while scope.hooks or scope.last_hooks:
                await self._run_hook((scope.hooks or scope.last_hooks).pop(), "flush")

    async def _run_hook(self, hook: Hook, phase: str) -> None:
        began = self._now()
        share = self._deadline.share(began, self._pending + 1)
        task = hook.start()
        self._hook_tasks.add(task)

        def unfinished() -> list[Straggler]:
            return [Straggler(hook.name, phase, hook.stack())]

        self._scope.unfinished = unfinished
        await asyncio.wait({task}, timeout=share * _WORK)
        problem = ""
        if not task.done():
            problem = "stalled"
            self._blame(unfinished())
            task.cancel()
            await asyncio.wait({task}, timeout=share * (1 - _WORK))
        # A hook that awaits a task it has cancelled ends cancelled, which is no failure.
        if task.done() and not task.cancelled() and (error := task.result()) is not None:
            problem = problem or f"{type(error).__name__}: {error}".partition("\n")[0]
            self.errors.append((f"hook {hook.name}", error))
        self.hooks.append(Step(hook.name, self._now() - began, share, problem))

    async def _sweep(self, own_loop: OwnLoop) -> None:
        with self._phase("tasks", self._left(), own_loop.unfinished):
            await own_loop.end_tasks(self._left)
        if self._pending:
            await self._run_hooks()
        with self._phase("threads", self._left(), own_loop.unfinished):
            await own_loop.end_threads(self._left)
            self._blame(own_loop.unfinished())

    async def _abandon(self) -> None:
        """Leave nothing behind that can be ended, whatever happened."""
        scope = self._scope
        scope.close()
        self.told = self.told or not self.main.done()
        skipped = [*scope.last_hooks, *scope.hooks]
        self.hooks += [Step(each.name, 0.0, 0.0, "skipped") for each in reversed(skipped)]
        tasks = {self.main, *scope.in_flight.spawned, *self._hook_tasks}
        tasks = {each for each in tasks if not each.done()}
        for each in tasks:
            each.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=MOMENT)

    @property
    def _pending(self) -> int:
        return len(self._scope.hooks) + len(self._scope.last_hooks)

    def _tell_main(self) -> None:
        if not self.told and not self.main.done():
            self.told = True
            self.main.cancel()

    def _main_late(self, phase: str) -> list[Straggler]:
        return [] if self.main.done() else [_late(self.main, phase)]

    def _work_late(self) -> list[Straggler]:
        late: list[Straggler] = []
        for work in self._scope.in_flight.work():
            stack = task_stack(work.task) if work.task is not None else thread_stack(work.thread)
            times = f" x {work.count}" if work.count > 1 else ""
            late.append(Straggler(f"{work.name}{times}", "drain", stack))
        return late


def _late(task: asyncio.Task[Any], phase: str) -> Straggler:
    return Straggler(task.get_name(), phase, task_stack(task))


async def _settle(main: Callable[[], Awaitable[Any]]) -> tuple[Any, BaseException | None]:
    """Return what main returns, or what it raises: SystemExit would end the loop at once."""
    try:
        return await _awaitable(main), None
    except (asyncio.CancelledError, GeneratorExit):
        raise
    except BaseException as exc:  # noqa: BLE001  # raised at the end of the run
        return None, exc


def _awaitable(main: Callable[[], Awaitable[Any]]) -> Awaitable[Any]:
    awaitable = main()
    if inspect.isawaitable(awaitable):
        return awaitable
    raise LifecycleError(f"main must be a coroutine function: {main!r} returned {awaitable!r}")
