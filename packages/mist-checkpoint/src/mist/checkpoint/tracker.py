# ruff: noqa: N803  # `T` is what the package's contract calls a type
"""A run: its steps, each done once, and what they returned."""

import contextlib
import os
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from mist.checkpoint.driver import AWAITING, BLOCKING, Driver, run, running_loop
from mist.checkpoint.errors import CheckpointError, InvalidValue, RunInUse
from mist.checkpoint.log_file import LogFile
from mist.checkpoint.record import Problem
from mist.checkpoint.run_files import RunFiles
from mist.checkpoint.run_id import valid_run_id
from mist.checkpoint.steps import Steps

X = TypeVar("X")
Work = Callable[[], Awaitable[Any]]
PlainWork = Callable[[], Any]

_LOCK_INTERVAL = 0.05  # seconds
_ONCE = (0,)  # the attempts of a step that is not retried, as the log numbers them


class Tracker:
    """An open run, made by `open`. Its methods may be called from any thread and task.

    In an event loop it is entered with `async with`, elsewhere with `with`.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        run_id: str,
        *,
        wait: bool = False,
        timeout: float | None = None,
        spill_over: int = 1 << 20,
        open_file: Callable[[str], LogFile] = LogFile,
    ) -> None:
        if not valid_run_id(run_id):
            raise InvalidValue(
                f"run id {run_id!r}: it must be 1 to 255 characters of A-Z a-z 0-9 - _"
            )
        directory = os.fsdecode(directory)
        if not directory or "\0" in directory:
            raise InvalidValue(
                f"dir is {directory!r}: it must name a directory, and '.' is the present one"
            )
        if timeout is not None and not (wait and timeout >= 0):
            raise InvalidValue(f"timeout is {timeout}: it goes with wait=True, and is 0 s or more")
        if spill_over < 0:
            raise InvalidValue(f"spill_over is {spill_over}: it must be 0 bytes or more")
        self._run_id = run_id
        self._wait = wait
        self._timeout = timeout
        self._spill_over = spill_over
        self._files = RunFiles(directory, run_id, open_file)
        self._process = os.getpid()
        self._opening = threading.Lock()
        self._is_closed = False
        self._steps: Steps | None = None  # until the run is open
        self._problems: list[Problem] = []
        self._problem_count = 0
        if running_loop() is None:
            self._opened()
        else:
            self._reserve()

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._run_id

    @property
    def path(self) -> str:
        """The run's log."""
        return self._files.path

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The first hundred lines of the log that were skipped when it was read."""
        self._opened()
        return tuple(self._problems)

    @property
    def problem_count(self) -> int:
        """How many lines of the log were skipped when it was read."""
        self._opened()
        return self._problem_count

    def is_completed(self, name: str) -> bool:
        """Tell whether a step is completed.

        Args:
            name: The step's name.
        """
        return self._opened().is_completed(name)

    def completed_steps(self) -> list[str]:
        """Return the names of the completed steps, in the order in which they were completed."""
        return self._opened().completed()

    @overload
    def result(self, name: str, T: type[X]) -> X: ...

    @overload
    def result(self, name: str, T: Any = None) -> Any: ...

    def result(self, name: str, T: Any = None) -> Any:
        """Return the result of a completed step.

        One that is kept in a file of its own is read by each call.

        Args:
            name: The step's name.
            T: The type to return it as. Without one, plain JSON values are returned, and None
                for a step that is not completed.

        Raises:
            InvalidValue: The result is no `T`.
            CheckpointError: With `T`: the step is not completed, code `not_found`. Or the
                result's file is gone or damaged.
        """
        return self._opened().result(name, T)

    @overload
    async def step(self, name: str, fn: Work, T: type[X], *, inputs: object = None) -> X: ...

    @overload
    async def step(self, name: str, fn: Work, T: Any = None, *, inputs: object = None) -> Any: ...

    async def step(self, name: str, fn: Work, T: Any = None, *, inputs: object = None) -> Any:
        """Run a step unless it is completed, and return its result.

        It returns once the result is safe on the disk. Where the same step is under way already,
        it waits for that one and shares its result or its error. A step that is cancelled is not
        completed, and has not failed; somebody who waited for it runs it in its place.

        Args:
            name: The step's name, which identifies it in the run.
            fn: What the step does: returns an awaitable of a value that msgspec can encode.
            T: The type to return the result as, whether the step ran now or earlier. Without
                one, a step that runs returns what `fn` returned, and a step that is completed
                the plain JSON values of that.
            inputs: Anything that msgspec can encode. The step runs again where these differ from
                those it was completed with.

        Raises:
            InvalidValue: The name, the inputs or the result cannot be taken.
            StorageError: The result could not be recorded, and the step is not completed.
            RunInUse: The run is not open yet, and somebody else has it.
            Exception: What `fn` raised, recorded as the step's failure.
        """
        return await self._step(AWAITING, name, fn, T, inputs=inputs)

    @overload
    def step_sync(self, name: str, fn: PlainWork, T: type[X], *, inputs: object = None) -> X: ...

    @overload
    def step_sync(
        self, name: str, fn: PlainWork, T: Any = None, *, inputs: object = None
    ) -> Any: ...

    def step_sync(self, name: str, fn: PlainWork, T: Any = None, *, inputs: object = None) -> Any:
        """Do as `step` does, for a plain function, and block meanwhile."""
        return run(self._step(BLOCKING, name, fn, T, inputs=inputs))

    @overload
    async def step_retry(
        self, name: str, max_attempts: int, fn: Work, T: type[X], *, inputs: object = None
    ) -> X: ...

    @overload
    async def step_retry(
        self, name: str, max_attempts: int, fn: Work, T: Any = None, *, inputs: object = None
    ) -> Any: ...

    async def step_retry(
        self, name: str, max_attempts: int, fn: Work, T: Any = None, *, inputs: object = None
    ) -> Any:
        """Do as `step` does, and try again when `fn` raises, each attempt being recorded.

        Between attempts it waits 0.1, 0.2, 0.4 ... at most 5 seconds.

        Args:
            name: The step's name.
            max_attempts: How often to try, at least 1.
            fn: As in `step`.
            T: As in `step`.
            inputs: As in `step`.

        Raises:
            Exception: What `step` raises, or `fn` in the last attempt.
        """
        attempts = _attempts(max_attempts)
        return await self._step(AWAITING, name, fn, T, inputs=inputs, attempts=attempts)

    @overload
    def step_retry_sync(
        self, name: str, max_attempts: int, fn: PlainWork, T: type[X], *, inputs: object = None
    ) -> X: ...

    @overload
    def step_retry_sync(
        self, name: str, max_attempts: int, fn: PlainWork, T: Any = None, *, inputs: object = None
    ) -> Any: ...

    def step_retry_sync(
        self, name: str, max_attempts: int, fn: PlainWork, T: Any = None, *, inputs: object = None
    ) -> Any:
        """Do as `step_retry` does, for a plain function, and block meanwhile."""
        attempts = _attempts(max_attempts)
        return run(self._step(BLOCKING, name, fn, T, inputs=inputs, attempts=attempts))

    def reset(self) -> None:
        """Forget every record and every result, so that all steps run again. Blocks.

        Raises:
            CheckpointError: A step is under way, code `conflict`.
            StorageError: The storage fails.
        """
        steps = self._opened()
        self._refuse_unusable()
        steps.clear()
        self._problems.clear()
        self._problem_count = 0

    def close(self) -> None:
        """Let others open the run; what was completed can still be asked for.

        A step that is still under way cannot be recorded any more. A second call does nothing.
        """
        if self._process == os.getpid():
            with self._opening:
                self._is_closed = True
                self._files.close()

    def __enter__(self) -> Self:
        self._opened()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        try:
            await self._open(AWAITING)
        except BaseException:
            await AWAITING.off_loop(self.close)
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await AWAITING.off_loop(self.close)

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "open" if self._steps else "not open yet"
        return f"<Tracker {self._run_id!r} {state}>"

    def _opened(self) -> Steps:
        """Return the run's steps, and open it before if that has not happened yet."""
        return self._steps or run(self._open(BLOCKING))

    def _reserve(self) -> None:
        """Lock the run if that needs no waiting, and leave the rest to who enters it."""
        with contextlib.suppress(FileNotFoundError):  # no directory, so nobody has the run
            if not self._files.lock.acquire() and not self._wait:
                raise self._in_use()

    async def _open(self, driver: Driver) -> Steps:
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        while (steps := await driver.off_loop(self._try_open)) is None:
            if not self._wait or (deadline is not None and time.monotonic() >= deadline):
                raise self._in_use()
            await driver.sleep(_LOCK_INTERVAL)
        return steps

    def _try_open(self) -> Steps | None:
        self._refuse_unusable()
        with self._opening:
            if self._steps is None:
                self._refuse_unusable()
                replay = self._files.try_open()
                if replay is None:
                    return None
                self._problems = replay.problems
                self._problem_count = replay.problem_count
                if self._problems:
                    self._warn()
                self._steps = Steps(self._files, replay.completed, self._spill_over)
            return self._steps

    def _warn(self) -> None:
        import logging  # noqa: PLC0415  # for the rare log that has something wrong with it

        shown = "; ".join(map(str, self._problems[:3]))
        logging.getLogger("mist.checkpoint").warning(
            "%s: %d lines skipped: %s", self.path, self._problem_count, shown
        )

    def _in_use(self) -> RunInUse:
        holder = self._files.lock.holder()
        who = "by somebody else" if holder is None else f"by process {holder}"
        message = f"run {self._run_id!r} is open already, {who} ({self.path})"
        if self._wait:
            message += f"; gave up after {self._timeout:g} s"
            return RunInUse(message, holder=holder, code="timeout")
        message += "; wait=True waits for it"
        return RunInUse(message, holder=holder)

    def _refuse_unusable(self) -> None:
        if self._is_closed:
            raise CheckpointError(f"run {self._run_id!r} is closed; open it again", code="conflict")
        if self._process != os.getpid():
            raise CheckpointError(
                f"run {self._run_id!r} was opened by process {self._process}: a forked child "
                "cannot use it",
                code="conflict",
            )

    async def _step(
        self,
        driver: Driver,
        name: str,
        fn: PlainWork,
        T: Any,
        *,
        inputs: object,
        attempts: Sequence[int] = _ONCE,
    ) -> Any:
        self._refuse_unusable()
        steps = self._steps or await self._open(driver)
        return await steps.take(driver, name, fn, T, inputs=inputs, attempts=attempts)


def _attempts(max_attempts: int) -> Sequence[int]:
    if max_attempts < 1:
        raise InvalidValue(f"max_attempts is {max_attempts}: it must be 1 or more")
    return range(1, max_attempts + 1)
