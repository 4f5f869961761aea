"""Where no file descriptors are left, each call says so, and goes on when there are some again."""

import json
import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
import asyncio, json, logging, os, resource, sys
from mist.protocol import Message
from mist.transport import File, HTTP, TransportError

complaints = []
logging.getLogger("asyncio").addHandler(logging.NullHandler())
logging.getLogger("asyncio").addFilter(lambda record: complaints.append(record.getMessage()))
resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))

def use_up():
    taken = []
    try:
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return taken

def free(taken):
    while taken:
        os.close(taken.pop())

async def fails(call):
    try:
        await call
    except TransportError as error:
        return [error.code, str(error).rpartition(": ")[2]]

def message(n):
    return Message.new("test", "acme.number", n)

async def main():
    told, received = {}, []
    async with HTTP() as listener:
        await listener.listen("127.0.0.1:0")
        known, new = HTTP(listener.listen_url), HTTP(listener.listen_url, timeout=3.0)
        await known.send(message(1))
        taken = use_up()
        await known.send(message(2))
        told["connect"] = await fails(new.send(message(0)))
        os.close(taken.pop())  # for the sender's end, while there is none for the listener's
        told["accept"] = await fails(new.send(message(0)))
        file = File(sys.argv[1])
        free(taken)
        await asyncio.wait_for(new.send(message(3)), 5.0)
        taken = use_up()
        told["append"] = await fails(file.send(message(4)))
        told["read"] = await fails(file.receive())
        told["listen"] = await fails(HTTP().listen("127.0.0.1:0"))
        free(taken)
        await file.send(message(5))
        told["read again"] = (await file.receive()).decode()
        for transport in (file, known, new):
            await transport.close()
    told["received"] = [m.decode() async for m in listener if m.decode()]
    told["complaints"] = len(complaints)
    print(json.dumps(told))

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits as on POSIX")
def test_descriptors_that_are_used_up_are_an_error_and_then_none(tmp_path) -> None:
    """Connections that are open go on; whoever needs a new descriptor is told, and recovers.

    Real time: the listener tries once a second whether it can accept again, and says so as often.
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path / "file.jsonl")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    told = json.loads(done.stdout)
    nothing_left = "Too many open files"
    assert told["connect"] == ["transport", nothing_left]
    assert told["accept"][0] == "timeout"
    assert told["append"] == told["read"] == told["listen"] == ["unavailable", nothing_left]
    assert told["read again"] == 5
    assert told["received"] == [1, 2, 3]
    assert 1 <= told["complaints"] <= 8
