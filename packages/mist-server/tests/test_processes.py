"""Real processes: what they print, and how signals end them."""

import asyncio
import os
import signal
import subprocess
import sys
import threading

import pytest
from starlette.responses import PlainTextResponse

from mist.server import Server

# Real time throughout: another process keeps it.

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows ends processes without signals"
)

PROGRAM = """
import asyncio, sys, time
from starlette.responses import PlainTextResponse
from mist.server import Server

async def hello(request):
    return PlainTextResponse("hello")

async def slow(request):
    await asyncio.sleep(float(request.path_params["seconds"]))
    return PlainTextResponse("slow")

async def block(request):
    time.sleep(60)

class Readiness:
    def set_ready(self, ready):
        print("ready" if ready else "not ready", flush=True)

server = Server("127.0.0.1:0", **eval(sys.argv[1]))
server.handle("/", hello)
server.handle("/slow/{seconds}", slow)
server.handle("/block", block)
server.listen_and_serve()
print("returned", flush=True)
"""


@pytest.fixture
def start():
    """Start servers in processes of their own; the result is the process and its address."""
    processes = []

    def run(options="{}", program=PROGRAM):
        process = subprocess.Popen(
            [sys.executable, "-c", program, options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Buffered as it is for most, for what stays in a buffer matters at the exit.
            env={**os.environ, "PYTHONUNBUFFERED": ""},
        )
        processes.append(process)
        line = process.stderr.readline()
        assert line.startswith("listening on http://127.0.0.1:"), line
        return process, line.strip().removeprefix("listening on http://")

    yield run
    for process in processes:
        process.kill()
        process.communicate()


async def finish(process, timeout=15):
    """Wait for a process, and return its exit status, and what it printed since it started."""
    out, err = await asyncio.to_thread(process.communicate, timeout=timeout)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_in_order(start, connect, number):
    """What has begun is answered, `listen_and_serve` returns, and the exit status is 0."""
    process, address = await asyncio.to_thread(start)
    client = await connect(address)
    await client.send("GET /slow/0.5 HTTP/1.1\nHost: x\n\n")
    await asyncio.sleep(0.2)
    process.send_signal(number)
    answer = await client.answer()
    assert (answer.body, answer.keeps) == (b"slow", False)
    assert await finish(process) == (0, "returned\n", "shutting down\n")


async def test_a_process_without_a_stderr_ends_in_order(start, ask):
    """As pythonw has none, and a daemon that has let go of it: nothing is told, nothing fails."""
    program = PROGRAM.replace(
        'return PlainTextResponse("hello")',
        'sys.stderr = None; return PlainTextResponse("hello")',
    )
    process, address = await asyncio.to_thread(start, program=program)
    assert (await ask(address, "GET", "/")).body == b"hello"
    process.send_signal(signal.SIGTERM)
    assert await finish(process) == (0, "returned\n", "")


@pytest.mark.parametrize("path", ["/slow/60", "/block"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_second_signal_ends_it_at_once(start, connect, number, status, path):
    """Even where a handler blocks the event loop."""
    process, address = await asyncio.to_thread(start, "{'shutdown_timeout': 60}")
    client = await connect(address)
    await client.send(f"GET {path} HTTP/1.1\nHost: x\n\n")
    await asyncio.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.3)
    assert process.poll() is None
    process.send_signal(number)
    code, out, _ = await finish(process, timeout=5)
    assert (code, out) == (status, "")


@pytest.mark.parametrize("options", ["{}", "{'readiness': Readiness(), 'drain_delay': 0.5}"])
@pytest.mark.parametrize("keeps", [True, False])
async def test_no_request_is_lost_when_it_is_terminated_under_load(start, connect, options, keeps):
    """Every request that was sent is answered; afterwards connections are refused."""
    process, address = await asyncio.to_thread(start, options)
    counts = {"answered": 0, "lost": 0, "refused": 0}

    async def load():
        client = None
        while True:
            if client is None or client.reader.at_eof():
                try:
                    client = await connect(address)
                except OSError:
                    counts["refused"] += 1
                    return
            try:
                answer = await client.ask(
                    "GET", "/", headers=[] if keeps else ["Connection: close"]
                )
            except (asyncio.IncompleteReadError, ConnectionError):
                counts["lost"] += 1
                return
            assert answer.body == b"hello"
            counts["answered"] += 1
            if not answer.keeps:
                client.writer.close()
                client = None

    clients = [asyncio.create_task(load()) for _ in range(50)]
    await asyncio.sleep(1.0)
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(asyncio.gather(*clients), 30)
    code, out, err = await finish(process)
    assert counts["lost"] == 0
    assert counts["refused"] == 50
    assert counts["answered"] > 100
    assert (code, err) == (0, "shutting down\n")
    assert out == ("not ready\nreturned\n" if "Readiness" in options else "returned\n")


async def test_a_signal_while_it_starts_ends_it_too():
    """An application that hangs at its start does not hold it up."""
    program = """
import asyncio, sys
from mist.server import Server

async def app(scope, receive, send):
    await receive()
    print("starting", flush=True)
    await asyncio.sleep(60)

server = Server("127.0.0.1:0")
server.handle("/", app)
server.listen_and_serve()
print("returned", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert await asyncio.to_thread(process.stdout.readline) == "starting\n"
    process.send_signal(signal.SIGTERM)
    assert await finish(process) == (0, "returned\n", "shutting down\n")


async def test_an_address_in_use_ends_it_with_the_remedy(start):
    """The error names the address."""
    _, address = await asyncio.to_thread(start)
    program = f"from mist.server import Server; Server('{address}').listen_and_serve()"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    code, _, err = await finish(process)
    assert code == 1
    assert f"cannot listen at {address}: Address already in use; stop what listens there" in err


async def test_it_runs_in_another_thread_and_leaves_signals_alone(ask):
    """It ends by `shutdown`."""
    server = Server("127.0.0.1:0")
    loops = []

    @server.handle("/")
    async def handler(request):  # noqa: ARG001  # a handler takes one
        loops.append(asyncio.get_running_loop())
        return PlainTextResponse("hello")

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=server.listen_and_serve)
    thread.start()
    async with asyncio.timeout(10):
        while server._listener is None:
            await asyncio.sleep(0.01)
    assert (await ask(server, "GET", "/")).body == b"hello"
    assert signal.getsignal(signal.SIGTERM) is before
    asyncio.run_coroutine_threadsafe(server.shutdown(), loops[0]).result(5)
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()


async def test_signals_are_as_before_afterwards(start):
    """What the program had set is set again."""
    program = PROGRAM.replace("server.listen", "import signal\nserver.listen").replace(
        'print("returned"', 'print(signal.getsignal(signal.SIGINT), "returned"'
    )
    process, _ = await asyncio.to_thread(start, program=program)
    process.send_signal(signal.SIGINT)
    code, out, _ = await finish(process)
    assert code == 0
    assert "default_int_handler" in out


async def test_nobody_reads_stderr(start, connect):
    """The server does not need a reader."""
    process, address = await asyncio.to_thread(start)
    process.stderr.close()
    client = await connect(address)
    assert (await client.ask("GET", "/")).body == b"hello"
    client.writer.close()
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 10) == 0
    process.stderr = None


FORKING = """
import asyncio, os, signal, time
from starlette.responses import PlainTextResponse
from mist.server import Server

def forked():
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, b"a signal before this is lost")
        time.sleep(60)
        os._exit(1)
    os.read(reading, 1)
    os.kill(child, signal.SIGTERM)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def left():
    child = os.fork()
    if not child:
        time.sleep(60)
        os._exit(1)
    return child

async def fork(request):
    return PlainTextResponse(str(await asyncio.to_thread(forked)))

async def leave(request):
    return PlainTextResponse(str(await asyncio.to_thread(left)))

server = Server("127.0.0.1:0")
server.handle("/fork", fork)
server.handle("/leave", leave)
server.listen_and_serve()
"""


async def test_a_child_that_a_handler_forks_ends_by_a_signal(start, ask):
    """It has inherited what takes the server's signals, but not the server."""
    _, address = await asyncio.to_thread(start, program=FORKING)
    answer = await asyncio.wait_for(ask(address, "GET", "/fork"), 15)
    assert answer.body == b"-15"


async def test_a_child_that_a_handler_forks_keeps_no_socket(start, connect):
    """Its client sees the end of the connection, and nobody listens when the server has ended."""
    process, address = await asyncio.to_thread(start, program=FORKING)
    client = await connect(address)
    child = int((await client.ask("GET", "/leave", headers=["Connection: close"])).body)
    try:
        assert await asyncio.wait_for(client.reader.read(), 10) == b""
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 10) == 0
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address.split(":"))
    finally:
        os.kill(child, signal.SIGKILL)
