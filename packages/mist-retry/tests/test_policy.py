"""The arithmetic of a policy."""

import copy
import itertools
import math
import pickle
import random
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mist.retry import AGGRESSIVE_POLICY, DEFAULT_POLICY, InvalidSetting, Policy

policies = st.builds(
    Policy,
    max_attempts=st.integers(1, 60),
    initial_wait=st.floats(0, 1e6),
    max_wait=st.floats(0, 1e6),
    multiplier=st.floats(1, 100),
    jitter=st.floats(0, 1),
)


def test_total_max_wait_is_gos(golden_policies):
    """The total is exactly what mist-go says, for each policy of the golden data."""
    for record in golden_policies:
        policy = Policy(
            record["max_attempts"],
            record["initial_wait_s"],
            record["max_wait_s"],
            record["multiplier"],
            record["jitter"],
        )
        assert policy.total_max_wait() == record["total_max_wait_s"]
        assert policy.attempts == record["max_attempts"]


def test_the_ready_made_policies():
    """The defaults are those of mist-go."""
    assert repr(DEFAULT_POLICY) == repr(Policy(3, 0.1, 5.0, 2.0, 0.25))
    assert repr(AGGRESSIVE_POLICY) == repr(Policy(5, 0.05, 10.0, 2.0, 0.25))


def nominal(policy):
    """The waits without jitter, written out plainly."""
    wait = policy.initial_wait
    for _ in range(policy.max_attempts - 1):
        yield wait
        wait = min(wait * policy.multiplier, policy.max_wait)


@given(policies, st.randoms(use_true_random=False))
def test_each_wait_is_within_its_jitter_and_under_the_cap(policy, source):
    """A wait is its length give or take the jitter, and after the first never over `max_wait`."""
    waits = list(policy.waits(source.random))
    assert len(waits) == policy.attempts - 1
    for number, (wait, length) in enumerate(zip(waits, nominal(policy), strict=True)):
        assert length * (1 - policy.jitter) <= wait <= length * (1 + policy.jitter)
        assert wait <= policy.max_wait or (number == 0 and wait <= policy.initial_wait)


@given(policies)
def test_without_jitter_waits_grow_up_to_the_cap(policy):
    """Waits never shrink, but to the cap, and add up to the total."""
    waits = list(policy.replace(jitter=0).waits())
    for earlier, later in itertools.pairwise(waits):
        assert later >= min(earlier, policy.max_wait)
    assert policy.total_max_wait() == pytest.approx(math.fsum(waits), rel=1e-9, abs=1e-9)


@given(policies, st.sampled_from([0.0, math.nextafter(1.0, 0.0)]))
@example(Policy(3, sys.float_info.max, sys.float_info.max, sys.float_info.max, 1), 0.0)
def test_extremes_stay_finite(policy, drawn):
    """Neither the least nor the greatest random number leads out of the bounds."""
    assert all(0 <= wait < math.inf for wait in policy.waits(lambda: drawn))


def test_waits_at_the_cap_are_spread():
    """Callers that all wait as long as allowed do not come back at one moment."""
    policy = Policy(100, initial_wait=1, max_wait=1, jitter=0.25)
    waits = list(policy.waits())
    assert max(waits) <= 1
    assert len(set(waits)) == len(waits)


def test_a_seed_repeats_the_waits():
    """With a random source of one's own the waits can be had again."""
    once, again = (list(DEFAULT_POLICY.waits(random.Random(7).random)) for _ in range(2))
    assert once == again


def test_the_total_of_very_many_attempts_takes_no_time():
    """Once the wait has stopped growing, the rest is one multiplication."""
    assert Policy(10**15, 1, 1).total_max_wait() == 10**15 - 1
    assert Policy(10**15, 0, 1).total_max_wait() == 0


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"max_attempts": 0}, "max_attempts must be a whole number, 1 or more (1 tries once and"),
        ({"max_attempts": -1}, "got -1"),
        ({"max_attempts": 2.0}, "got 2.0"),
        ({"max_attempts": True}, "got True"),
        ({"max_attempts": "3"}, "got '3'"),
        ({"initial_wait": -0.1}, "initial_wait must be a number of seconds, 0 or more, got -0.1"),
        ({"initial_wait": math.nan}, "got nan"),
        ({"max_wait": -1}, "max_wait must be a number of seconds, 0 or more, got -1"),
        ({"max_wait": math.inf}, "got inf"),
        ({"max_wait": None}, "got None"),
        ({"multiplier": 0.5}, "multiplier must be a number, 1 or more (1 waits evenly), got 0.5"),
        ({"multiplier": math.nan}, "got nan"),
        ({"jitter": 1.01}, "jitter must be a part from 0 (none) to 1 (all of it), got 1.01"),
        ({"jitter": -0.01}, "got -0.01"),
        ({"jitter": math.nan}, "got nan"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, text):
    """The error names the setting, what would do, and what came."""
    with pytest.raises(InvalidSetting) as caught:
        Policy(**settings)
    assert text in str(caught.value)
    assert caught.value.code == "validation"
    with pytest.raises(InvalidSetting):
        DEFAULT_POLICY.replace(**settings)


def test_an_unknown_setting_is_refused():
    """The error names what a policy has."""
    with pytest.raises(InvalidSetting, match="a policy has no attempts; it has max_attempts"):
        DEFAULT_POLICY.replace(attempts=5)


def test_a_policy_never_changes():
    """Its settings can be neither set nor deleted, and nothing can be added."""
    with pytest.raises(AttributeError, match=r"use replace\(max_wait=...\)"):
        DEFAULT_POLICY.max_wait = 1
    with pytest.raises(AttributeError):
        DEFAULT_POLICY.more = 1
    with pytest.raises(AttributeError):
        del DEFAULT_POLICY.max_wait


@given(policies)
def test_policies_are_values(policy):
    """Copies, pickles and what the repr spells are equal, and equal ones hash alike."""
    twins = [
        copy.copy(policy),
        copy.deepcopy(policy),
        pickle.loads(pickle.dumps(policy)),
        eval(repr(policy)),
        policy.replace(),
    ]
    assert all(twin == policy and hash(twin) == hash(policy) for twin in twins)
    assert policy.replace(max_attempts=99) != policy
    assert policy != policy.max_attempts


@pytest.mark.skipif(sys.version_info < (3, 13), reason="copy.replace came with Python 3.13")
def test_the_standard_library_can_replace():
    """`copy.replace` works as for a dataclass."""
    assert copy.replace(DEFAULT_POLICY, max_attempts=5) == Policy(5)
