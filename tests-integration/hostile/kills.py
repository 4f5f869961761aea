"""Kill processes of mist at random moments, and look from outside at what is left.

    python tests-integration/hostile/kills.py relay --rounds 500

Each round is one `kill -9`. A broken promise is an AssertionError; else a line of JSON tells what was
seen.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from forked import LONGEST, Process, mist_command

from mist import checkpoint, platform
from mist.protocol import Message, ProtocolError
from mist.transport import HTTP, TransportError

INBOX = 64
IN_FLIGHT = 16


def message(n: int) -> Message:
    """Make a message; one in fifty is long enough to be cut in two by a kill."""
    text = "é<&>" * (80_000 if n % 50 == 49 else n * 37 % 200)
    return Message.new("kills", "acme.item", {"n": n, "text": text})


def read(path: Path) -> tuple[list[bytes], int]:
    """Return a file's whole lines, and the number of torn ones; no line holds two messages."""
    whole, torn = [], 0
    for line in path.read_bytes().split(b"\n") if path.exists() else ():
        assert line.count(b'"version":') <= 1, f"fused: {line[:200]!r}"
        if line:
            try:
                Message.unmarshal(line)
                whole.append(line)
            except ProtocolError:
                torn += 1
    return whole, torn


def relay(directory: Path, rounds: int, chance: random.Random) -> dict[str, object]:
    """`mist relay` from file to file, resumed after each kill with what has arrived as --skip.

    The file that comes of it has the messages of the source, each once and in order.
    """
    lines = [message(n).marshal() for n in range(600)]
    source, destination = directory / "source.jsonl", directory / "destination.jsonl"
    source.write_bytes(b"\n".join(lines) + b"\n")
    began = time.monotonic()
    assert mist_command("relay", source, directory / "whole.jsonl").wait() == 0
    duration = time.monotonic() - began
    kills = finished = torn_lines = resumed = 0
    while kills < rounds:
        whole, torn = read(destination)
        assert whole == lines[: len(whole)], "out of order, lost or doubled"
        resumed += 0 < len(whole) < len(lines)
        process = mist_command("relay", source, destination, "--skip", len(whole))
        status = process.kill(chance.random() * duration)
        if status is None:
            kills += 1
            continue
        assert status == 0
        assert read(destination) == (lines, torn)
        finished += 1
        torn_lines += torn
        destination.unlink()
    return {"kills": kills, "amid": resumed, "finished": finished, "torn lines": torn_lines}


def post(directory: Path, rounds: int, chance: random.Random) -> dict[str, object]:
    """`mist relay` from a file to `mist listen`, which lives on while the relay is killed.

    What arrives has the order of the source and nothing missing; twice comes only what was under
    way at a kill, and no line is torn.
    """
    lines = [message(n).marshal() for n in range(600)]
    source, destination = directory / "source.jsonl", directory / "received.jsonl"
    source.write_bytes(b"\n".join(lines) + b"\n")
    url = f"http+unix://{directory}/socket"
    listener = mist_command("listen", f"unix:{directory}/socket", "--to", destination)
    began = time.monotonic()
    assert mist_command("relay", source, url).wait() == 0
    duration = time.monotonic() - began
    kills = finished = resumed = doubled = 0
    while kills < rounds:
        whole, torn = read(destination)
        distinct = list(dict.fromkeys(whole))
        assert not torn
        assert distinct == lines[: len(distinct)], "out of order or lost"
        skip = len(distinct) % len(lines)
        resumed += skip > 0
        status = mist_command("relay", source, url, "--skip", skip).kill(chance.random() * duration)
        if status is None:
            kills += 1
            _until_quiet(destination)  # what was under way arrives yet
            continue
        assert status == 0
        _wait_until(lambda: set(read(destination)[0]) == set(lines))
        finished += 1
        doubled += len(read(destination)[0]) - len(lines)
        os.truncate(destination, 0)
    assert listener.kill(0) is None, "listen ended by itself"
    return {"kills": kills, "amid": resumed, "finished": finished, "twice": doubled}


def listen(directory: Path, rounds: int, chance: random.Random) -> dict[str, object]:
    """`mist listen --to`, killed while a peer sends, and started again at the same address.

    All that was acknowledged is in the file: it is written before a peer has its answer.
    """
    socket, events = directory / "socket", directory / "events"
    destination = directory / "received.jsonl"
    log = os.open(events, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    sender = Process(lambda: asyncio.run(_send_for_ever(socket, log)))
    try:
        for _ in range(rounds):
            os.write(log, b"up\n")
            words = ("listen", f"unix:{socket}", "--to", destination, "--inbox", INBOX)
            listener = mist_command(*words)
            assert listener.kill(0.05 + 0.15 * chance.random()) is None, "listen ended by itself"
            os.write(log, b"down\n")
            _wait_until(lambda: b"failed" in events.read_bytes().rpartition(b"down\n")[2])
    finally:
        assert sender.kill(0) is None, "the sender ended by itself"
        os.close(log)
    whole, torn = read(destination)
    arrived = Counter(Message.unmarshal(line).decode()["n"] for line in whole)
    acknowledged = {int(word) for word in events.read_text().split() if word.isdigit()}
    assert len(acknowledged) > rounds
    assert acknowledged <= arrived.keys(), "what was acknowledged is lost"
    return {
        "kills": rounds,
        "acknowledged": len(acknowledged),
        "twice": sum(count - 1 for count in arrived.values()),
        "torn lines": torn,
    }


async def _send_for_ever(socket: Path, log: int) -> int:
    """Send numbered messages, each until it is taken, and write down what was acknowledged."""

    async def deliver(n: int) -> None:
        while True:
            try:
                await sender.send(message(n))
            except TransportError:
                os.write(log, b"failed\n")
                await asyncio.sleep(0.005)
            else:
                os.write(log, b"%d\n" % n)
                return

    async with HTTP(f"http+unix://{socket}") as sender:
        for n in range(0, sys.maxsize, IN_FLIGHT):
            await asyncio.gather(*(deliver(n + offset) for offset in range(IN_FLIGHT)))
    return 0


def locks(directory: Path, rounds: int, chance: random.Random) -> dict[str, object]:
    """Four processes want one lock, and whoever has it, or waits for it, is killed.

    Between one's taking of the lock and the next one's, nobody else does anything.
    """
    path, events = directory / "the.lock", directory / "events"
    log = os.open(events, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def contend() -> int:
        me = os.getpid()
        while True:
            with platform.lock(path):
                os.write(log, b"%d takes\n" % me)
                for _ in range(3):
                    time.sleep(0.0005)
                    os.write(log, b"%d works\n" % me)

    contenders = [Process(contend) for _ in range(4)]
    for _ in range(rounds):
        victim = chance.randrange(len(contenders))
        assert contenders[victim].kill(0.02 * chance.random()) is None, "a contender failed"
        contenders[victim] = Process(contend)
    taken = len(events.read_bytes())
    _wait_until(lambda: len(events.read_bytes()) > taken)  # the dead keep nobody out
    for contender in contenders:
        contender.kill(0)
    holder, holdings, cut = "", 0, 0
    did: list[str] = []
    for line in events.read_text().splitlines():
        who, what = line.split()
        if what == "takes":
            cut += 0 < len(did) < 3
            holder, did, holdings = who, [], holdings + 1
        else:
            assert who == holder, f"{who} works while {holder} has the lock"
            did.append(what)
    return {"kills": rounds, "taken": holdings, "killed at work": cut}


def steps(directory: Path, rounds: int, chance: random.Random) -> dict[str, object]:
    """A checkpointed run, resumed after each kill, of steps that depend on one another.

    No step that has returned runs again, none is left out, and each finds the results before it.
    """
    runs, events = directory / "runs", directory / "events"
    log = os.open(events, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def work(run: str) -> int:
        with checkpoint.open(runs, run) as tracker:
            total = 0
            for n in range(40):
                os.write(log, f"{run} {n} wanted\n".encode())
                total = tracker.step_sync(f"step-{n}", lambda n=n, t=total: _add(log, run, n, t))
                os.write(log, f"{run} {n} done\n".encode())
            return 0 if total == sum(range(40)) else 1

    began = time.monotonic()
    assert Process(lambda: work("measured")).wait() == 0
    duration = time.monotonic() - began
    kills = finished = 0
    while kills < rounds:
        run = partial(work, f"run-{finished}")
        status = Process(run).kill(1.2 * chance.random() * duration)
        if status is None:
            kills += 1
        else:
            assert status == 0
            finished += 1
    done, again = set(), 0
    begun: Counter[tuple[str, str]] = Counter()
    for line in events.read_text().splitlines():
        run, n, what = line.split()
        if what == "runs":
            assert (run, n) not in done, f"{n} of {run} ran again"
            begun[run, n] += 1
            again += begun[run, n] > 1
        elif what == "done":
            assert begun[run, n], f"{n} of {run} was left out"
            done.add((run, n))
    return {"kills": kills, "finished": finished, "steps": len(done), "killed at work": again}


def _add(log: int, run: str, n: int, total: int) -> int:
    os.write(log, f"{run} {n} runs\n".encode())
    return total + n


def demo(directory: Path, rounds: int, chance: random.Random) -> dict[str, object]:
    """`mist demo` in one process, resumed after each kill: the results are those of one go."""
    return _demo(directory, rounds, chance, ["chan"], tasks=30)


def demo_tools(directory: Path, rounds: int, chance: random.Random) -> dict[str, object]:
    """The same between four processes, of which the first is killed and the others end by it."""
    return _demo(directory, rounds, chance, ["http", "file", "stdio"], tasks=10)


def _demo(
    directory: Path, rounds: int, chance: random.Random, transports: list[str], *, tasks: int
) -> dict[str, object]:
    runs, report = directory / "runs", directory / "report.json"
    settings = ("--tasks", tasks, "--latency", 0.002, "--fail-rate", 0.3)

    def start(transport: str, *words: object) -> Process:
        words = ("demo", "--dir", runs, "--format", "json", "--transport", transport, *words)
        return mist_command(*words, output=report)

    began = time.monotonic()
    assert start(transports[0], *settings).wait() == 0
    duration = time.monotonic() - began
    fingerprints = {json.loads(report.read_text())["fingerprint"]}
    finished = kills = resumed = 0
    known = set(runs.iterdir())
    while kills < rounds:
        begun = [run for run in runs.iterdir() if run not in known and (run / "demo.toml").exists()]
        assert len(begun) <= 1
        transport = transports[kills % len(transports)]
        words = ("--resume", begun[0].name) if begun else settings
        began = time.monotonic()
        status = start(transport, *words).kill(1.2 * chance.random() * duration)
        if status is None:
            kills += 1
            resumed += bool(begun)
            continue
        assert status == 0, f"resuming ended with {status}"
        told = json.loads(report.read_text())
        assert told["complete"], "it ended early"
        fingerprints.add(told["fingerprint"])
        assert len(fingerprints) == 1, "other results"
        known = set(runs.iterdir())
        finished += 1
        if not begun:  # the first was slow where others were at work
            duration = min(duration, time.monotonic() - began)
    orphans = directory.name
    _wait_until(lambda: not _who_mentions(orphans))
    return {"kills": kills, "amid": resumed, "finished": finished, "fingerprints": 1}


def _who_mentions(text: str) -> list[int]:
    """Return the processes whose command line has a text in it, where the system shows that."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if text.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def _wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.002)


def _until_quiet(path: Path) -> None:
    size = -1
    while size != (size := path.stat().st_size):
        time.sleep(0.05)


SCENARIOS = {work.__name__: work for work in (relay, post, listen, locks, steps, demo, demo_tools)}


def main() -> None:
    """Run one scenario, and print what was seen."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        try:
            seen = SCENARIOS[given.scenario](
                Path(directory), given.rounds, random.Random(given.seed)
            )
        finally:
            for process in tuple(Process.running):
                process.kill(0)
    print(json.dumps({**seen, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
