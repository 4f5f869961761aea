"""A step that is retried records each attempt, and waits longer each time."""

import asyncio

import pytest

from mist import checkpoint
from mist.checkpoint import InvalidValue
from mist.checkpoint.backoff import wait_after


class Flaky:
    """Fails until its n-th call."""

    def __init__(self, good):
        self.good, self.calls = good, 0

    def plain(self):
        """Fail, or return how often it was called."""
        self.calls += 1
        if self.calls < self.good:
            raise ConnectionError(f"refused {self.calls}")
        return self.calls

    async def work(self):
        """Do the same, to be awaited."""
        return self.plain()


def test_waits_double_up_to_five_seconds():
    """100, 200, 400 ms, and so on, as in mist-go; no number of attempts overflows."""
    assert [wait_after(n) for n in range(1, 9)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert wait_after(10_000) == 5.0


def test_attempts_are_recorded_as_mist_go_records_them(in_memory, hastily, log):
    """Each with its number; the waits between them are real to the loop's clock."""
    flaky = Flaky(4)

    async def work():
        async with in_memory() as tracker:
            assert await tracker.step_retry("a", 5, flaky.work) == 4

    assert hastily(work) == pytest.approx(0.7)
    assert [(r["status"], r["attempt"], r.get("error")) for r in log()] == [
        ("running", 1, None),
        ("failed", 1, "refused 1"),
        ("running", 2, None),
        ("failed", 2, "refused 2"),
        ("running", 3, None),
        ("failed", 3, "refused 3"),
        ("running", 4, None),
        ("completed", 4, None),
    ]


def test_the_last_error_is_raised_without_a_last_wait(in_memory, hastily):
    """mist-go sleeps once more before it gives up."""
    flaky = Flaky(99)

    async def work():
        async with in_memory() as tracker:
            with pytest.raises(ConnectionError, match="refused 3"):
                await tracker.step_retry("a", 3, flaky.work)
            assert not tracker.is_completed("a")

    assert hastily(work) == pytest.approx(0.3)
    assert flaky.calls == 3


def test_blocking_attempts(tmp_path):
    """The same without a loop; two short waits are slept for real."""
    flaky = Flaky(3)
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.step_retry_sync("a", 3, flaky.plain) == 3
        assert tracker.step_retry_sync("a", 3, flaky.plain) == 3
    assert flaky.calls == 3


@pytest.mark.parametrize("attempts", [0, -1])
def test_no_attempts_are_refused(tmp_path, attempts):
    """The code is `validation`, and nothing is called."""
    refused = pytest.raises(InvalidValue, match="max_attempts")
    with checkpoint.open(tmp_path, "run") as tracker, refused:
        tracker.step_retry_sync("a", attempts, lambda: pytest.fail("called"))


def test_a_result_that_does_not_encode_is_not_tried_again(tmp_path):
    """Another attempt would not mend it."""
    calls = []
    with (
        checkpoint.open(tmp_path, "run") as tracker,
        pytest.raises(InvalidValue, match="does not encode"),
    ):
        tracker.step_retry_sync("a", 5, lambda: calls.append(1) or object())
    assert calls == [1]


def test_cancelled_while_it_waits_for_the_next_attempt(in_memory, hastily, log):
    """There is no next attempt, and the cancellation arrives."""
    flaky = Flaky(99)

    async def work():
        async with in_memory() as tracker:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await tracker.step_retry("a", 99, flaky.work)

    assert hastily(work) == pytest.approx(1.0)
    assert flaky.calls == 4
    assert log()[-1]["status"] == "failed"
