"""The breaker against a reference of twenty lines, under whatever order of events."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mist.circuitbreaker import Breaker, CircuitOpenError


class _Reference:
    """A circuit with a threshold, as its description reads, in the plainest form."""

    def __init__(self, threshold, timeout, probes):
        self.threshold, self.timeout, self.most = threshold, timeout, probes
        self.state, self.era, self.row, self.out, self.since = "closed", 0, 0, 0, 0.0

    def become(self, state):
        self.state, self.row, self.out, self.era = state, 0, 0, self.era + 1

    def admit(self, now):
        if self.state == "open" and now - self.since >= self.timeout:
            self.become("half-open")
        if self.state == "open" or (self.state == "half-open" and self.out == self.most):
            return None
        self.out += 1
        return self.era

    def settle(self, era, good, now):
        if era != self.era:
            return
        self.out -= 1
        if good is None:
            return
        self.row = 0 if good else self.row + 1
        if good and self.state == "half-open":
            self.become("closed")
        elif not good and (self.state == "half-open" or self.row == self.threshold):
            self.since = now
            self.become("open")


class _BreakerAgainstReference(RuleBasedStateMachine):
    """Calls begin, succeed, fail, are cancelled, in any order, while time passes."""

    @initialize(
        threshold=st.integers(1, 4), probes=st.integers(1, 3), timeout=st.sampled_from([1.0, 30.0])
    )
    def begin(self, threshold, probes, timeout):
        self.now = 0.0
        self.changes = []
        self.under_way = []
        self.counted = [0, 0]
        self.reference = _Reference(threshold, timeout, probes)
        self.breaker = Breaker(
            threshold=threshold,
            half_open_max=probes,
            timeout=timeout,
            clock=lambda: self.now,
            on_state_change=lambda old, new: self.changes.append((str(old), str(new))),
        )

    @rule(seconds=st.sampled_from([0.5, 1.0, 29.5, 30.0]))
    def pass_time(self, seconds):
        self.now += seconds

    @rule()
    def call(self):
        era = self.reference.admit(self.now)
        if era is None:
            with pytest.raises(CircuitOpenError):
                self.breaker.do_sync(lambda: None)
            return
        # A coroutine that stops in the middle, driven by hand.
        coroutine = self.breaker.do(_Pause)
        assert coroutine.send(None) == "paused"
        self.under_way.append((coroutine, era))

    @rule(data=st.data(), error=st.sampled_from([None, OSError, GeneratorExit, "cancel"]))
    def end(self, data, error):
        if not self.under_way:
            return
        index = data.draw(st.integers(0, len(self.under_way) - 1))
        coroutine, era = self.under_way.pop(index)
        good = {None: True, OSError: False}.get(error)
        if good is not None:
            self.counted[0 if good else 1] += 1
        self.reference.settle(era, good, self.now)
        if error is None:
            with pytest.raises(StopIteration):
                coroutine.send(None)
        elif error == "cancel":
            import asyncio

            with pytest.raises(asyncio.CancelledError):
                coroutine.throw(asyncio.CancelledError())
        else:
            with pytest.raises(error):
                coroutine.throw(error())

    @rule()
    def reset(self):
        self.breaker.reset()
        self.reference.become("closed")

    @invariant()
    def agree(self):
        if not hasattr(self, "breaker"):
            return
        seen = self.reference.state
        if seen == "open" and self.now - self.reference.since >= self.reference.timeout:
            seen = "half-open"
        assert str(self.breaker.state) == seen
        assert self.breaker.counts() == tuple(self.counted)
        for (_, new), (old, _) in zip(self.changes, self.changes[1:], strict=False):
            assert new == old

    def teardown(self):
        for coroutine, _ in getattr(self, "under_way", []):
            coroutine.close()


class _Pause:
    def __await__(self):
        yield "paused"


_BreakerAgainstReference.TestCase.settings = settings(max_examples=300, stateful_step_count=40)
TestBreakerAgainstReference = _BreakerAgainstReference.TestCase
