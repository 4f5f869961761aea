# ruff: noqa: N803  # `T` is what the package's contract calls a type
"""A run: its steps, each done once, and what they returned."""

import contextlib
import contextvars
import functools
import os
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, overload

import msgspec

from mist.checkpoint.backoff import wait_after
from mist.checkpoint.driver import AWAITING, BLOCKING, Driver, run, running_loop
from mist.checkpoint.errors import CheckpointError, InvalidValue, RunInUse, StorageError
from mist.checkpoint.flight import Flight
from mist.checkpoint.log_file import LogFile
from mist.checkpoint.record import ABSENT, Problem, Record, Status, encode_line, timestamp
from mist.checkpoint.replay import Entry
from mist.checkpoint.run_files import RunFiles
from mist.checkpoint.run_id import valid_run_id
from mist.checkpoint.values import decode, encode, fingerprint

X = TypeVar("X")
Work = Callable[[], Awaitable[Any]]
PlainWork = Callable[[], Any]

_LOCK_INTERVAL = 0.05  # seconds
_LONGEST_ERROR = 4096  # characters
_ONCE = (0,)  # the attempts of a step that is not retried, as the log numbers them

# The steps that the present code is part of: one that waits for itself would wait for ever.
_inside: contextvars.ContextVar[tuple[Flight, ...]] = contextvars.ContextVar("inside", default=())


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
        if timeout is not None and not timeout >= 0:
            raise InvalidValue(f"timeout is {timeout}: it must be None, or 0 s or more")
        if spill_over < 0:
            raise InvalidValue(f"spill_over is {spill_over}: it must be 0 bytes or more")
        self._run_id = run_id
        self._wait = wait
        self._timeout = timeout
        self._spill_over = spill_over
        self._files = RunFiles(os.fspath(directory), run_id, open_file)
        self._process = os.getpid()
        self._opening = threading.Lock()
        self._is_open = self._is_closed = False
        self._mutex = threading.Lock()  # for what follows
        self._completed: dict[str, Entry] = {}
        self._flights: dict[str, Flight] = {}
        self._problems: list[Problem] = []
        self._problem_count = 0
        if running_loop() is None:
            self._ensure_open()
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
        self._ensure_open()
        return tuple(self._problems)

    @property
    def problem_count(self) -> int:
        """How many lines of the log were skipped when it was read."""
        self._ensure_open()
        return self._problem_count

    def is_completed(self, name: str) -> bool:
        """Tell whether a step is completed.

        Args:
            name: The step's name.
        """
        self._ensure_open()
        return name in self._completed

    def completed_steps(self) -> list[str]:
        """Return the names of the completed steps, in the order in which they were completed."""
        self._ensure_open()
        with self._mutex:
            return list(self._completed)

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
        self._ensure_open()
        entry = self._completed.get(name)
        if entry is None:
            if T is None:
                return None
            raise CheckpointError(f"step {name!r} is not completed", code="not_found")
        return self._stored(entry, T)

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
        self._ensure_open()
        with self._mutex:
            self._refuse_unusable()
            if self._flights:
                names = ", ".join(sorted(self._flights)[:3])
                raise CheckpointError(f"steps are under way: {names}", code="conflict")
            self._files.clear()
            self._completed.clear()
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
        self._ensure_open()
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
        state = "closed" if self._is_closed else "open" if self._is_open else "not open yet"
        return f"<Tracker {self._run_id!r} {state}, {len(self._completed)} steps completed>"

    def _ensure_open(self) -> None:
        if not self._is_open:
            run(self._open(BLOCKING))

    def _reserve(self) -> None:
        """Lock the run if that needs no waiting, and leave the rest to who enters it."""
        with contextlib.suppress(FileNotFoundError):  # no directory, so nobody has the run
            if not self._files.lock.acquire() and not self._wait:
                raise self._in_use()

    async def _open(self, driver: Driver) -> None:
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        while not self._is_open:
            self._refuse_unusable()
            if await driver.off_loop(self._try_open):
                return
            if not self._wait or (deadline is not None and time.monotonic() >= deadline):
                raise self._in_use()
            await driver.sleep(_LOCK_INTERVAL)

    def _try_open(self) -> bool:
        with self._opening:
            if self._is_open:
                return True
            self._refuse_unusable()
            replay = self._files.try_open()
            if replay is None:
                return False
            self._completed = replay.completed
            self._problems = replay.problems
            self._problem_count = replay.problem_count
            self._is_open = True
        if self._problems:
            self._warn()
        return True

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
        return RunInUse(message, holder=holder)

    def _refuse_unusable(self) -> None:
        if self._is_closed:
            raise CheckpointError(f"run {self._run_id!r} is closed", code="conflict")
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
        _check_name(name)
        digest = "" if inputs is None else fingerprint(inputs)
        if not self._is_open:
            await self._open(driver)
        found = await self._claim(driver, name, digest, T)
        if isinstance(found, Entry):
            if found.result_file:
                return await driver.off_loop(functools.partial(self._stored, found, T))
            return self._stored(found, T)
        if found.is_completed:
            return found.value
        return await self._fly(driver, found, fn, T, attempts)

    async def _claim(self, driver: Driver, name: str, digest: str, T: Any) -> Entry | Flight:
        """Find how a step stands.

        Returns:
            Its record if it is completed; a flight that is completed, whose value can be shared;
            or else a new flight, which is the caller's to carry out.

        Raises:
            Exception: The error of a flight that failed while this one waited for it.
        """
        while True:
            with self._mutex:
                self._refuse_unusable()
                entry = self._completed.get(name)
                if entry is not None and _same_inputs(digest, entry.inputs):
                    return entry
                other = self._flights.get(name)
                if other is None:
                    self._completed.pop(name, None)
                    self._flights[name] = flight = Flight(
                        name, digest, supersedes=entry is not None, loop=driver.loop
                    )
                    return flight
            _refuse_deadlock(driver, other)
            await driver.wait(other)
            if _same_inputs(digest, other.inputs):
                if other.error is not None:
                    raise other.error
                if other.is_completed and T is None:
                    return other

    async def _fly(
        self, driver: Driver, flight: Flight, fn: PlainWork, T: Any, attempts: Sequence[int]
    ) -> Any:
        """Carry out a step, record how it ended, and tell who waits for it."""
        try:
            value, record = await self._try(driver, flight, fn, T, attempts)
            batch = self._files.log.append(
                encode_line(record), landed=functools.partial(self._land, flight, record, value)
            )
        except BaseException as exc:
            self._end(flight, exc if isinstance(exc, Exception) else None)
            raise
        # From here on it is the log that ends the flight, whether or not this task still waits.
        await driver.wait(batch)
        if batch.error is not None:
            raise self._not_recorded(flight.step, batch.error)
        return value

    async def _try(
        self, driver: Driver, flight: Flight, fn: PlainWork, T: Any, attempts: Sequence[int]
    ) -> tuple[Any, Record]:
        """Do what the step is to do until it succeeds, and return its value and the record of it."""
        for attempt in attempts:
            await self._begin(driver, flight, attempt)
            token = _inside.set((*_inside.get(), flight))
            try:
                value = await driver.call(fn)
                return await self._keep(driver, flight, attempt, value, T)
            except Exception as exc:
                await self._record_failure(driver, flight, attempt, exc)
                # What the log or a value is to blame for, another attempt does not mend.
                if attempt == attempts[-1] or isinstance(exc, CheckpointError):
                    raise
            except BaseException:
                self._give_up(flight, attempt)
                raise
            finally:
                _inside.reset(token)
            await driver.sleep(wait_after(attempt))
        raise AssertionError("a step has at least one attempt")

    async def _begin(self, driver: Driver, flight: Flight, attempt: int) -> None:
        """Record that a step runs; wait for the disk only where that matters to a later run."""
        log = self._files.log
        # Work is not begun while the log fails, nor where a crash would leave the old result.
        must_land = flight.supersedes or log.is_failing
        batch = log.append(_line(flight, Status.RUNNING, attempt), sync=must_land)
        if must_land:
            try:
                await driver.wait(batch)
            except BaseException:
                self._give_up(flight, attempt)
                raise
            if batch.error is not None:
                raise self._not_recorded(flight.step, batch.error)

    async def _record_failure(
        self, driver: Driver, flight: Flight, attempt: int, exc: Exception
    ) -> None:
        """Record that a step failed; if that fails too, say so in a note to its error."""
        try:
            batch = self._files.log.append(
                _line(flight, Status.FAILED, attempt, error=_text_of(exc))
            )
        except CheckpointError as closed:
            exc.add_note(f"the failure of step {flight.step!r} was not recorded: {closed}")
            return
        await driver.wait(batch)
        if batch.error is not None:
            exc.add_note(str(self._not_recorded(flight.step, batch.error)))

    def _give_up(self, flight: Flight, attempt: int) -> None:
        """Record that a cancelled step is to be done again: it has not failed."""
        with contextlib.suppress(CheckpointError):
            self._files.log.append(_line(flight, Status.PENDING, attempt), sync=False)

    async def _keep(
        self, driver: Driver, flight: Flight, attempt: int, value: Any, T: Any
    ) -> tuple[Any, Record]:
        """Turn a result into what is recorded of it, and into what the step returns."""
        what = f"the result of step {flight.step!r}"
        encoded = encode(value, what)
        if T is not None:
            value = decode(encoded, T, what)
        result, result_file = ABSENT, ""
        if len(encoded) > self._spill_over:
            result_file = await driver.off_loop(functools.partial(self._files.results.put, encoded))
        elif encoded != b"null":
            result = msgspec.Raw(encoded)
        record = Record(
            flight.step,
            Status.COMPLETED,
            timestamp(),
            result=result,
            attempt=attempt,
            inputs=flight.inputs,
            result_file=result_file,
        )
        return value, record

    def _land(self, flight: Flight, record: Record, value: Any, error: Exception | None) -> None:
        """End a flight whose record is on the disk, or is not; called by the log."""
        if error is not None:
            self._end(flight, self._not_recorded(flight.step, error))
            return
        entry = Entry(record.step, "completed", record.result, record.inputs, record.result_file)
        flight.value = value
        flight.is_completed = True
        with self._mutex:
            self._completed[record.step] = entry
        self._end(flight)

    def _end(self, flight: Flight, error: Exception | None = None) -> None:
        flight.error = error
        with self._mutex:
            del self._flights[flight.step]
        flight.open()

    def _not_recorded(self, step: str, error: Exception) -> CheckpointError:
        what = f"step {step!r} is not recorded in {self.path}"
        if isinstance(error, OSError):
            return StorageError.of(error, what)
        return CheckpointError(f"{what}: {error}")

    def _stored(self, entry: Entry, T: Any) -> Any:
        content: bytes | msgspec.Raw = entry.result
        if entry.result_file:
            content = self._files.results.get(entry.result_file)
        elif not bytes(content):
            content = b"null"
        return decode(content, T, f"the result of step {entry.step!r}")


def _attempts(max_attempts: int) -> Sequence[int]:
    if max_attempts < 1:
        raise InvalidValue(f"max_attempts is {max_attempts}: it must be 1 or more")
    return range(1, max_attempts + 1)


def _check_name(name: str) -> None:
    try:
        usable = bool(name.encode())
    except (AttributeError, UnicodeEncodeError):
        usable = False
    if not usable:
        raise InvalidValue(f"step name {name!r}: it must be text, and not empty")


def _same_inputs(ours: str, recorded: str) -> bool:
    """Tell whether inputs are not known to have changed: one side may have none."""
    return not ours or not recorded or ours == recorded


def _refuse_deadlock(driver: Driver, flight: Flight) -> None:
    if flight in _inside.get():
        raise CheckpointError(f"step {flight.step!r} waits for itself", code="conflict")
    if driver.loop is None and flight.loop is not None and flight.loop is running_loop():
        raise CheckpointError(
            f"step {flight.step!r} runs in the event loop that this call blocks", code="conflict"
        )


def _line(flight: Flight, status: Status, attempt: int, error: str = "") -> bytes:
    return encode_line(
        Record(flight.step, status, timestamp(), error=error, attempt=attempt, inputs=flight.inputs)
    )


def _text_of(exc: Exception) -> str:
    try:
        text = str(exc)
    except Exception:  # noqa: BLE001  # it is the failure that counts, not its text
        text = ""
    text = (text or type(exc).__name__)[:_LONGEST_ERROR]
    return text.encode(errors="backslashreplace").decode()
