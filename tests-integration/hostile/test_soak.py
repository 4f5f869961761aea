"""A relay that runs long, to a receiver that is killed again and again.

The ordinary run takes seconds. `MIST_SOAK_MESSAGES=1000000 MIST_SOAK_KILLS=10` is the long one; with
`-n 0 -s` it prints its figures.
"""

import filecmp
import json
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mist.protocol import Message, marshal_lines

HERE = Path(__file__).parent
MESSAGES = int(os.environ.get("MIST_SOAK_MESSAGES", "10000"))
KILLS = int(os.environ.get("MIST_SOAK_KILLS", "3"))
SEED = int(os.environ.get("MIST_SOAK_SEED", "7"))
INTERVAL = 0.1 if MESSAGES < 100_000 else 1.0  # seconds between two samples
PATIENCE = 120 + MESSAGES / 2000  # seconds for the whole, on a busy machine
WINDOW = 512  # messages that a relay has on the way at most: mist.command.pump
GROWTH = 16 << 20  # bytes that a process may grow in the whole run, by its slope

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="kills processes and reads /proc"
)


class Run:
    """A relay from a file that grows, and a receiver that is killed, in one directory."""

    def __init__(self, directory):
        self.sent = directory / "sent.jsonl"
        self.stored = directory / "stored.jsonl"
        self.once = directory / "once.jsonl"
        self._directory = directory
        self._ends = time.monotonic() + PATIENCE
        self._processes = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{probe.getsockname()[1]}"

    def start_receiver(self):
        """Start a receiver, and return it and the file of its samples once it answers."""
        samples = self._directory / f"receiver-{len(self._processes)}.jsonl"
        receiver = self._start(
            HERE / "storing_receiver.py", self._address, self.stored, samples, INTERVAL
        )
        self.until(self._answers)
        return receiver, samples

    def start_relay(self):
        """Start the relay, and return it and the file of its samples."""
        self.sent.touch()
        samples = self._directory / "relay.jsonl"
        words = (samples, INTERVAL, "relay", "--follow", self.sent, self._address)
        return self._start(HERE / "sampling.py", *words), samples

    def settled(self, samples):
        """Return what a process holds that has been there for some samples, and has no work."""
        self.until(lambda: samples.exists() and len(_read(samples)) > 1.0 / INTERVAL + 3)
        return _read(samples)[-1]

    def append(self, count):
        """Write the messages that are to be relayed; return the id of the last."""
        message = Message.new("soak", "acme.order", None)
        with self.sent.open("ab") as file:
            for first in range(0, count, 1000):
                batch = [
                    Message.new("soak", "acme.order", {"n": n, "note": "ü" * (n % 97)})
                    for n in range(first, min(first + 1000, count))
                ]
                file.write(marshal_lines(batch))
                message = batch[-1]
        return message.id

    def until(self, condition):
        """Wait until something is so; a process that has ended of itself, or time, is a failure."""
        while not condition():
            assert time.monotonic() < self._ends, "took too long"
            for process in self._processes:
                assert process.poll() in (None, -signal.SIGKILL), process.stderr.read()
            time.sleep(0.02)

    def kill(self, process):
        """End a process as `kill -9` does."""
        process.kill()
        process.wait()

    def end(self):
        """End what is left."""
        for process in self._processes:
            process.kill()
            with process:
                pass

    def _start(self, *words):
        process = subprocess.Popen(
            [sys.executable, *map(str, words)],
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    def _answers(self):
        host, _, port = self._address.rpartition(":")
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == 0


@pytest.fixture
def run(tmp_path):
    """A run in an empty directory; what it started is ended with the test."""
    run = Run(tmp_path)
    yield run
    run.end()


def test_a_relay_loses_nothing_to_a_receiver_that_is_killed(run):
    """All that was sent is stored; what came twice is what `mist dedupe` removes; nothing piles up."""
    receiver, samples = run.start_receiver()
    idle_receiver = run.settled(samples)
    relay, relay_samples = run.start_relay()
    idle_relay = run.settled(relay_samples)
    started = time.monotonic()
    last = run.append(MESSAGES).encode()
    chance, total = random.Random(SEED), run.sent.stat().st_size
    lives = []
    for number in range(KILLS):
        share = (number + chance.uniform(0.2, 0.8)) / KILLS
        run.until(lambda: _size(run.stored) >= share * total)  # noqa: B023  # called at once
        run.kill(receiver)
        lives.append(_read(samples))
        receiver, samples = run.start_receiver()
    run.until(lambda: last in _tail(run.stored))
    seconds = time.monotonic() - started
    time.sleep(5 * INTERVAL)  # for the last answer, and a sample after it
    relayed = _read(relay_samples)
    lives.append(_read(samples))
    relay.send_signal(signal.SIGINT)
    assert relay.wait(20) == 130
    assert f"relay: {MESSAGES} messages" in relay.stderr.read()
    run.kill(receiver)

    repeated, torn = _dedupe(run)
    print(f"\n{MESSAGES} messages, {KILLS} kills: {seconds:.1f} s, {repeated} twice, {torn} torn")
    assert filecmp.cmp(run.sent, run.once, shallow=False)
    assert repeated <= KILLS * WINDOW
    assert torn <= KILLS
    # What stays is a connection in the pool; and at the receiver its other end, and the file.
    _check("relay", relayed, idle_relay, fds=1)
    for life in lives[:-1]:
        _check("killed receiver", life)
    _check("last receiver", lives[-1], idle_receiver, fds=2)


def _check(who, samples, idle=None, fds=0):
    """Print what a process held, and see that no more is left than when it was idle."""
    growth, now = _growth(samples), samples[-1]
    print(
        f"{who}: memory {growth / 2**20:+.2f} MiB by its slope in"
        f" {now['seconds'] - samples[0]['seconds']:.0f} s, at most"
        f" {max(sample['rss'] for sample in samples) / 2**20:.0f} MiB;"
        f" at most {max(sample['tasks'] for sample in samples)} tasks"
        + (f"; tasks {idle['tasks']} -> {now['tasks']}" if idle else "")
        + (f", descriptors {idle['fds']} -> {now['fds']}" if idle else "")
    )
    if idle:
        assert now["fds"] <= idle["fds"] + fds
        assert now["tasks"] <= idle["tasks"]
    if MESSAGES >= 100_000:  # a shorter run is all start
        assert growth < GROWTH


def _growth(samples):
    """Return by how many bytes memory grew: the slope of least squares, without the start."""
    settled = samples[len(samples) // 4 :]
    if len(settled) < 3:
        return 0.0
    seconds = [sample["seconds"] for sample in settled]
    slope, _ = statistics.linear_regression(seconds, [sample["rss"] for sample in settled])
    return slope * (seconds[-1] - seconds[0])


def _read(samples):
    lines = samples.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _tail(path):
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        return file.read()


def _size(path):
    return path.stat().st_size if path.exists() else 0


def _dedupe(run):
    """Remove what came twice; return how many did, and how many lines were torn by a kill."""
    with run.once.open("wb") as once:
        ended = subprocess.run(
            [sys.executable, "-m", "mist.command", "dedupe", str(run.stored)],
            stdout=once,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert "another message" not in ended.stderr
    repeated, torn = (
        int(found[1]) if (found := re.search(rf"(\d+) {what}", ended.stderr)) else 0
        for what in ("repeated", "lines skipped")
    )
    assert ended.returncode == bool(torn), ended.stderr
    return repeated, torn
