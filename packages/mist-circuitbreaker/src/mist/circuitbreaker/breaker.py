"""The breaker: the state machine behind a lock, around calls of every kind."""

from __future__ import annotations

import os
import time
from types import CoroutineType
from weakref import WeakSet

from mist.circuitbreaker.attempt import Attempt
from mist.circuitbreaker.circuit import Circuit, Permit
from mist.circuitbreaker.entered import recall, remember
from mist.circuitbreaker.errors import CircuitOpenError, WrongFunctionError
from mist.circuitbreaker.failure import is_failure as default_is_failure
from mist.circuitbreaker.hooks import StateHook, report, want_plain
from mist.circuitbreaker.rules import Rules
from mist.circuitbreaker.state import State

# `typing` would be most of this package's import time, so only type checkers see it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType
    from typing import Any, ParamSpec, Self, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")
    F = TypeVar("F")


class Breaker:
    """Refuses calls to what keeps failing, and lets a few probe whether it is well again.

    It opens after `threshold` failures in a row, or when the share of failed or of slow calls in
    a window reaches its bound, whichever comes first. Open, it refuses every call; after
    `timeout` seconds it is half-open and lets `half_open_max` calls through at a time. The first
    of these that succeeds closes it, the first that fails opens it again. What a call comes to
    after the state has changed no longer matters, and a cancelled call says nothing.

    One breaker may be shared by any number of tasks, event loops and threads. A forked child goes on
    with a copy of its own.

    Args:
        threshold: failures in a row that open the circuit; None leaves it to the ratios.
        timeout: seconds that the circuit stays open.
        half_open_max: calls that a half-open circuit lets through at a time.
        name: for people; in errors, logs and `repr`.
        failure_ratio: share of failed calls, up to 1, that opens the circuit.
        slow_ratio: share of slow calls, up to 1, that opens the circuit.
        slow_call: seconds after which a call is slow; a probe that is slow has failed.
        window: seconds that a call counts in the ratios; of these at most the last 1000 calls.
        min_calls: calls in the window before the ratios mean anything.
        timeout_growth: factor by which `timeout` grows with each opening in a row.
        max_timeout: seconds that it grows to at most.
        is_failure: whether an exception counts, instead of `mist.circuitbreaker.is_failure`.
            Only an `Exception` is ever asked about: a cancellation never counts.
        on_state_change: called with the old and the new state, in order and one at a time, by
            whoever caused the change, or by whoever is at an earlier one; an `Exception` of its
            own is logged and changes nothing.
        clock: seconds that never go back.

    Raises:
        InvalidSettingError: A setting is out of its range, or nothing would ever open the circuit.
        TypeError: A hook is not callable, or a coroutine function.
    """

    def __init__(
        self,
        *,
        threshold: int | None = 5,
        timeout: float = 30.0,
        half_open_max: int = 1,
        name: str = "",
        failure_ratio: float | None = None,
        slow_ratio: float | None = None,
        slow_call: float | None = None,
        window: float = 60.0,
        min_calls: int = 10,
        timeout_growth: float = 1.0,
        max_timeout: float = 300.0,
        is_failure: Callable[[Exception], bool] = default_is_failure,
        on_state_change: Callable[[State, State], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from threading import RLock  # noqa: PLC0415  # an eighth of this package's import time

        rules = Rules(
            threshold=threshold,
            timeout=timeout,
            half_open_max=half_open_max,
            failure_ratio=failure_ratio,
            slow_ratio=slow_ratio,
            slow_call=slow_call,
            window=window,
            min_calls=min_calls,
            timeout_growth=timeout_growth,
            max_timeout=max_timeout,
        )
        if is_failure is not default_is_failure:
            want_plain("is_failure", is_failure)
        self.name = name
        self._circuit = Circuit(rules)
        self._is_failure = is_failure
        self._hook = StateHook(name, self._circuit.changes, on_state_change)
        self._clock = clock
        # Held for a few lines at a time, never during a call. Reentrant, because the collector
        # may close an abandoned generator, and with it give a permit back, in any of these lines.
        self._lock = RLock()
        self._probes_entered: list[Permit] = []
        _breakers.add(self)

    @property
    def state(self) -> State:
        """The state as a caller would meet it now."""
        with self._lock:
            return self._circuit.state_at(self._clock())

    def counts(self) -> tuple[int, int]:
        """How many calls have succeeded and how many have failed since the breaker was made."""
        with self._lock:
            return self._circuit.successes, self._circuit.failures

    def reset(self) -> None:
        """Close the circuit and forget what led to its state; `counts` stay."""
        with self._lock:
            self._circuit.reset()
        self._hook.deliver()

    async def do(self, fn: Callable[[], Awaitable[T]]) -> T:
        """Call `fn` and await what it returns, if the circuit allows it.

        Raises:
            CircuitOpenError: It does not, and `fn` was not called.
            TypeError: What `fn` returns cannot be awaited; this is no failure.
        """
        circuit = self._circuit
        generation = circuit.calm
        if generation is None:
            with self._attempt():
                awaitable = fn()
                _want_awaitable(awaitable)
                return await awaitable
        # The way that nearly every call takes, without lock, clock or permit.
        made: Any = circuit  # stands for nothing yet: a local name costs the least
        try:
            made = fn()
            result: T = await made
        except BaseException as exc:
            if made is not circuit:
                _want_awaitable(made)
            self._settle(Permit(generation), exc)
            raise
        if circuit.calm == generation:
            circuit.count_success()
        else:
            self._settle(Permit(generation), None)
        return result

    def do_sync(self, fn: Callable[[], T]) -> T:
        """Call `fn`, if the circuit allows it.

        Raises:
            CircuitOpenError: It does not, and `fn` was not called.
            TypeError: `fn` returns a coroutine, of which nobody knows yet what it will come to.
        """
        circuit = self._circuit
        generation = circuit.calm
        if generation is None:
            with self._attempt():
                result = fn()
                _want_result(result)
                return result
        try:
            result = fn()
        except BaseException as exc:
            self._settle(Permit(generation), exc)
            raise
        if result.__class__ is CoroutineType:
            _want_result(result)
        if circuit.calm == generation:
            circuit.count_success()
        else:
            self._settle(Permit(generation), None)
        return result

    async def do_with_fallback(
        self,
        fn: Callable[[], Awaitable[T]],
        fallback: Callable[[CircuitOpenError], Awaitable[F]],
    ) -> T | F:
        """Call `fn` as `do` does; where the circuit refuses, call `fallback` with the refusal.

        An error of `fn` itself is raised, as in mist-go.
        """
        try:
            attempt = self._attempt()
        except CircuitOpenError as refusal:
            return await fallback(refusal)
        with attempt:
            awaitable = fn()
            _want_awaitable(awaitable)
            return await awaitable

    def do_with_fallback_sync(
        self, fn: Callable[[], T], fallback: Callable[[CircuitOpenError], F]
    ) -> T | F:
        """Call `fn` as `do_sync` does; where the circuit refuses, call `fallback` instead."""
        try:
            attempt = self._attempt()
        except CircuitOpenError as refusal:
            return fallback(refusal)
        with attempt:
            result = fn()
            _want_result(result)
            return result

    def protect(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Decorate a function, coroutine function or generator function of either kind.

        Each call is one call of the circuit; that of a generator lasts until it ends. One that is
        closed before its end says nothing about what it called.

        Raises:
            WrongFunctionError: `fn` cannot be called.
        """
        from mist.circuitbreaker.decorator import protected  # noqa: PLC0415  # see there

        return protected(self, self._attempt, fn)

    def to_health(self) -> Callable[[], None]:
        """Return a check for a readiness probe: it raises while the circuit refuses all calls."""

        def check() -> None:
            with self._lock:
                now = self._clock()
                if self._circuit.state_at(now) is State.OPEN:
                    raise CircuitOpenError(self.name, self._circuit.refused_for(now))

        return check

    def __enter__(self) -> Self:
        permit = self._admit()
        if permit.is_probe:
            self._probes_entered.append(permit)
        remember(self, permit)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        permit = recall(self)
        if permit is None:
            self._leave_some_probe()
            return
        if permit.is_probe:
            with self._lock:
                # Gone already, if a block of another context was taken for this one.
                if permit in self._probes_entered:
                    self._probes_entered.remove(permit)
        self._settle(permit, exc)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(exc_type, exc, traceback)

    def __repr__(self) -> str:
        succeeded, failed = self.counts()
        name = f"name={self.name!r}, " if self.name else ""
        return f"<Breaker {name}{self.state}, {succeeded} succeeded, {failed} failed>"

    def _after_fork(self) -> None:
        """Go on in a forked child, without the threads that had the lock or were calling."""
        from threading import RLock  # noqa: PLC0415  # as in __init__

        self._lock = RLock()
        self._hook.after_fork()
        self._circuit.forget_probes()
        self._probes_entered.clear()

    def _attempt(self) -> Attempt:
        return Attempt(self._admit(), self._settle)

    def _admit(self) -> Permit:
        generation = self._circuit.calm
        if generation is not None:
            return Permit(generation)
        with self._lock:
            now = self._clock()
            permit = self._circuit.admit(now)
            if permit is None:
                raise CircuitOpenError(self.name, self._circuit.refused_for(now))
        if self._circuit.changes:
            try:
                self._hook.deliver()
            except BaseException:
                self._take_back(permit, good=None)  # Ctrl-C in a hook: no call is made
                raise
        return permit

    def _settle(self, permit: Permit, error: BaseException | None) -> None:
        if error is None and self._circuit.calm == permit.generation:
            permit.is_back = True
            self._circuit.count_success()
        else:
            self._take_back(permit, good=self._verdict(error))

    def _take_back(self, permit: Permit, *, good: bool | None) -> None:
        permit.is_back = True
        with self._lock:
            self._circuit.settle(permit, good=good, now=self._clock())
        if self._circuit.changes:
            self._hook.deliver()

    def _verdict(self, error: BaseException | None) -> bool | None:
        """Tell a success from a failure; None for what is neither."""
        if error is None:
            return True
        if not isinstance(error, Exception):
            return None  # cancelled, closed or interrupted: the caller has gone
        try:
            counts = self._is_failure(error)
        except Exception as exc:  # noqa: BLE001  # whoever called wants its own error, not this
            report("is_failure", self.name, exc)
            counts = True
        return False if counts else None

    def _leave_some_probe(self) -> None:
        """Give back a probe's permit, where a block was entered in another context.

        Any probe's will do, for they are alike; but what the block came to is no verdict, since
        it may have been entered long ago.
        """
        with self._lock:
            permit = self._probes_entered.pop(0) if self._probes_entered else None
        if permit is not None:
            self._take_back(permit, good=None)


_breakers: WeakSet[Breaker] = WeakSet()


def _after_fork() -> None:
    for breaker in tuple(_breakers):
        breaker._after_fork()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # of this module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _want_awaitable(made: object) -> None:
    if hasattr(made, "__await__"):
        return
    from inspect import isawaitable  # noqa: PLC0415  # who awaits has imported it, with asyncio

    # A generator is one too where `types.coroutine` made it.
    if not isawaitable(made):
        raise WrongFunctionError(
            f"fn must return an awaitable, got {made!r}: plain functions have do_sync and"
            " do_with_fallback_sync"
        )


def _want_result(made: object) -> None:
    if isinstance(made, CoroutineType):
        made.close()
        raise WrongFunctionError(
            "fn returned a coroutine: coroutine functions have do and do_with_fallback"
        )
