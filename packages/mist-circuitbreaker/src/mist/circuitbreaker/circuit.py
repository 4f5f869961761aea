"""The state machine: no lock, no clock, no input or output. `Breaker` drives it."""

from __future__ import annotations

from collections import deque
from itertools import count
from weakref import WeakSet

from mist.circuitbreaker.rules import Rules
from mist.circuitbreaker.state import State
from mist.circuitbreaker.window import Window


class Permit:
    """The leave to make one call; it is given back exactly once.

    It carries the generation of the circuit that gave it, which every change of state begins
    anew: what a call comes to after the state has changed says nothing about the present one.
    """

    __slots__ = ("__weakref__", "generation", "is_back", "is_probe", "started")

    def __init__(self, generation: int, started: float = 0.0, *, is_probe: bool = False) -> None:
        self.generation = generation
        self.started = started
        self.is_probe = is_probe
        self.is_back = False


class Circuit:
    """Counts what calls come to, and decides whether more may be made.

    All times are seconds on one clock that never goes back.

    Attributes:
        calm: the generation, while the circuit is closed and a success would change nothing but
            the count; else None. As long as it is a permit's generation, `count_success` is all
            that has to be done for a success, and that without a lock.
    """

    __slots__ = (
        "_failures_in_a_row",
        "_generation",
        "_open_until",
        "_openings_in_a_row",
        "_probes",
        "_rules",
        "_successes",
        "_window",
        "calm",
        "changes",
        "count_success",
        "failures",
        "state",
    )

    def __init__(self, rules: Rules) -> None:
        self.state = State.CLOSED
        self.calm: int | None = None
        self.failures = 0
        # Its next() is one step of the interpreter: no thread can come between.
        self._successes = count()
        self.count_success = self._successes.__next__
        self.changes: deque[tuple[State, State]] = deque()
        self._rules = rules
        self._generation = 0
        self._failures_in_a_row = 0
        self._openings_in_a_row = 0
        self._open_until = 0.0
        # Weak: a permit that was lost, as to Ctrl-C in an unlucky moment, is not out for ever.
        self._probes: WeakSet[Permit] = WeakSet()
        self._window = Window(rules.window) if rules.has_window else None
        self._begin_anew()

    @property
    def successes(self) -> int:
        """How many calls have succeeded."""
        # The one way to read the counter without moving it on.
        return int(repr(self._successes).removeprefix("count(").removesuffix(")"))

    def state_at(self, now: float) -> State:
        """Tell the state as a caller meets it: an open circuit whose time is up is half-open."""
        if self.state is State.OPEN and now >= self._open_until:
            return State.HALF_OPEN
        return self.state

    def admit(self, now: float) -> Permit | None:
        """Give a permit, or None where the call may not be made."""
        if self.state is not State.CLOSED:
            if self.state is State.OPEN:
                if now < self._open_until:
                    return None
                self._become(State.HALF_OPEN)
            if len(self._probes) >= self._rules.half_open_max:
                return None
            permit = Permit(self._generation, now, is_probe=True)
            self._probes.add(permit)
            return permit
        return Permit(self._generation, now)

    def refused_for(self, now: float) -> float | None:
        """How long calls will be refused, in seconds; None where nobody knows."""
        return self._open_until - now if self.state is State.OPEN else None

    def settle(self, permit: Permit, *, good: bool | None, now: float) -> None:
        """Take a permit back, with what the call came to.

        Args:
            permit: as it was given.
            good: whether it succeeded; None says neither, as when the caller gave up.
            now: seconds on the clock.
        """
        if good:
            self.count_success()
        elif good is not None:
            self.failures += 1
        if permit.generation != self._generation:
            return
        self._probes.discard(permit)
        if good is None:
            return
        slow = self._rules.slow_call is not None and now - permit.started > self._rules.slow_call
        if self.state is State.HALF_OPEN:
            if good and not slow:
                self._become(State.CLOSED)
            else:
                self._open(now)
        elif self._trips(now, good=good, slow=slow):
            self._open(now)

    def forget_probes(self) -> None:
        """Take it that those who had a probe's permit are gone, and let others have them."""
        if self.state is State.HALF_OPEN:
            self._begin_anew()

    def reset(self) -> None:
        """Close the circuit and forget what led to its state."""
        if self.state is State.CLOSED:
            self._begin_anew()
        else:
            self._become(State.CLOSED)

    def _trips(self, now: float, *, good: bool, slow: bool) -> bool:
        """Count one call of the closed circuit; true if it was one too many."""
        rules = self._rules
        self._failures_in_a_row = 0 if good else self._failures_in_a_row + 1
        self._find_calm()
        if rules.threshold is not None and self._failures_in_a_row >= rules.threshold:
            return True
        window = self._window
        if window is None:
            return False
        window.add(now, failed=not good, slow=slow)
        if len(window) < rules.min_calls:
            return False
        return _reached(window.failure_ratio, rules.failure_ratio) or _reached(
            window.slow_ratio, rules.slow_ratio
        )

    def _open(self, now: float) -> None:
        self._openings_in_a_row += 1
        self._open_until = now + self._rules.open_for(self._openings_in_a_row)
        self._become(State.OPEN)

    def _become(self, state: State) -> None:
        self.changes.append((self.state, state))
        self.state = state
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._generation += 1
        self._probes.clear()
        self._failures_in_a_row = 0
        if self.state is State.CLOSED:
            self._openings_in_a_row = 0
            if self._window is not None:
                self._window.clear()
        self._find_calm()

    def _find_calm(self) -> None:
        is_calm = (
            self.state is State.CLOSED and not self._failures_in_a_row and self._window is None
        )
        self.calm = self._generation if is_calm else None


def _reached(ratio: float, bound: float | None) -> bool:
    return bound is not None and ratio >= bound
