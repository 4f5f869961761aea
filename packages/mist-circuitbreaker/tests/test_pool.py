"""A breaker for each key."""

import asyncio

import pytest

from mist.circuitbreaker import BreakerPool, CircuitOpenError, InvalidSettingError, State


def _break(pool, key):
    with pytest.raises(ZeroDivisionError):
        pool.do_sync(key, lambda: 1 / 0)


async def test_keys_do_not_disturb_each_other(clock):
    """One host's circuit is open, another's closed."""
    pool = BreakerPool(threshold=1, clock=clock)
    _break(pool, "bad")

    async def answer():
        return "well"

    with pytest.raises(CircuitOpenError, match="circuit 'bad'"):
        await pool.do("bad", answer)
    assert await pool.do("good", answer) == "well"
    assert pool.states() == {"bad": State.OPEN, "good": State.CLOSED}
    assert pool["bad"] is pool.get("bad")


def test_the_pool_is_bounded_and_keeps_what_is_open(clock):
    """The closed breaker that was unused for longest goes first."""
    pool = BreakerPool(max_breakers=3, threshold=1, clock=clock)
    _break(pool, "open")
    pool.get("old")
    pool.get("new")
    pool.get("old")
    pool.get("newest")
    assert list(pool.states()) == ["open", "old", "newest"]
    assert "new" not in pool
    assert len(pool) == 3


def test_a_pool_of_open_circuits_is_bounded_as_well(clock):
    """Where none is closed, the one unused for longest goes."""
    pool = BreakerPool(max_breakers=2, threshold=1, clock=clock)
    for key in ("a", "b", "c"):
        _break(pool, key)
    assert list(pool.states()) == ["b", "c"]


def test_the_hook_is_told_the_key(clock):
    """It gets the key itself, not its text."""
    changes = []
    pool = BreakerPool(
        threshold=1, clock=clock, on_state_change=lambda *change: changes.append(change)
    )
    _break(pool, ("host", 80))
    assert changes == [(("host", 80), State.CLOSED, State.OPEN)]


def test_a_key_can_be_forgotten(clock):
    """Its next user starts anew; forgetting the unknown is no error."""
    pool = BreakerPool(threshold=1, clock=clock)
    _break(pool, "bad")
    pool.discard("bad")
    pool.discard("bad")
    assert pool.do_sync("bad", lambda: "well") == "well"


def test_wrong_settings_show_at_once():
    """Not at the first call of the first key."""
    with pytest.raises(InvalidSettingError, match="threshold must be"):
        BreakerPool(threshold=0)
    with pytest.raises(
        InvalidSettingError, match="max_breakers must be an integer of 1 or more, got 0"
    ):
        BreakerPool(max_breakers=0)
    with pytest.raises(TypeError, match="on_state_change must be a plain function"):
        BreakerPool(on_state_change=asyncio.sleep)
    with pytest.raises(TypeError, match="on_state_change must be callable, got int"):
        BreakerPool(on_state_change=3)
    with pytest.raises(TypeError, match="treshold"):
        BreakerPool(treshold=3)
