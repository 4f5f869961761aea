"""`mist demo --serve`: the page that shows a run live."""

import base64
import contextlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from mist.command.demo.declaration import NEEDED

if missing := [name for name in NEEDED if find_spec(f"mist.{name}") is None]:
    pytest.skip(f"the extra `demo` is not installed: {missing}", allow_module_level=True)

from mist.command.demo.live import Live
from mist.command.demo.mail import BREAKER, BreakerChange
from mist.protocol import EvalResult, EvalRun, Message, MessageType, TraceSpan

# Real time: a real run in a real process, looked at by a real browser.

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver, section 12.1
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


class Browser:
    """One window."""

    def __init__(self, driver_url, profile, *, width=1150, height=1600):
        self._session = ""
        self._driver_url = driver_url
        flags = [*_FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"]
        wanted = {"goog:chromeOptions": {"args": flags}, "goog:loggingPrefs": {"browser": "ALL"}}
        made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{made['sessionId']}"

    def open(self, url):
        """Load a page."""
        self._ask("POST", "/url", {"url": url})

    def evaluate(self, script):
        """Run JavaScript in the page, and return what it returns."""
        return self._ask("POST", "/execute/sync", {"script": script, "args": []})

    def text(self, selector):
        """Return the text of an element as a reader sees it."""
        element = self._ask("POST", "/element", {"using": "css selector", "value": selector})
        return self._ask("GET", f"/element/{element[_ELEMENT]}/text")

    def complaints(self):
        """Return what the console holds: script errors, refused loads."""
        return [entry["message"] for entry in self._ask("POST", "/se/log", {"type": "browser"})]

    def screenshot(self, path):
        """Save what is seen as a PNG."""
        path.write_bytes(base64.b64decode(self._ask("GET", "/screenshot")))

    def quit(self):
        """Close the window."""
        self._ask("DELETE", "")

    def _ask(self, method, path, body=None):
        request = urllib.request.Request(
            self._driver_url + self._session + path,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]


@contextlib.contextmanager
def driven_browser(profile):
    """Start chromedriver and a window of Chromium; the test is skipped where there is none."""
    driver = shutil.which("chromedriver")
    if driver is None:
        pytest.skip("chromedriver is not installed (Debian: chromium-driver)")
    process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, text=True)
    try:
        for line in process.stdout:
            if started := re.search(r"started successfully on port (\d+)", line):
                break
        browser = Browser(f"http://127.0.0.1:{started[1]}", profile)
        try:
            yield browser
        finally:
            browser.quit()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def served(tmp_path, *flags):
    """Start a run with its page; the result is the process and the page's URL."""
    command = [sys.executable, "-m", "mist.command", "demo", "--serve", f"--dir={tmp_path}", *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if found := re.search(r"watch it at (http://127\.0\.0\.1:\d+/)", line):
                break
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


def wait_for(condition, seconds=30.0):
    """Return as soon as something is so; fail after a while."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def snapshots(url):
    """Read the stream of snapshots."""
    with urllib.request.urlopen(f"{url}events", timeout=30) as stream:
        for line in stream:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])


def test_a_browser_shows_the_run_while_it_lasts_and_when_it_is_over(tmp_path):
    """All of it is drawn, by nothing but what the demo itself serves."""
    flags = ("--tasks=300", "--latency=0.02", "--fail-rate=0.3")
    with driven_browser(tmp_path / "profile") as browser, served(tmp_path / "runs", *flags) as run:
        process, url = run
        browser.open(url)
        wait_for(lambda: browser.text("#status").startswith("running"))
        wait_for(lambda: browser.text("#status").startswith("done"))
        browser.screenshot(tmp_path / "page.png")
        assert "300 / 300" in browser.text("#tiles")
        for drawn in (
            "#throughput path",
            "#latency rect.m0[height]",
            "#latency rect.m1[height]",
            "#breakers rect.closed",
            "#alerts li.warning",
            "#waterfall .span rect",
            "#suites tr.total",
        ):
            assert browser.evaluate(f"return document.querySelectorAll({drawn!r}).length"), drawn
        loaded = browser.evaluate(
            "return performance.getEntriesByType('resource').map(e => e.name)"
        )
        assert loaded
        assert all(name.startswith(url) for name in loaded)
        assert browser.complaints() == []
        # The page stays for who comes late, until somebody ends it; the report does not wait.
        assert next(snapshots(url))["over"]
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
        assert process.returncode == 0
        assert re.search(r"total +300 ", output)


def test_a_page_that_is_open_does_not_delay_ctrl_c(tmp_path):
    """The stream ends with the run, and the run is stopped as without it."""
    with served(tmp_path, "--tasks=100000") as (process, url):
        events = snapshots(url)
        next(events)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        _, errors = process.communicate(timeout=30)
        assert time.monotonic() - start < 15
        assert process.returncode == 130
        assert "to go on: mist demo --resume" in errors
        assert all(event["tasks"] == 100_000 for event in events)


def test_an_address_in_use_is_told(tmp_path):
    """The error names the address, with the exit status of a conflict, before anything is run."""
    with served(tmp_path / "first", "--tasks=100000") as (_, url):
        address = url.removeprefix("http://").rstrip("/")
        command = [sys.executable, "-m", "mist.command", "demo", "--serve", f"--listen={address}"]
        second = subprocess.run(
            [*command, f"--dir={tmp_path / 'second'}"],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert second.returncode == 10
    assert second.stderr.splitlines()[-1].startswith(f"mist: conflict: cannot listen at {address}")
    assert "compiled" not in second.stderr


@pytest.fixture
def live():
    """A page's state, with a clock that a test sets as `live.now`."""
    settings = SimpleNamespace(
        tasks=10, transport="chan", seed=7, workers=2, fail_rate=0.0, latency=0.0
    )
    clock = SimpleNamespace(now=100.0)
    state = Live(SimpleNamespace(id="r1", settings=settings), lambda: clock.now)
    state.clock = clock
    return state


def result(task, **fields):
    """Make the message of a result."""
    return Message.new("matchspec", MessageType.EVAL_RESULT, EvalResult("s", task, **fields))


def span(trace_id, span_id, parent_id="", *, start=0, end=1_000_000, **fields):
    """Make the message of a span; the times are in nanoseconds."""
    payload = TraceSpan(
        trace_id, span_id, parent_id, fields.pop("operation", "o"), start, end, "ok"
    )
    return Message.new("x", MessageType.TRACE_SPAN, payload)


def test_throughput_keeps_its_size_however_long_a_run_lasts(live):
    """Its bins become wider, and no result is lost."""
    for number in range(1000):
        live.clock.now += 1.7
        live(result(f"t{number}"))
    throughput = live.snapshot()["throughput"]
    assert len(throughput["bins"]) <= 120
    assert sum(throughput["bins"]) == 1000
    assert throughput["seconds"] * 120 > 1700 > throughput["seconds"] * 60


def test_throughput_is_of_this_process_alone(live):
    """What a resumed run has from earlier is shown at once, and is no feat of this one."""
    tags = {"tasks": "3", "done": "2"}
    live(Message.new("matchspec", MessageType.EVAL_RUN, EvalRun("s", tags=tags)))
    for number in range(3):
        live(result(f"t{number}"))
    assert sum(live.snapshot()["throughput"]["bins"]) == 1


def test_results_are_counted_by_suite(live):
    """Tasks, passes, errors, and the sums of which the means are made."""
    live(
        Message.new(
            "matchspec", MessageType.EVAL_RUN, EvalRun("s", tags={"tasks": "3", "done": "1"})
        )
    )
    live(result("t1", passed=True, score=1.0, baseline=0.5))
    live(result("t2", error="no answer"))
    seen = live.snapshot()
    assert (seen["tasks"], seen["resumed"]) == (3, 1)
    assert seen["suites"] == {
        "s": {"tasks": 2, "passed": 1, "errors": 1, "score": 1.0, "baseline": 0.5}
    }


def test_a_breakers_changes_have_their_times_and_a_bound(live):
    """The last of them are kept, and how often it opened is counted beyond that."""
    for _ in range(300):
        live.clock.now += 1.0
        for old, new in (("closed", "open"), ("open", "closed")):
            live(Message.new("matchspec", BREAKER, BreakerChange("m", old, new)))
    model = live.snapshot()["models"]["m"]
    assert (model["state"], model["opened"], len(model["changes"])) == ("closed", 300, 400)
    assert model["changes"][-1] == (300.0, "closed")


def test_the_slowest_task_is_a_tree_also_when_its_spans_come_late(live):
    """A child is known by the end of its parent's id, which is all that crosses processes."""
    task = "matchspec.evaluate"
    live(span("compiling", "2" * 32, end=10**9, operation="schemaflux.compile"))
    live(span("fast", "1" * 32, end=5_000_000, operation=task))
    root, middle = "a" * 32, "b" * 16 + "c" * 16
    live(span("slow", root, end=9_000_000, operation=task))
    live(span("slow", "d" * 32, "c" * 16, start=2_000_000, end=3_000_000, operation="leaf"))
    assert [row["depth"] for row in live.snapshot()["slowest"]] == [0, 0]  # its parent is not there
    live(span("slow", middle, root, start=1_000_000, end=4_000_000, operation="middle"))
    rows = [(row["operation"], row["depth"], row["ms"]) for row in live.snapshot()["slowest"]]
    assert rows == [(task, 0, 9.0), ("middle", 1, 3.0), ("leaf", 2, 1.0)]


def test_spans_of_many_traces_take_a_bounded_room_and_the_slowest_stays(live):
    """However many tasks there are."""
    live(span("slowest", "e" * 32, end=10**12, operation="matchspec.evaluate"))
    for number in range(2000):
        live(span(f"trace{number}", f"{number:032x}"))
    assert len(live._traces) <= 256
    assert live.snapshot()["slowest"][0]["ms"] == 10**6
