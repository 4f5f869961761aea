# ruff: noqa: N803  # `T` is what the package's contract calls a type
"""How a step is done: claimed, begun, carried out, recorded, shared."""

import contextlib
import contextvars
import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from mist.checkpoint.backoff import wait_after
from mist.checkpoint.driver import Driver, running_loop
from mist.checkpoint.errors import CheckpointError, InvalidValue, StorageError
from mist.checkpoint.flight import Flight
from mist.checkpoint.record import ABSENT, Record, Status, encode_line, timestamp
from mist.checkpoint.replay import Entry
from mist.checkpoint.run_files import RunFiles
from mist.checkpoint.values import decode, encode, fingerprint

_LONGEST_ERROR = 4096  # characters

# The steps that the present code is part of: one that waits for itself would wait for ever.
_inside: contextvars.ContextVar[tuple[Flight, ...]] = contextvars.ContextVar("inside", default=())


class Steps:
    """The steps of a run that is open: those that are completed, and those that are under way.

    Args:
        files: Where they are recorded.
        completed: Their records so far.
        spill_over: The size of a result in bytes above which it gets a file of its own.
    """

    def __init__(self, files: RunFiles, completed: dict[str, Entry], spill_over: int) -> None:
        self._files = files
        self._spill_over = spill_over
        # For what follows. Reentrant, because the collector may close an abandoned coroutine, and
        # with it end a flight, in any of the lines that hold it.
        self._mutex = threading.RLock()
        self._completed = completed
        self._flights: dict[str, Flight] = {}

    def completed(self) -> list[str]:
        """Return the names of the completed steps, in the order of their completion."""
        with self._mutex:
            return list(self._completed)

    def is_completed(self, name: str) -> bool:
        """Tell whether a step is completed."""
        return name in self._completed

    def result(self, name: str, T: Any) -> Any:
        """Return the result of a step, as `Tracker.result` says."""
        entry = self._completed.get(name)
        if entry is not None:
            return self._stored(entry, T)
        if T is None:
            return None
        raise CheckpointError(f"step {name!r} is not completed", code="not_found")

    def clear(self) -> None:
        """Forget all of them, in the files too, unless one is under way."""
        with self._mutex:
            if self._flights:
                names = ", ".join(sorted(self._flights)[:3])
                raise CheckpointError(f"steps are under way: {names}", code="conflict")
            self._files.clear()
            self._completed.clear()

    async def take(
        self,
        driver: Driver,
        name: str,
        fn: Callable[[], Any],
        T: Any,
        *,
        inputs: object,
        attempts: Sequence[int],
    ) -> Any:
        """Do a step, as `Tracker.step` says, waiting in the driver's way.

        Args:
            driver: How to wait, and to call `fn`.
            name: The step's name.
            fn: What it does.
            T: The type of its result, or None.
            inputs: What it depends on, or None.
            attempts: The numbers of the attempts it has, as the log knows them.
        """
        _check_name(name)
        digest = "" if inputs is None else fingerprint(inputs)
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
        self, driver: Driver, flight: Flight, fn: Callable[[], Any], T: Any, attempts: Sequence[int]
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
        self, driver: Driver, flight: Flight, fn: Callable[[], Any], T: Any, attempts: Sequence[int]
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
                # The collector closes an abandoned coroutine in whichever context it runs.
                with contextlib.suppress(ValueError):
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
            if self._flights.get(flight.step) is flight:
                del self._flights[flight.step]
        flight.open()

    def _not_recorded(self, step: str, error: Exception) -> CheckpointError:
        what = f"step {step!r} is not recorded in {self._files.path}"
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
