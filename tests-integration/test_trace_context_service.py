"""A service on mist.server and mist.trace passes traces on as W3C Trace Context wants it."""

import asyncio
import os
import re
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from multidict import CIMultiDict
from starlette.responses import Response

from mist.server import Server

TRACE_ID = "12345678901234567890123456789012"
TRACEPARENT = f"00-{TRACE_ID}-1234567890123456-01"


@pytest.fixture
def service(root):
    """The service, as a process of its own; the result is its URL."""
    process = subprocess.Popen(
        [sys.executable, root / "tests-integration/services/trace_context.py"],
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield re.search(r"http://\S+", process.stderr.readline())[0] + "/test"
        process.terminate()


@pytest.fixture
async def ask(service):
    """Have the service call back; the result is the headers of each call."""
    calls = []

    async def note(request):
        calls.append(CIMultiDict(request.headers.items()))
        return Response()

    callback = Server("127.0.0.1:0")
    callback.handle("POST /", note)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(callback)
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def ask(*headers, times=1):
            calls.clear()
            wanted = [{"url": callback.url, "arguments": []}] * times
            async with session.post(service, json=wanted, headers=headers) as response:
                assert response.status == 200
            return list(calls)

        yield ask


async def test_a_trace_goes_on(ask):
    """The id stays, each call back has a parent of its own, our member of the state is first."""
    calls = await ask(
        ("TraceParent", TRACEPARENT),
        ("tracestate", "foo=1, bar=2"),
        ("tracestate", "baz=3"),
        times=3,
    )
    parents = set()
    for call in calls:
        version, trace_id, parent, flags = call.getone("traceparent").split("-")
        assert (version, trace_id, flags) == ("00", TRACE_ID, "01")
        parents.add(parent)
        mine, *others = call.getone("tracestate").split(",")
        assert mine.startswith("mist=")
        assert mine.endswith(parent)
        assert others == ["foo=1", "bar=2", "baz=3"]
    assert len(parents) == 3
    assert "1234567890123456" not in parents


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("traceparent", TRACEPARENT), ("traceparent", TRACEPARENT)],
        [("traceparent", "ff" + TRACEPARENT[2:])],
        [("traceparent", TRACEPARENT + "-more")],
        [("traceparent", TRACEPARENT.replace(TRACE_ID, "0" * 32))],
        [("traceparent", "x" * 8000)],
        [("tracestate", "foo=1")],
    ],
)
async def test_what_is_no_trace_begins_a_new_one(ask, headers):
    """No header makes the request fail, and none is passed on."""
    (call,) = await ask(*headers)
    assert TRACE_ID not in call.getone("traceparent")
    assert "foo" not in call.get("tracestate", "")


async def test_a_state_of_too_many_members_is_left_out(ask):
    """Thirty-two are kept, thirty-three are none; the trace goes on."""
    members = [f"k{n}={n}" for n in range(33)]
    (call,) = await ask(("traceparent", TRACEPARENT), ("tracestate", ",".join(members[:32])))
    assert len(call.getone("tracestate").split(",")) == 32
    (call,) = await ask(("traceparent", TRACEPARENT), ("tracestate", ",".join(members)))
    assert TRACE_ID in call.getone("traceparent")
    assert "k0" not in call.get("tracestate", "")


def test_the_validation_harness_of_w3c_passes(service):
    """All of it, at strict level 2: `test.py` of the `test` directory of w3c/trace-context.

    MIST_W3C_HARNESS names the directory, MIST_W3C_PYTHON an interpreter that has aiohttp and an
    event loop before one is asked for, as up to Python 3.11; by default this one.
    """
    harness = os.environ.get("MIST_W3C_HARNESS")
    if not harness:
        pytest.skip("MIST_W3C_HARNESS does not name the directory of the harness's test.py")
    ran = subprocess.run(
        [os.environ.get("MIST_W3C_PYTHON", sys.executable), "test.py", service],
        cwd=Path(harness),
        env={**os.environ, "STRICT_LEVEL": "2"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"Ran 4\d tests in .*\n\nOK\n", ran.stderr), ran.stderr


async def test_many_traces_at_a_time_stay_apart(service):
    """Each request's calls back carry its own trace, however they are interleaved."""
    seen = {}

    async def note(request):
        seen[request.path_params["n"]] = request.headers["traceparent"].split("-")[1]
        return Response()

    server = Server("127.0.0.1:0")
    server.handle("POST /{n}", note)
    async with server, aiohttp.ClientSession() as session:

        async def one(n):
            headers = {"traceparent": f"00-{n:032x}-1234567890123456-00"}
            wanted = [{"url": f"{server.url}/{n}", "arguments": []}]
            async with session.post(service, json=wanted, headers=headers) as response:
                assert response.status == 200

        await asyncio.gather(*(one(n) for n in range(1, 51)))
    assert seen == {str(n): f"{n:032x}" for n in range(1, 51)}
