"""A step with inputs runs again when they change."""

import asyncio

import pytest

from mist import checkpoint
from mist.checkpoint import InvalidValue


def score(tracker, calls, inputs):
    """Take a step with some inputs."""
    return tracker.step_sync("a", lambda: calls.append(inputs) or len(calls), inputs=inputs)


def test_changed_inputs_run_the_step_again(tmp_path):
    """In the same run and in a later one; and the last inputs are those that count."""
    calls = []
    with checkpoint.open(tmp_path, "run") as tracker:
        assert score(tracker, calls, {"model": "a", "n": 1}) == 1
        assert score(tracker, calls, {"n": 1, "model": "a"}) == 1  # the order says nothing
        assert score(tracker, calls, {"model": "b", "n": 1}) == 2
    with checkpoint.open(tmp_path, "run") as tracker:
        assert score(tracker, calls, {"model": "b", "n": 1}) == 2
        assert score(tracker, calls, {"model": "a", "n": 1}) == 3
    assert len(calls) == 3


def test_the_hash_is_in_the_log_under_a_key_of_its_own(tmp_path, log):
    """Both records have it, and the inputs themselves are nowhere."""
    with checkpoint.open(tmp_path, "run") as tracker:
        tracker.step_sync("a", lambda: 1, inputs="a secret prompt")
    for record in log():
        assert len(record["inputs"]) == 64
        assert "secret" not in str(record)


def test_inputs_that_were_not_recorded_have_not_changed(tmp_path, write_log):
    """A step that mist-go completed stays completed; so does one asked for without inputs."""
    write_log({"step": "a", "status": "completed", "result": 1})
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.step_sync("a", lambda: 2, inputs=[1]) == 1
        tracker.step_sync("b", lambda: 3, inputs=[1])
        assert tracker.step_sync("b", lambda: 4) == 3


def test_the_old_result_is_gone_from_the_disk_before_the_step_runs_again(troubled):
    """A crash in between must not leave the old result as the step's last word."""
    tracker, file = troubled()
    tracker.step_sync("a", lambda: 1, inputs=[1])

    def work():
        assert not tracker.is_completed("a")
        (kind, data), (after, _) = file.history[-2:]
        assert (kind, after) == ("append", "sync")
        assert b'"running"' in data
        return 2

    assert tracker.step_sync("a", work, inputs=[2]) == 2


async def test_different_inputs_at_the_same_time_run_one_after_the_other(tmp_path):
    """Neither gets the result of the other's inputs."""
    running = []

    async with checkpoint.open(tmp_path, "run") as tracker:

        async def ask(inputs):
            async def work():
                running.append(inputs)
                assert len(running) == 1
                await asyncio.sleep(0.01)
                running.remove(inputs)
                return inputs

            return await tracker.step("a", work, inputs=inputs)

        assert await asyncio.gather(*(ask(n) for n in (1, 2, 1, 2, 3))) == [1, 2, 1, 2, 3]


@pytest.mark.parametrize("inputs", [object(), {"a": {1, object()}}, "\ud800"])
def test_inputs_that_do_not_encode_are_refused(tmp_path, inputs, log):
    """Nothing is called and nothing recorded."""
    refused = pytest.raises(InvalidValue, match="inputs do not encode")
    with checkpoint.open(tmp_path, "run") as tracker, refused:
        tracker.step_sync("a", lambda: pytest.fail("called"), inputs=inputs)
    assert log() == []
