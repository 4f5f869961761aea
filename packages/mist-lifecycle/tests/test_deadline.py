"""One deadline is divided fairly, and kept."""

from hypothesis import given
from hypothesis import strategies as st

from mist.lifecycle.deadline import Deadline

seconds = st.floats(0.0, 1e4)


@given(seconds, seconds, st.lists(st.floats(0.0, 2.0), min_size=1, max_size=20))
def test_no_greed_of_some_takes_from_the_others(drain, shutdown, wishes):
    """Each gets at least an equal part of the whole, and all together never more than it."""
    deadline = Deadline(100.0, drain, shutdown)
    now = began = 100.0 + drain
    for turn, wish in enumerate(wishes):
        share = deadline.share(now, len(wishes) - turn)
        assert share >= shutdown / len(wishes) - 1e-6
        now += min(wish * share, share)  # some want more than they may take
    assert now <= began + shutdown + 1e-6


@given(seconds, seconds, st.floats(0.0, 1.0))
def test_what_draining_leaves_of_its_time_is_not_spent_on_hooks(drain, shutdown, part):
    """However early draining is over, the hooks have shutdown_timeout, and no more."""
    deadline = Deadline(100.0, drain, shutdown)
    now = 100.0 + part * drain
    deadline.drained(now)
    assert abs(deadline.left(now) - shutdown) < 1e-6


@given(seconds, seconds, seconds)
def test_nothing_is_left_after_the_end(drain, shutdown, late):
    """Past the deadline every share is 0, not negative."""
    deadline = Deadline(100.0, drain, shutdown)
    assert deadline.share(deadline.end + late, 3) == 0.0
