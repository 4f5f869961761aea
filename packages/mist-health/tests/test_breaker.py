"""A circuit breaker's state as a check."""

import enum

import pytest

from mist.health import Handler, breaker_not_open


class State(enum.StrEnum):
    """A breaker's state."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """As much of a breaker as a check needs."""

    state: object = State.CLOSED


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (State.CLOSED, "ok"),
        (State.HALF_OPEN, "ok"),
        (State.OPEN, "circuit open"),
        ("open", "circuit open"),
        ("ajar", "unknown breaker state 'ajar': expected closed, open or half-open"),
    ],
)
async def test_only_an_open_breaker_is_a_problem(state, told):
    """A half-open one needs the traffic that an unready service does not get."""
    breaker = Breaker()
    handler = Handler("infermux", "1.0.0", details=False)
    handler.add_check("upstream", breaker_not_open(breaker), critical=False)
    breaker.state = state
    report = await handler.check()
    assert report.to_dict(details=False)["checks"] == {"upstream": told}
    assert report.ready


async def test_the_state_is_read_in_the_event_loop():
    """No thread is started to look at an attribute."""
    import threading

    class Watched:
        @property
        def state(self):
            self.thread = threading.current_thread()
            return "closed"

    breaker = Watched()
    handler = Handler("infermux", "1.0.0")
    handler.add_check("upstream", breaker_not_open(breaker))
    await handler.check()
    assert breaker.thread is threading.current_thread()
