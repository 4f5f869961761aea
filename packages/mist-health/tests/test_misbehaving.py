"""Whatever a check does is that check's problem: never the probe's, never the program's."""

import asyncio
import subprocess
import sys
import threading

import pytest

from mist.health import Handler, Unhealthy


class _UnreadableError(Exception):
    def __str__(self):
        raise RuntimeError("no text for you")


class _RudelyUnreadableError(Exception):
    def __str__(self):
        raise SystemExit(4)


def _nested(depth):
    raised: Exception = ValueError("core")
    for _ in range(depth):
        raised = ExceptionGroup("shell", [raised])
    return raised


RAISED = {
    "an exit": (SystemExit(3), "SystemExit: 3"),
    "an interrupt": (KeyboardInterrupt(), "KeyboardInterrupt"),
    "a cancellation": (asyncio.CancelledError(), "cancelled"),
    "the end of a generator": (GeneratorExit(), "GeneratorExit"),
    "a group": (
        ExceptionGroup("all", [ValueError("one"), ExceptionGroup("", [OSError(), KeyError("k")])]),
        "ValueError: one; OSError; KeyError: 'k'",
    ),
    "a group with an exit": (
        BaseExceptionGroup("all", [SystemExit(1), KeyboardInterrupt()]),
        "SystemExit: 1; KeyboardInterrupt",
    ),
    "a group of a million": (
        ExceptionGroup("all", [ValueError("x")] * 1_000_000),
        "; ".join(["ValueError: x"] * 32)[:255] + "…",
    ),
    "a group of ten thousand levels": (_nested(10_000), "ValueError: core"),
    "an exception without text": (ValueError(), "ValueError"),
    "an exception whose text raises": (
        _UnreadableError(),
        "_UnreadableError (its text cannot be read)",
    ),
    "an exception whose text exits": (
        _RudelyUnreadableError(),
        "_RudelyUnreadableError (its text cannot be read)",
    ),
    "an exception of its own words": (Unhealthy("replica lags 90 s"), "replica lags 90 s"),
    "an exception of no words": (Unhealthy(), "Unhealthy"),
    "an exception of blanks": (Unhealthy(" \n"), "Unhealthy"),
    "several lines": (ValueError("a\n b\r\n\n\tc "), "ValueError: a b c"),
    "a text that commands terminals": (
        ValueError("\x1b[2Jx\u202e"),
        "ValueError: \ufffd[2Jx\ufffd",
    ),
    "a text without end": (ValueError("x" * 10_000_000), f"ValueError: {'x' * 243}…"),
}


@pytest.mark.parametrize("way", ["thread", "loop"])
@pytest.mark.parametrize("what", RAISED)
async def test_whatever_a_check_raises_is_its_problem(what, way):
    """The probe answers, the program goes on, and other checks are not affected."""
    raised, problem = RAISED[what]

    def sync():
        raise raised

    async def coroutine():
        raise raised

    handler = Handler("tokentrace", "1.0.0")
    handler.add_check("bad", sync if way == "thread" else coroutine)
    handler.add_check("good", asyncio.Event().set)
    report = await handler.check()
    if what == "a cancellation" and way == "thread":
        problem = "CancelledError"
    assert report.checks["bad"].problem == problem
    assert report.checks["good"].problem is None


async def test_a_check_that_is_cancelled_from_outside_has_a_problem():
    """Not the probe that waits for it; and nothing was found out that could be cached."""
    calls = []

    async def cancels_itself():
        calls.append(1)
        asyncio.current_task().cancel()
        await asyncio.sleep(10)

    handler = Handler("tokentrace", "1.0.0")
    handler.add_check("cancelled", cancels_itself, cache=60)
    for _ in range(2):
        assert (await handler.check()).checks["cancelled"].problem == "cancelled"
    assert calls == [1, 1]


async def test_an_awaitable_of_another_loop_is_a_problem():
    """It cannot be awaited here, and asyncio's own words say so."""
    other = asyncio.new_event_loop()
    handler = Handler("tokentrace", "1.0.0")
    handler.add_check("foreign", other.create_future)
    problem = (await handler.check()).checks["foreign"].problem
    other.close()
    assert problem.startswith("RuntimeError: Task ")


async def test_a_thread_that_cannot_be_started_is_a_problem(monkeypatch):
    """A process at its limit of threads still answers its probes."""

    def start(_):
        raise RuntimeError("can't start new thread")

    handler = Handler("tokentrace", "1.0.0")
    handler.add_check("disk", lambda: None)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        problem = (await handler.check()).checks["disk"].problem
    assert problem == "RuntimeError: can't start new thread"
    assert (await handler.check()).status == "ok"


async def test_an_awaitable_that_comes_too_late_is_dropped():
    """Nobody waits for it any more, and Python does not complain of it."""
    let_go = threading.Event()
    ran = []

    async def work():
        ran.append(1)

    def slow():
        let_go.wait(10)
        return work()

    handler = Handler("tokentrace", "1.0.0")
    handler.add_check("late", slow, timeout=0.02)
    assert (await handler.check()).checks["late"].problem == "timed out after 0.02s"
    let_go.set()
    while any(each.name == "mist.health late" for each in threading.enumerate()):
        await asyncio.sleep(0.001)
    assert ran == []


def test_a_hanging_check_delays_neither_the_exit_nor_other_threads():
    """Its thread is a daemon, and asyncio's own pool stays free."""
    script = """
import asyncio, threading
from mist.health import Handler

handler = Handler("tokentrace", "1.0.0")
for number in range(50):
    handler.add_check(f"hangs {number}", threading.Event().wait, timeout=0.1)

async def main():
    print((await handler.check()).status, await asyncio.to_thread(lambda: "free"))

asyncio.run(main())
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True
    )
    assert (ran.stdout, ran.stderr) == ("degraded free\n", "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cannot reach postgres://app:s3cret@db:5432/x", "cannot reach postgres://***@db:5432/x"),
        ("amqp://guest:p@ss@mq/ and redis://:pw@r", "amqp://***@mq/ and redis://***@r"),
        ("http://db/path?to=a@b", "http://db/path?to=a@b"),
        ("mail ops@example.org", "mail ops@example.org"),
    ],
)
async def test_credentials_in_urls_are_masked(text, told):
    """The commonest secret in an exception's text is a connection string."""

    def fails():
        raise OSError(text)

    handler = Handler("tokentrace", "1.0.0")
    handler.add_check("database", fails)
    result = (await handler.check()).checks["database"]
    assert (result.problem, result.public_problem) == (f"OSError: {told}", "failed")


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (ExceptionGroup("", [Unhealthy("cold"), Unhealthy("old")]), "cold; old"),
        (ExceptionGroup("", [Unhealthy("cold"), OSError("10.0.0.7")]), "failed"),
    ],
)
async def test_a_group_is_fit_for_strangers_if_all_of_it_is(raised, told):
    """One exception that may tell secrets hides the rest."""

    async def check():
        raise raised

    handler = Handler("tokentrace", "1.0.0")
    handler.add_check("check", check)
    assert (await handler.check()).checks["check"].public_problem == told
