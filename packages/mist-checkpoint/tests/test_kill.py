"""Killed at any moment, a run goes on where it was: nothing completed is done again."""

import collections
import os
import signal

import pytest

from mist import checkpoint
from mist.checkpoint import read_records

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills with a signal, forks")

KILLS = int(os.environ.get("MIST_CHECKPOINT_KILLS", "200"))

# A process that has imported everything, and forks one worker after the other: each works on the
# same run until it is killed at a random moment, and the next goes on. What the worker does is
# counted outside, in a file to which each line is appended by one write.
JOB = """
import asyncio, contextlib, os, random, signal, sys, time
from mist import checkpoint

directory, effects, kills, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
chance = random.Random(seed)
log = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

def note(*words):
    os.write(log, (" ".join(map(str, words)) + "\\n").encode())

async def job(run, seed, signal_to):
    chance = random.Random(seed)

    async def one(number):
        name = f"step-{number}"

        async def work():
            note("begin", run, name)
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(chance.random() / 500)
            if chance.random() < 0.1:
                raise RuntimeError("flaky")
            return {"name": name, "pad": "x" * chance.choice([0, 100, 3000])}

        for _ in range(20):
            try:
                result = await tracker.step(name, work)
                break
            except RuntimeError:
                continue
        assert result["name"] == name
        note("done", run, name)

    async with checkpoint.open(directory, run, spill_over=2000) as tracker:
        note("open", run, tracker.problem_count)
        with contextlib.suppress(BrokenPipeError):
            os.write(signal_to, b"o")
        await asyncio.gather(*(one(number) for number in range(50)))

def start(run, seed, until_open):
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(job(run, seed, theirs))
            os._exit(0)
        except BaseException as error:
            note("error", run, repr(error))
            os._exit(1)
    os.close(theirs)
    if until_open:
        os.read(ours, 1)
    os.close(ours)
    return child

def finish(run, child):
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status):
        note("finished", run, os.waitstatus_to_exitcode(status))
    return not os.WIFSIGNALED(status)

child = start("whole", 0, until_open=True)
started = time.monotonic()
finish("whole", child)
whole = time.monotonic() - started  # seconds that the job takes here if nobody kills it
killed, run = 0, 0
while killed < kills:
    # Now and then the kill comes while the run is being opened.
    child = start(f"run-{run}", chance.random(), until_open=chance.random() < 0.8)
    time.sleep(chance.random() * chance.choice([0.1, 0.5, 1.0]) * whole)
    os.kill(child, signal.SIGKILL)
    if finish(f"run-{run}", child):
        run += 1
    else:
        killed += 1
finish(f"run-{run}", start(f"run-{run}", 0, until_open=False))
"""


def test_two_hundred_kills(tmp_path, spawn):
    """Fifty concurrent steps, killed two hundred times: no completed step runs twice.

    A step is completed for the world once its call has returned, which the world outside sees as
    `done`. After that nobody may see it begin. And no log that a kill has left stops a resume.
    """
    effects = tmp_path / "effects"
    process = spawn(JOB, tmp_path / "runs", effects, KILLS, 7)
    assert process.wait(timeout=120 + KILLS) == 0

    done, finished, begun = set(), [], collections.Counter()
    for line in effects.read_text().splitlines():
        kind, run, what = line.split(" ", 2)
        if kind == "begin":
            assert (run, what) not in done, f"{what} of {run} ran again"
            begun[run, what] += 1
        elif kind == "done":
            done.add((run, what))
        elif kind == "finished":
            assert what == "0"
            finished.append(run)
        else:
            assert kind == "open", line

    assert len(finished) > 2
    assert max(begun.values()) > 1  # or no kill ever hit a step
    for run in finished:
        completed = collections.Counter(
            record.step
            for record in read_records(tmp_path / "runs" / f"{run}.jsonl")
            if record.status == "completed"
        )
        assert completed == {f"step-{number}": 1 for number in range(50)}
        with checkpoint.open(tmp_path / "runs", run) as tracker:
            assert tracker.problems == ()
            for number in range(50):
                assert tracker.result(f"step-{number}")["name"] == f"step-{number}"


MAP = """
import asyncio, os, sys
from mist import checkpoint

directory, effects = sys.argv[1:]
log = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

class Pool:
    workers = 64

async def main():
    async def work(item):
        os.write(log, f"{item}\\n".encode())
        await asyncio.sleep(0)
        return item * item

    async with checkpoint.open(directory, "map") as tracker:
        print(len(tracker.completed_steps()), flush=True)
        outcomes = await checkpoint.checkpointed_map(tracker, Pool(), range(10_000), work)
        assert [outcome.value for outcome in outcomes] == [n * n for n in range(10_000)]

asyncio.run(main())
"""


def test_a_map_that_is_killed_half_way_resumes_with_only_the_rest(tmp_path, spawn):
    """Of 10,000 items none is worked on again that was recorded before the kill."""
    effects = tmp_path / "effects"
    effects.touch()
    first = spawn(MAP, tmp_path, effects)
    assert first.stdout.readline() == "0\n"
    while effects.stat().st_size < 25_000:  # about half of what all items write
        assert first.poll() is None
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = collections.Counter(effects.read_text().split())

    second = spawn(MAP, tmp_path, effects)
    recorded = int(second.stdout.readline())
    assert second.wait(timeout=60) == 0
    assert 2000 < recorded <= len(before) <= recorded + 64
    total = collections.Counter(effects.read_text().split())
    assert set(total) == {str(n) for n in range(10_000)}
    assert total.total() == before.total() + 10_000 - recorded
