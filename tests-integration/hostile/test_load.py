"""A thousand clients at once, most of them bad: the good ones are served, the others cut off.

`MIST_LOAD_ROUNDS=50` is a longer run; with `-n 0 -s` it prints its figures.
"""

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from mist.protocol import Message

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("MIST_LOAD_ROUNDS", "1"))
SEED = int(os.environ.get("MIST_LOAD_SEED", "7"))
GOOD, BAD = 400, 600  # connections, all of them open together
EACH = 10  # messages that a good client posts
SERVED_WITHIN = 15.0  # seconds, on a very busy machine; a calm one takes less than one
GROWTH = 16 << 20  # bytes of memory that rounds after the first may leave to the allocator
# Times as many as before may be left: caches fill, the more so with lines of source in debug mode.
OBJECTS = 1.05 if sys.flags.dev_mode else 1.02

resource = pytest.importorskip("resource")  # of POSIX
pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads /proc, and resets connections as Linux does"
)


async def good(url, chance):
    """Post messages one after the other over one connection, and return how long each took."""
    host, _, port = url.split("/")[2].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    took = []
    try:
        for number in range(EACH):
            body = Message.new("load", "acme.order", {"n": number, "text": "x" * 200}).marshal()
            started = time.monotonic()
            writer.write(
                b"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b"
                % (len(body), body)
            )
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 202 "), head
            took.append(time.monotonic() - started)
            await asyncio.sleep(chance.uniform(0, 0.5))
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return took


@pytest.fixture
def listener():
    """A listener in a process of its own; called, it says what it holds."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "counting_listener.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def ask():
        process.stdin.write("\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    ask.url = process.stdout.readline().strip()
    yield ask
    process.stdin.close()
    assert process.wait(10) == 0
    assert process.stderr.read() == ""
    with process:
        pass


@pytest.fixture
def many_descriptors():
    """Allow this process a thousand connections, and what it has beside them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * (GOOD + BAD)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"needs {wanted} file descriptors, and may have {hard}")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def _round(url, chance):
    """Have all clients at once, and return what the good and the bad saw."""
    words = (str(HERE / "bad_clients.py"), url, str(BAD), str(chance.randrange(1 << 30)))
    bad = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=subprocess.PIPE)
    try:
        async with asyncio.TaskGroup() as all_at_once:
            ends = [all_at_once.create_task(good(url, chance)) for _ in range(GOOD)]
        cut_off = json.loads((await bad.communicate())[0])
    finally:
        with suppress(ProcessLookupError):
            bad.kill()
        await bad.wait()
    return sorted(took for end in ends for took in end.result()), cut_off


async def _settle(listener, idle):
    """Return what a listener holds, once it has noticed that all its clients have gone."""
    deadline = time.monotonic() + 5
    while True:
        now = await asyncio.to_thread(listener)
        settled = now["fds"] <= idle["fds"] and now["tasks"] <= idle["tasks"]
        if settled or time.monotonic() > deadline:
            return now
        await asyncio.sleep(0.05)


@pytest.mark.usefixtures("many_descriptors")
async def test_good_clients_are_served_among_bad_ones(listener):
    """Each good request has its answer in time, each bad client its end, and nothing is left."""
    chance = random.Random(SEED)
    idle = await asyncio.to_thread(listener)
    memory = []
    for number in range(1, ROUNDS + 1):
        served, cut_off = await _round(listener.url, chance)
        after = await _settle(listener, idle)
        memory.append(after["rss"])
        print(
            f"\nserved {len(served)} in {statistics.median(served) * 1000:.0f} ms,"
            f" 99 of 100 within {served[len(served) * 99 // 100] * 1000:.0f} ms, all within"
            f" {served[-1] * 1000:.0f} ms; cut off {len(cut_off)}, the last after"
            f" {max(cut_off)[0]:.1f} s ({max(cut_off)[1]}); memory"
            f" {idle['rss'] / 2**20:.0f} -> {after['rss'] / 2**20:.1f} MiB, objects"
            f" {idle['blocks']} -> {after['blocks']}, descriptors"
            f" {idle['fds']} -> {after['fds']}, tasks {idle['tasks']} -> {after['tasks']}"
        )
        assert len(served) == GOOD * EACH
        assert served[-1] < SERVED_WITHIN
        assert len(cut_off) == BAD
        assert (after["fds"], after["tasks"]) == (idle["fds"], idle["tasks"])
        assert after["blocks"] < idle["blocks"] * OBJECTS
        # Who vanished before the answer may have been heard.
        unheard = number * sum(kind == "reset_before_answer" for _, kind in cut_off)
        assert 0 <= after["received"] - number * GOOD * EACH <= unheard
    assert memory[-1] - memory[0] < GROWTH
