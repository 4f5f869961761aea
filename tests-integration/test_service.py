"""One service with settings, logs, traces, metrics and probes, seen as its operator sees it."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from threading import Thread
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from mist import trace
from mist.protocol import ChatMessage, InferRequest, InferResponse, Message, MessageType

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")

TRACEPARENT = "00-12345678901234567890123456789012-1234567890123456-01"


@pytest.fixture
def start(root, tmp_path):
    """Start the service with variables set; the result tells its url, and what it logs."""
    started = []

    def start(**variables):
        spans = tmp_path / "spans.jsonl"
        process = subprocess.Popen(
            [sys.executable, root / "examples/service.py", "serve", "--listen", "127.0.0.1:0"],
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "SERVICE_SPANS": str(spans),
                "SERVICE_DRAIN_DELAY": "0",
                **variables,
            },
        )
        started.append(process)
        line = process.stderr.readline()
        url = re.fullmatch(r"listening on (http://\S+)\n", line)
        assert url, line + process.stderr.read()
        # Read all the time: a pipe that nobody reads would hold the service up.
        logged = []
        reader = Thread(target=lambda: logged.extend(process.stderr))
        reader.start()
        return SimpleNamespace(
            process=process, url=url[1], spans=spans, logged=logged, reader=reader
        )

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def _end(service):
    """Stop the service in order, and return what it logged, line by line."""
    service.process.send_signal(signal.SIGTERM)
    return _logged(service)


def _logged(service):
    assert service.process.wait(timeout=30) == 0
    service.reader.join()
    return [json.loads(line) for line in service.logged if line.startswith("{")]


def _curl(url, *options):
    """Ask as an operator does; the result is the status and the body."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl on this machine")
    asked = subprocess.run(
        [curl, "--silent", "--max-time", "10", "--write-out", "\n%{http_code}", *options, url],
        capture_output=True,
        text=True,
        check=True,
    )
    body, _, status = asked.stdout.rpartition("\n")
    return int(status), body


def _question(text="what is two"):
    request = InferRequest("auto", messages=[ChatMessage("user", text)])
    return Message.new("matchspec", MessageType.INFER_REQUEST, request)


def _spans(service):
    lines = service.spans.read_bytes().splitlines()
    return [Message.unmarshal(line).decode(dict) for line in lines]


def test_its_probes_tell_how_it_is(start):
    """It lives, it is ready, and says who it is."""
    service = start()
    status, body = _curl(f"{service.url}/healthz")
    assert (status, json.loads(body)["status"]) == (200, "ok")
    status, body = _curl(f"{service.url}/readyz")
    assert (status, json.loads(body)["checks"]) == (200, {"model": "ok"})
    status, _ = _curl(f"{service.url}/readyz", "--head")
    assert status == 200
    status, body = _curl(f"{service.url}/readyz", "--header", "Accept: application/health+json")
    assert (status, json.loads(body)["status"]) == (200, "pass")
    _end(service)


def test_a_request_leaves_its_trace_everywhere(start):
    """The caller's trace is in the log line and in the spans; the metrics count it once."""
    service = start(SERVICE_MODEL__LATENCY="20ms")
    status, body = _curl(
        f"{service.url}/infer",
        "--header",
        f"traceparent: {TRACEPARENT}",
        "--data",
        _question().marshal().decode(),
    )
    assert status == 200
    answer = Message.unmarshal(body.encode())
    assert answer.verify_checksum()
    assert answer.decode(InferResponse).content == "WHAT IS TWO"

    _, body = _curl(f"{service.url}/metricsz")
    metrics = json.loads(body)
    assert metrics["counters"]["infer_answered{model,stand-in}"]["value"] == 1
    histogram = metrics["histograms"]["infer_ms{model,stand-in}"]
    assert histogram["count"] == 1
    assert 20 <= histogram["sum"] < 5000

    lines = _end(service)
    (answered,) = [line for line in lines if line["msg"] == "answered"]
    assert answered["trace_id"] == "12345678901234567890123456789012"
    (request,) = [line for line in lines if line.get("path") == "/infer"]
    assert (request["method"], request["status"]) == ("POST", 200)

    spans = {span["operation"]: span for span in _spans(service)}
    outer, inner = spans["POST /infer"], spans["model.answer"]
    assert outer["parent_id"] == "1234567890123456"
    assert inner["parent_id"] == outer["span_id"] == answered["span_id"]
    assert {span["trace_id"] for span in spans.values()} == {answered["trace_id"]}
    tree = trace.render(spans.values())
    assert tree.index("POST /infer") < tree.index("model.answer")


def test_bad_requests_are_the_callers_fault(start):
    """Each gets the status of its code and a reason, and none gets a stack trace."""
    service = start()
    for data, status, reason in (
        ("{}", 400, "missing version"),
        ("not json", 400, ""),
        (Message.new("a", "b.c", {}).marshal().decode(), 400, ""),
    ):
        got, body = _curl(f"{service.url}/infer", "--data", data)
        problem = json.loads(body)
        assert (got, problem["status"], problem["code"]) == (status, status, "validation")
        assert reason in problem["detail"]
        assert "Traceback" not in body
    assert _curl(f"{service.url}/infer")[0] == 405
    assert _curl(f"{service.url}/nowhere")[0] == 404
    _end(service)
    assert {span["status"] for span in _spans(service)} == {"error"}


def test_its_metrics_please_promtool(start):
    """The text that Prometheus scrapes is without complaint."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("there is no promtool on this machine (Debian: apt-get install prometheus)")
    service = start()
    _curl(f"{service.url}/infer", "--data", _question().marshal().decode())
    _, body = _curl(f"{service.url}/metricsz", "--header", "Accept: text/plain")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=body, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    assert 'infer_answered_total{model="stand-in"} 1.0' in body
    _end(service)


def test_wrong_settings_are_told_all_at_once(root, tmp_path):
    """File and line, variable and flag: each mistake is named with its place."""
    settings = tmp_path / "service.toml"
    settings.write_text('log_level = "loud"\n\n[model]\nlatancy = "20ms"\n')
    ended = subprocess.run(
        [sys.executable, root / "examples/service.py", "serve", "--config", settings],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={**os.environ, "SERVICE_MODEL__DOLLARS_PER_TOKEN": "cheap"},
    )
    assert ended.returncode == 2
    assert f"{settings}:1" in ended.stderr
    assert "SERVICE_MODEL__DOLLARS_PER_TOKEN" in ended.stderr
    assert f"{settings}:4" in ended.stderr
    assert "latency" in ended.stderr


async def test_stopping_under_load_loses_no_request(start):
    """SIGTERM while sixteen clients ask all the time: whatever was sent is answered.

    Readiness fails first, while requests are still taken; then nobody listens any more.
    """
    service = await asyncio.to_thread(
        start, SERVICE_DRAIN_DELAY="500ms", SERVICE_MODEL__LATENCY="5ms"
    )
    where = urlsplit(service.url)
    body = _question().marshal()
    head = f"POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    answered = 0
    statuses = set()

    async def ask_until_refused():
        nonlocal answered
        while True:
            try:
                reader, writer = await asyncio.open_connection(where.hostname, where.port)
            except ConnectionRefusedError:
                return
            with closing(writer):
                goes_on = True
                while goes_on:
                    writer.write(head + body)
                    # Cut off here, a request that was sent is lost, and the test fails.
                    status, goes_on = await _read_answer(reader)
                    statuses.add(status)
                    answered += 1

    clients = [asyncio.create_task(ask_until_refused()) for _ in range(16)]
    # Real time: another process has to be under load.
    await asyncio.sleep(1.0)
    asked_before = answered
    service.process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.2)
    not_ready = await asyncio.to_thread(_curl, f"{service.url}/readyz")
    assert not_ready[0] == 503
    assert json.loads(not_ready[1])["status"] == "not_ready"
    await asyncio.wait_for(asyncio.gather(*clients), 30)
    lines = await asyncio.to_thread(_logged, service)
    assert statuses == {200}
    assert answered > asked_before > 100
    assert sum(line["msg"] == "answered" for line in lines) == answered
    assert sum(line.get("path") == "/infer" for line in lines) == answered
    spans = _spans(service)
    assert sum(span["operation"] == "POST /infer" for span in spans) == answered
    assert {span["status"] for span in spans} == {"ok"}


async def _read_answer(reader):
    """Read one answer; the result is its status, and whether the connection goes on."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = re.search(rb"content-length: (\d+)", head)
    await reader.readexactly(int(length[1]))
    return int(head.split(b" ")[1]), b"connection: close" not in head
