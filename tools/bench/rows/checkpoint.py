"""Steps and replays against the plain way: one fsync per record, json.loads per line."""

import asyncio
import itertools
import json
import os
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

from mist import checkpoint
from tools.bench.pair import AsyncPair, Pair
from tools.bench.row import Rows, at_least

ROWS = Rows("checkpoint")

_STEPS = 64
_RECORDS = 200_000
_TIMESTAMP = "2026-11-20T17:20:33.985397541Z"
_RESULT = {"score": 0.5, "passed": True}


async def _work() -> object:
    return _RESULT


@ROWS.awaits(
    f"{_STEPS} concurrent steps",
    at_least(5),
    against="the same records, an fsync for each that completes a step",
    per_call=_STEPS,
)
async def steps() -> AsyncGenerator[AsyncPair]:
    """Record that a step runs, run it, record its result, wait for the disk."""
    with tempfile.TemporaryDirectory() as directory:
        numbers = itertools.count()
        peer = os.open(Path(directory) / "peer.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        async with checkpoint.open(directory, "ours") as tracker:

            async def shared() -> None:
                await asyncio.gather(
                    *(tracker.step(f"step-{next(numbers)}", _work) for _ in range(_STEPS))
                )

            async def one_by_one() -> None:
                for _ in range(_STEPS):
                    name = f"step-{next(numbers)}"
                    begun = {"step": name, "status": "running", "timestamp": _TIMESTAMP}
                    os.write(peer, json.dumps(begun).encode() + b"\n")
                    result = await _work()
                    done = begun | {"status": "completed", "result": result}
                    os.write(peer, json.dumps(done).encode() + b"\n")
                    os.fsync(peer)

            yield AsyncPair(shared, one_by_one)
        os.close(peer)


@ROWS.calls(
    f"replay of {_RECORDS} records",
    at_least(4),
    against="json.loads per line, the same bookkeeping",
    peers=["msgspec"],
    per_call=_RECORDS,
)
def replay() -> Generator[Pair]:
    """Find which steps a log has completed, and with which results."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "run.jsonl"
        with path.open("w") as file:
            for number in range(_RECORDS // 2):
                begun = {"step": f"item-{number:06}", "status": "running", "timestamp": _TIMESTAMP}
                done = begun | {"status": "completed", "result": _RESULT}
                file.write(f"{json.dumps(begun)}\n{json.dumps(done)}\n")

        def ours() -> None:
            with checkpoint.open(directory, "run"):
                pass

        def plain() -> None:
            completed: dict[str, object] = {}
            with path.open("rb") as lines:
                for line in lines:
                    record = json.loads(line)
                    if record["status"] == "completed":
                        completed[record["step"]] = record.get("result")
                    elif record["status"] in {"running", "failed"}:
                        completed.pop(record["step"], None)

        yield Pair(ours, plain)
