"""Descriptors that are used up, input and output that fail, memory that runs out.

Full disks and read-only directories are tried in each package's own tests, as is a fork.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mist.protocol import Message
from mist.transport import File, Stdio, TransportError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits and devices as on POSIX")
linux = pytest.mark.skipif(sys.platform != "linux", reason="a device of Linux")


def run(program, *arguments):
    """Run a program to its end, and return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


NO_DESCRIPTORS = """
import asyncio, json, os, resource, sys
from mist import checkpoint, platform
from mist.transport import HTTP
from mist.protocol import Message

directory = sys.argv[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
tracker = checkpoint.open(directory, "kept")
held = platform.lock(directory + "/held")
taken = []
try:
    while True:
        taken.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    pass

def try_all():
    return {name: attempt(call) for name, call in {
        "lock": lambda: platform.lock(directory + "/new").unlock(),
        "run": lambda: checkpoint.open(directory, "new").close(),
        "small step": lambda: tracker.step_sync("small", lambda: 1),
        "large step": lambda: tracker.step_sync("large", lambda: "x" * 5_000_000),
    }.items()}

def attempt(call):
    try:
        call()
    except OSError as error:
        return error.code
    return "done"

async def load():
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(int)
    sender = HTTP("http://127.0.0.1:9")
    while taken:
        os.close(taken.pop())
    try:
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        pass
    try:
        await sender.send(Message.new("test", "acme.number", 1))
    except OSError as error:
        return error.code

told = {"without": try_all()}
for _ in range(8):
    os.close(taken.pop())
told["http"] = asyncio.run(load())
while taken:
    os.close(taken.pop())
told["again"] = try_all()
tracker.close()
held.unlock()
with checkpoint.open(directory, "kept") as tracker:
    told["kept"] = [tracker.completed_steps(), tracker.problem_count]
print(json.dumps(told))
"""


def test_without_descriptors_each_call_says_so_and_later_goes_on(tmp_path):
    """Locks, runs, large results and what HTTP loads: `unavailable`, and then as if nothing was."""
    told = run(NO_DESCRIPTORS, tmp_path)
    gone = dict.fromkeys(("lock", "run", "large step"), "unavailable")
    assert told["without"] == {**gone, "small step": "done"}
    assert told["http"] == "unavailable"
    assert set(told["again"].values()) == {"done"}
    assert told["kept"] == [["small", "large"], 0]


@linux
async def test_a_file_that_cannot_be_read_is_an_error_and_not_an_end():
    """Reading a process's memory at 0 fails with EIO, in what passes for a regular file."""
    async with File("/proc/self/mem") as file:
        for _ in range(2):
            with pytest.raises(TransportError, match=r"cannot read .*Input/output error"):
                await file.receive()


@linux
async def test_a_file_that_cannot_be_appended_to_is_an_error_of_the_transport():
    """Its end cannot even be found: an error of opening that is no refusal to open."""
    async with File("/proc/self/mem") as file:
        with pytest.raises(TransportError, match="cannot append to /proc/self/mem"):
            await file.send(Message.new("test", "acme.number", 1))


@linux
async def test_a_terminal_that_is_gone_is_an_error_of_that_send():
    """Writing to a terminal without its other end fails with EIO."""
    master, terminal = os.openpty()
    os.close(master)
    async with Stdio(terminal, terminal) as stdio:
        with pytest.raises(TransportError, match="Input/output error"):
            await stdio.send(Message.new("test", "acme.number", 1))
    os.close(terminal)


LITTLE_MEMORY = """
import asyncio, json, logging, re, resource, sys
from mist import checkpoint
from mist.circuitbreaker import Breaker
from mist.parallel import Pool, map as parallel_map
from mist.protocol import Message
from mist.retry import Policy, do
from mist.server import Server
from mist.transport import HTTP, TransportError

logging.disable()
GIB = 1 << 30

def limit(more):
    with open("/proc/self/status") as status:
        size = int(re.search(r"VmSize:\\s+(\\d+)", status.read())[1]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size + more, resource.RLIM_INFINITY))

def message(payload):
    return Message.new("test", "acme.item", payload)

async def attempt(awaitable):
    try:
        return await awaitable
    except (MemoryError, TransportError) as error:
        return type(error).__name__

async def job(n):
    return len(bytes(2 * GIB)) if n == 1 else n

async def handle(request):
    from starlette.responses import PlainTextResponse
    return PlainTextResponse(str(await job(int(request.query_params["n"]))))

async def get(address, n):
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET /?n={n} HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n".encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1])

async def main(directory):
    told = {}
    server = Server("127.0.0.1:0")
    server.handle("GET /", handle)
    serving = asyncio.create_task(server.serve())
    listener = HTTP()
    await listener.listen("127.0.0.1:0")
    sender = HTTP(listener.listen_url)
    await sender.send(message("first"))
    large = message("x" * (9 << 20))
    tracker = await asyncio.to_thread(checkpoint.open, directory, "run")
    while str(server.addr).endswith(":0"):
        await asyncio.sleep(0.01)
    await get(server.addr, 0)
    limit(24 << 20)
    told["sent"] = [bool(await attempt(sender.send(m))) for m in (large, message("a"), message("b"))]
    told["mapped"] = [type(r.error).__name__ if r.error else r.value
                      for r in await parallel_map(Pool(2), range(3), job)]
    told["served"] = [await get(server.addr, n) for n in range(3)]
    told["steps"] = [await attempt(tracker.step(f"step-{n}", lambda n=n: job(n))) for n in range(3)]
    breaker = Breaker(threshold=2)
    told["guarded"] = [await attempt(breaker.do(lambda n=n: job(n))) for n in range(3)]
    told["state"] = str(breaker.state)
    limit(4 * GIB)
    tracker.close()
    with checkpoint.open(directory, "run") as tracker:
        told["completed"] = tracker.completed_steps()
    await sender.close()
    await listener.close()
    told["received"] = [m.decode()[:9] async for m in listener]
    await server.shutdown()
    await serving
    print(json.dumps(told))

asyncio.run(main(sys.argv[1]))
"""


@linux
def test_memory_that_runs_out_is_the_error_of_who_wanted_it(tmp_path):
    """One message, item, request, step or call fails; those beside and behind it do not."""
    told = run(LITTLE_MEMORY, tmp_path)
    assert told["sent"][1:] == [False, False]
    assert told["mapped"] == [0, "MemoryError", 2]
    assert told["served"] == [200, 500, 200]
    assert told["steps"] == [0, "MemoryError", 2]
    assert told["guarded"] == [0, "MemoryError", 2]
    assert told["state"] == "closed"
    assert told["completed"] == ["step-0", "step-2"]
    received = [text for text in told["received"] if text != "x" * 9]
    assert received == ["first", "a", "b"]
    assert Path(tmp_path, "run.jsonl").read_bytes().count(b"\n") >= 2
