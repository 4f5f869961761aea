"""`mist demo` between four processes: the same results, and an end for all of them."""

import contextlib
import json
import os
import re
import signal
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from mist.command.demo.declaration import NEEDED

if missing := [name for name in NEEDED if find_spec(f"mist.{name}") is None]:
    pytest.skip(f"the extra `demo` is not installed: {missing}", allow_module_level=True)

_PATIENCE = 60

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill and process groups are POSIX's")


@pytest.fixture
def demo(start, tmp_path):
    """Start `mist demo` with its runs in an empty directory; no tool is left afterwards."""
    yield lambda *words: start("demo", "--dir", tmp_path, *words)
    for each in _tools(tmp_path):
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


def _tools(directory):
    """The processes of tools whose run is in that directory, found by their command lines."""
    found = []
    for each in psutil.process_iter(["cmdline", "status"]):
        words = each.info["cmdline"] or []
        if "mist.command.demo" in words and any(str(directory) in word for word in words):
            found.append(each)
    return found


def _wait(until, what):
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if found := until():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


def _completed(directory):
    paths = directory.glob("*/checkpoint.jsonl")
    return sum(path.read_text().count('"status":"completed"') for path in paths)


def _run_id(directory):
    (path,) = directory.glob("*/demo.toml")
    return path.parent.name


def _report(process):
    out, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 0, err
    return json.loads(out)


def test_the_results_are_the_same_on_every_transport(demo):
    """Channels, HTTP, files, pipes: the same scores, calls, tokens and cost for the same seed."""
    transports = ("chan", "http", "file", "stdio")
    settings = ("--tasks", 40, "--latency", 0.01, "--fail-rate", 0.25, "--format", "json")
    running = {name: demo("--transport", name, *settings) for name in transports}
    reports = {name: _report(process) for name, process in running.items()}
    expected = reports["chan"]
    assert expected["total"]["tasks"] == 40
    for told in reports.values():
        assert told["fingerprint"] == expected["fingerprint"]
        assert told["suites"] == expected["suites"]
        for model, figures in told["models"].items():
            for key in ("calls", "errors", "tokens_in", "tokens_out", "cost_usd"):
                assert figures[key] == expected["models"][model][key]


def test_each_process_of_the_http_form_is_a_service(demo, tmp_path):
    """All four answer probes and tell metrics; Ctrl-C drains them, and none is left."""
    process = demo("--transport", "http", "--latency", 0.4)
    urls = {}
    for line in process.stderr:
        if found := re.match(r"(\w+): (http://\S+) \(/healthz, /readyz, /metricsz\)", line):
            urls[found[1]] = found[2]
        if len(urls) == 4:
            break
    assert sorted(urls) == ["infermux", "matchspec", "schemaflux", "tokentrace"]
    _wait(lambda: _completed(tmp_path) >= 1, "a result")
    for tool, url in urls.items():
        for path, told in (("healthz", f'"tool":"{tool}"'), ("readyz", '"status":"ok"')):
            with urllib.request.urlopen(f"{url}/{path}", timeout=10) as answer:
                assert told in answer.read().decode()
    with urllib.request.urlopen(f"{urls['infermux']}/metricsz", timeout=10) as answer:
        counters = json.load(answer)["counters"]
    assert counters["infer_requests{model,sage-1}"]["value"] >= 1

    tools = _tools(tmp_path)
    assert len(tools) == 4
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 130
    assert f"to go on: mist demo --resume {_run_id(tmp_path)}" in err
    assert f"\n{_completed(tmp_path)} tasks in " in out
    assert _tools(tmp_path) == []


@pytest.mark.parametrize("transport", ["http", "stdio"])
def test_when_the_parent_is_killed_nothing_is_left(demo, tmp_path, transport):
    """After kill -9 the tools notice, and end; the run goes on, and comes to the same."""
    settings = ("--tasks", 60, "--seed", 3, "--format", "json")
    process = demo("--transport", transport, "--latency", 0.3, *settings)
    _wait(lambda: _completed(tmp_path) >= 5, "five results")
    run_id = _run_id(tmp_path)
    process.kill()
    process.communicate()
    _wait(lambda: not _tools(tmp_path), "the end of all tools")
    before = _completed(tmp_path)
    assert 5 <= before < 60
    told = _report(demo("--resume", run_id, "--transport", "chan", "--latency", 0.001, *settings))
    assert told["resumed"] == before
    assert _completed(tmp_path) == 60
    assert told["fingerprint"] == _report(demo("--latency", 0.001, *settings))["fingerprint"]


@pytest.mark.parametrize("transport", ["http", "file"])
def test_when_a_tool_is_killed_the_others_end(demo, tmp_path, transport):
    """Kill -9 of infermux ends the run soon, with its name, and leaves nothing running."""
    process = demo("--transport", transport, "--latency", 0.3)
    _wait(lambda: _completed(tmp_path) >= 1, "a result")
    (victim,) = (each for each in _tools(tmp_path) if "infermux" in each.cmdline())
    started = time.monotonic()
    victim.kill()
    _, err = process.communicate(timeout=_PATIENCE)
    assert time.monotonic() - started < 20
    assert process.returncode == 6
    log = next(Path(tmp_path).glob("*/infermux.log"))
    assert err.endswith(
        f"mist: unavailable: infermux ended before the run did (SIGKILL); its log is {log}\n"
    )
    assert _tools(tmp_path) == []
