"""A process that is stopped for a while, and a wall clock that jumps: no burst, no false alarm.

Real time: what SIGSTOP does to timers cannot be had from a virtual clock.
"""

import asyncio
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from mist.protocol import Message
from mist.transport import HTTP

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")

STOPPED_FOR = 1.5


@pytest.fixture
def start():
    """Start a program; its output is a pipe of text."""
    started = []

    def run(program, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        with process:
            pass


def stop_for(process, seconds):
    """Stop a process, and let it go on after so many seconds."""
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGCONT)


AT_WORK = """
import asyncio, json, time
from mist.circuitbreaker import Breaker, CircuitOpenError
from mist.health import Handler
from mist.parallel import RateLimiter
from mist.retry import Policy, do

told = {}

async def pace():
    limiter, granted = RateLimiter(5, 0.3), []
    until = time.monotonic() + 2.8
    while time.monotonic() < until:
        await limiter.wait()
        granted.append(time.monotonic())
    told["paced"] = granted

async def retry():
    attempts = []
    async def fail():
        attempts.append(time.monotonic())
        raise ConnectionError
    try:
        await do(Policy(6, 0.3, 0.3, 1.0, 0.0), fail)
    except ConnectionError:
        told["retried"] = attempts

async def probe():
    breaker = Breaker(threshold=1, timeout=0.5)
    async def fail():
        raise ConnectionError
    async def succeed():
        calls.append(1)
        await asyncio.sleep(0.01)
    calls = []
    try:
        await breaker.do(fail)
    except ConnectionError:
        pass
    await asyncio.sleep(0.6)
    outcomes = await asyncio.gather(*(breaker.do(succeed) for _ in range(10)), return_exceptions=True)
    told["probes"] = [len(calls), sum(isinstance(o, CircuitOpenError) for o in outcomes)]

async def check():
    handler = Handler("tool", "1")
    async def in_loop():
        for _ in range(8):
            await asyncio.sleep(0.05)
    def in_thread():
        for _ in range(8):
            time.sleep(0.05)
    async def hangs():
        await asyncio.sleep(60)
    for fn, timeout in ((in_loop, 1.2), (in_thread, 1.2), (hangs, 1.2)):
        handler.add_check(fn.__name__, fn, timeout=timeout)
    sent = []
    async def send(event):
        sent.append(event)
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    await handler.readiness()(scope, receive, send)
    told["checks"] = b"".join(event.get("body", b"") for event in sent).decode()

async def main():
    asyncio.get_running_loop().call_later(0.2, lambda: print("now", flush=True))
    await asyncio.gather(pace(), retry(), probe(), check())
    print(json.dumps(told))

asyncio.run(main())
"""


def test_a_stopped_process_goes_on_as_if_it_had_only_been_slow(start):
    """Rate, retries, probes of a circuit and health checks: nothing is made up for at once."""
    process = start(AT_WORK)
    assert process.stdout.readline() == "now\n"
    stop_for(process, STOPPED_FOR)
    told = json.loads(process.stdout.read())

    granted = told["paced"]
    assert max(b - a for a, b in itertools.pairwise(granted)) > STOPPED_FOR - 0.2
    assert all(b - a >= 0.3 for a, b in zip(granted, granted[5:], strict=False)), "a burst"
    attempts = told["retried"]
    assert len(attempts) == 6
    assert all(b - a >= 0.29 for a, b in itertools.pairwise(attempts))
    assert told["probes"] == [1, 9]
    checks = json.loads(told["checks"])
    failed = {name for name, check in _checks(checks).items() if "timed out" in json.dumps(check)}
    assert failed == {"hangs"}


def _checks(report):
    return report["checks"]


LISTENER = """
import asyncio
from mist.transport import HTTP

async def main():
    async with HTTP(body_timeout=1.0) as listener:
        await listener.listen("127.0.0.1:0", header_timeout=1.0)
        print(listener.listen_url, flush=True)
        async for message in listener:
            pass

asyncio.run(main())
"""

SERVER = """
import asyncio
from mist.server import Server
from starlette.responses import Response

async def take(request):
    await request.body()
    return Response(status_code=202)

async def main():
    server = Server("127.0.0.1:0", header_timeout=1.0, body_timeout=1.0)
    server.handle("POST /mist", take)
    serving = asyncio.create_task(server.serve())
    while not server.addr or server.addr.endswith(":0"):
        await asyncio.sleep(0.01)
    print(f"http://{server.addr}/mist", flush=True)
    await serving

asyncio.run(main())
"""


@pytest.mark.parametrize("program", [LISTENER, SERVER], ids=["transport", "server"])
@pytest.mark.parametrize("part", ["head", "body"])
def test_a_stopped_server_answers_who_was_in_time(start, program, part):
    """What was sent while it was stopped is read before a deadline is held against its sender.

    One in a connection of its own had sent half its head, or half its body; another sends
    through a connection that has been used before.
    """
    url = start_url(process := start(program))
    body = Message.new("test", "acme.number", "by hand").marshal()
    request = (
        f"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )
    cut = request.index(b"\r\n\r\n") if part == "head" else len(request) - 10

    async def talk():
        async with HTTP(url, timeout=20.0) as sender:
            await sender.send(Message.new("test", "acme.number", "before"))
            with socket.create_connection(address_of(url)) as begun:
                begun.sendall(request[:cut])
                await asyncio.sleep(0.2)
                os.kill(process.pid, signal.SIGSTOP)
                begun.sendall(request[cut:])
                waiting = asyncio.create_task(sender.send(Message.new("test", "acme.number", 1)))
                await asyncio.sleep(STOPPED_FOR)
                os.kill(process.pid, signal.SIGCONT)
                await waiting
                begun.settimeout(10.0)
                return await asyncio.to_thread(begun.recv, 4096)

    assert asyncio.run(talk()).startswith(b"HTTP/1.1 202")


def start_url(process):
    """Return the URL that a server tells first."""
    return process.stdout.readline().strip()


def address_of(url):
    """Return host and port of a URL."""
    parts = urlsplit(url)
    return parts.hostname, parts.port


# Everything that is imported after this sees a wall clock that can be moved.
JUMPING = """
import time
wall, wall_ns, offset = time.time, time.time_ns, [0]
time.time = lambda: wall() + offset[0]
time.time_ns = lambda: wall_ns() + offset[0] * 10**9

import asyncio, datetime, json, sys
from mist import checkpoint, platform, trace
from mist.circuitbreaker import Breaker, State
from mist.health import Handler
from mist.parallel import RateLimiter
from mist.resource import Limiter
from mist.retry import Policy, do
from mist.transport import HTTP
from mist.protocol import Message

directory, jump = sys.argv[1], int(sys.argv[2])
INTERVAL = 1.5

async def fail():
    raise ConnectionError

async def main():
    listener = HTTP()
    await listener.listen("127.0.0.1:0", header_timeout=5.0)
    sender = HTTP(listener.listen_url, timeout=5.0)
    await sender.send(Message.new("test", "acme.number", 1))
    tracker = checkpoint.open(directory, "run")
    tracker.step_sync("before", lambda: 1)
    lock = platform.lock(directory + "/lock")
    slots = Limiter("slots", 1)
    await slots.acquire()
    breaker = Breaker(threshold=1, timeout=INTERVAL)
    limiter = RateLimiter(1, INTERVAL)
    assert limiter.try_take()
    runs = []
    def check():
        runs.append(1)
    handler = Handler("tool", "1", cache=INTERVAL)
    handler.add_check("cached", check)
    readiness = handler.readiness()
    async def ask():
        async def send(event): pass
        async def receive(): return {"type": "http.request", "body": b"", "more_body": False}
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
        await readiness(scope, receive, send)
    await ask()
    span = trace.start("job")
    try:
        await breaker.do(fail)
    except ConnectionError:
        pass

    offset[0] = jump
    began = time.monotonic()
    took = lambda: time.monotonic() - began
    assert breaker.state is State.OPEN
    assert not limiter.try_take()
    await ask()
    assert len(runs) == 1, "the cached result is forgotten"
    await sender.send(Message.new("test", "acme.number", 2))
    assert await asyncio.to_thread(slots.acquire_sync, 0.1) is False
    try:
        await asyncio.to_thread(platform.lock, directory + "/lock", 0.1)
        raise AssertionError("two holders")
    except TimeoutError:
        pass
    try:
        with checkpoint.open(directory, "run", wait=True, timeout=0.1):
            raise AssertionError("two openers")
    except checkpoint.CheckpointError:
        pass
    try:
        await do(Policy(3, 0.05, 0.05, 1.0, 0.0), fail)
    except ConnectionError:
        pass
    assert 0.1 < took() < 5.0, took()
    await asyncio.sleep(max(0.0, INTERVAL + 0.1 - took()))
    assert breaker.state is State.HALF_OPEN
    await limiter.wait()
    await ask()
    assert len(runs) == 2
    span.end()
    assert 0 < span.duration_ms() < 5000 and span.end_ns > span.start_ns
    tracker.step_sync("after", lambda: 2)
    tracker.close()
    offset[0] = 0
    with checkpoint.open(directory, "run") as tracker:
        assert tracker.completed_steps() == ["before", "after"] and tracker.problem_count == 0
    await sender.close()
    await listener.close()
    assert [m.decode() async for m in listener] == [1, 2]
    lock.unlock()

asyncio.run(main())
print("held")
"""


@pytest.mark.parametrize("jump", [3600, -3600], ids=["forward", "back"])
def test_a_wall_clock_that_jumps_moves_no_deadline(start, tmp_path, jump):
    """Circuits, rates, caches, timeouts, durations and resumed runs go by the other clock."""
    process = start(JUMPING, tmp_path, jump)
    assert process.stdout.read() == "held\n"
