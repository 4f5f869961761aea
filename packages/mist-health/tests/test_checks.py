"""What counts as a check, and what it finds."""

import asyncio
import functools
import threading
import time
from unittest.mock import AsyncMock

import pytest

from mist.health import Handler, HealthError, Unhealthy


class Service:
    """Something to check, in each of the ways a check can be written."""

    def __init__(self):
        self.threads = []

    def sync(self, *_):
        """Check in the thread that calls."""
        self.threads.append(threading.current_thread())

    async def coroutine(self, *_):
        """Check in the event loop."""
        await asyncio.sleep(0)
        self.threads.append(threading.current_thread())


class CallableObject(Service):
    """A check that is an object."""

    def __call__(self, *_):
        """Check."""
        self.sync()


class AsyncCallableObject(Service):
    """A check that is an object, and async."""

    async def __call__(self, *_):
        """Check."""
        await self.coroutine()


WAYS_IN_THREAD = {
    "function": lambda service: service.sync,
    "partial": lambda service: functools.partial(service.sync, 1),
    "callable object": lambda service: service,
}
WAYS_IN_LOOP = {
    "bound coroutine method": lambda service: service.coroutine,
    "partial of a partial": lambda service: functools.partial(
        functools.partial(service.coroutine, 1), 2
    ),
    "lambda that returns an awaitable": lambda service: lambda: service.coroutine(1),
    "partial of an async callable object": lambda service: functools.partial(service, 1),
    "async callable object": lambda service: service,
}


@pytest.mark.parametrize("way", WAYS_IN_THREAD)
async def test_a_function_runs_in_a_thread_of_its_own(way):
    """It may block: the event loop goes on."""
    service = CallableObject()
    handler = Handler("matchspec", "1.0.0")
    handler.add_check("service", WAYS_IN_THREAD[way](service))
    assert (await handler.check()).status == "ok"
    (thread,) = service.threads
    assert thread.name == "mist.health service"
    assert thread.daemon


@pytest.mark.parametrize("way", WAYS_IN_LOOP)
async def test_a_coroutine_runs_in_the_event_loop(way):
    """It may use the connections that belong to the loop."""
    service = AsyncCallableObject()
    handler = Handler("matchspec", "1.0.0")
    handler.add_check("service", WAYS_IN_LOOP[way](service))
    assert (await handler.check()).status == "ok"
    assert service.threads == [threading.current_thread()]


@pytest.mark.parametrize("way", ["sync", "async", "awaitable"])
async def test_a_check_that_raises_is_a_problem(way):
    """Type and text of the exception are told."""

    def sync():
        raise ConnectionRefusedError("connection refused")

    async def coroutine(_=None):
        sync()

    handler = Handler("matchspec", "1.0.0")
    handler.add_check(
        "cache", {"sync": sync, "async": coroutine, "awaitable": lambda: coroutine(1)}[way]
    )
    report = await handler.check()
    assert not report.ready
    assert report.status == "degraded"
    assert report.checks["cache"].problem == "ConnectionRefusedError: connection refused"


@pytest.mark.parametrize("returned", [None, True, 0, "", [], {"online": False}])
async def test_what_a_check_returns_does_not_count(returned):
    """A check is healthy unless it raises."""
    handler = Handler("matchspec", "1.0.0")
    handler.add_check("sync", lambda: returned)
    handler.add_check("async", AsyncMock(return_value=returned))
    assert (await handler.check()).status == "ok"


async def _unawaited():
    pass


def _generator():
    yield


async def _async_generator():
    yield


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        (lambda: False, "returned False: a check that finds a problem raises"),
        (AsyncMock(return_value=False), "returned False: a check that finds a problem raises"),
        (lambda: ValueError("wrong"), "ValueError: wrong"),
        (_generator, "returned an object of type generator: nobody runs it"),
        (_async_generator, "returned an object of type async_generator: nobody runs it"),
    ],
)
async def test_what_looks_like_a_mistake_is_a_problem(check, problem):
    """A check for other rules, or one that never ran, does not pass for health."""
    handler = Handler("matchspec", "1.0.0")
    handler.add_check("mistaken", check)
    assert (await handler.check()).checks["mistaken"].problem == problem


async def test_a_forgotten_await_is_a_problem():
    """A coroutine that a coroutine returns did not run, so it has found nothing."""

    async def forgetful():
        return _unawaited()

    handler = Handler("matchspec", "1.0.0")
    handler.add_check("forgetful", forgetful)
    problem = (await handler.check()).checks["forgetful"].problem
    assert problem == "returned an object of type coroutine: nobody runs it"


def test_checks_run_at_the_same_time(virtually, loop_time):
    """Ten checks of a second take a second, not ten as in mist-go."""

    async def main():
        handler = Handler("matchspec", "1.0.0", clock=loop_time)
        for number in range(10):
            handler.add_check(f"check {number}", functools.partial(asyncio.sleep, 1.0))
        report = await handler.check()
        assert report.status == "ok"
        assert loop_time() == pytest.approx(1.0)
        assert {each.duration for each in report.checks.values()} == {1.0}

    virtually(main())


def test_each_check_has_its_own_timeout(virtually, loop_time):
    """One that hangs costs its timeout, 2 seconds unless told otherwise, and fails alone."""

    async def main():
        handler = Handler("matchspec", "1.0.0", clock=loop_time)
        handler.add_check("hangs", asyncio.Event().wait)
        handler.add_check("hangs a little", asyncio.Event().wait, timeout=0.25)
        handler.add_check("slow", functools.partial(asyncio.sleep, 1.9))
        report = await handler.check()
        assert loop_time() == pytest.approx(2.0)
        assert {name: each.problem for name, each in report.checks.items()} == {
            "hangs": "timed out after 2s",
            "hangs a little": "timed out after 0.25s",
            "slow": None,
        }
        assert report.checks["hangs"].duration == pytest.approx(2.0)

    virtually(main())


def test_what_an_event_loop_stood_still_is_no_fault_of_its_checks(virtually, loop_time):
    """After a stopped process goes on, say, a check has that time again, once and up to its timeout."""

    async def main():
        handler = Handler("matchspec", "1.0.0", clock=loop_time)
        handler.add_check("slow", functools.partial(asyncio.sleep, 2.9), timeout=3)
        handler.add_check("hangs", asyncio.Event().wait, timeout=3)
        handler.add_check("in time", asyncio.Event().wait, timeout=1)
        asking = asyncio.create_task(handler.check())
        await asyncio.sleep(2)
        asyncio.get_running_loop().now += 10
        report = await asking
        assert {name: each.problem for name, each in report.checks.items()} == {
            "slow": None,
            "hangs": "timed out after 3s",
            "in time": "timed out after 1s",
        }
        assert loop_time() == pytest.approx(15.0)

    virtually(main())


async def test_a_timeout_of_the_check_itself_is_told_as_such():
    """Only the handler's own timeout is told in the handler's words."""

    async def check():
        raise TimeoutError("no answer from 10.0.0.1")

    handler = Handler("matchspec", "1.0.0")
    handler.add_check("database", check)
    problem = (await handler.check()).checks["database"].problem
    assert problem == "TimeoutError: no answer from 10.0.0.1"


async def test_a_check_that_is_not_critical_leaves_the_service_ready():
    """It degrades the service, and the service keeps its traffic."""

    def fails():
        raise Unhealthy("cold")

    handler = Handler("matchspec", "1.0.0")
    handler.add_check("cache", fails, critical=False)
    report = await handler.check()
    assert (report.status, report.ready) == ("degraded", True)
    handler.add_check("database", fails)
    report = await handler.check()
    assert (report.status, report.ready) == ("degraded", False)


async def test_a_check_replaces_an_earlier_one_of_its_name():
    """As in mist-go."""

    def fails():
        raise Unhealthy("cold")

    handler = Handler("matchspec", "1.0.0")
    handler.add_check("cache", fails)
    handler.add_check("cache", lambda: None)
    assert (await handler.check()).status == "ok"


async def test_a_removed_check_is_not_run():
    """Nothing is told of it any more."""
    ran = []
    handler = Handler("matchspec", "1.0.0")
    handler.add_check("cache", lambda: ran.append("cache"))
    handler.add_check("database", lambda: ran.append("database"))
    handler.remove_check("cache")
    assert list((await handler.check()).checks) == ran == ["database"]


async def test_a_check_may_change_the_checks():
    """The report is of those registered when it was asked for."""
    handler = Handler("matchspec", "1.0.0")

    async def changes():
        handler.remove_check("changes")
        handler.add_check("added", lambda: None)

    handler.add_check("changes", changes)
    assert list((await handler.check()).checks) == ["changes"]
    assert list((await handler.check()).checks) == ["added"]


async def test_checks_are_in_the_order_of_their_names():
    """Which is the order of their bytes in UTF-8, as for a map in Go."""
    names = ["b", "a", "é", "B", "z", "日本", "a-b", "🎉", "\uffee"]
    handler = Handler("matchspec", "1.0.0")
    for name in names:
        handler.add_check(name, lambda: None)
    assert list((await handler.check()).checks) == sorted(names, key=str.encode)


@pytest.mark.parametrize(
    ("arguments", "options", "text"),
    [
        (("", print), {}, "a check's name is a text that is not empty, not ''"),
        ((b"db", print), {}, "a check's name is a text that is not empty, not b'db'"),
        (("db", None), {}, "check 'db': None cannot be called; pass the function, not what it ret"),
        (("db", print), {"timeout": 0}, "check 'db': timeout must be more than 0 seconds"),
        (("db", print), {"timeout": -1}, "check 'db': timeout must be a number of seconds, not -1"),
        (("db", print), {"timeout": None}, "check 'db': timeout must be a number of seconds"),
        (("db", print), {"timeout": True}, "check 'db': timeout must be a number of seconds"),
        (("db", print), {"timeout": float("inf")}, "check 'db': timeout must be a number of secon"),
        (("db", print), {"cache": float("nan")}, "check 'db': cache must be a number of seconds"),
    ],
)
def test_a_check_that_cannot_be_is_refused(arguments, options, text):
    """The error names the check and what is wrong with it."""
    handler = Handler("matchspec", "1.0.0")
    with pytest.raises(HealthError) as caught:
        handler.add_check(*arguments, **options)
    assert str(caught.value).startswith(text)
    assert caught.value.code == "validation"


def test_a_cache_time_that_cannot_be_is_refused():
    """Also where it is given for all checks."""
    with pytest.raises(HealthError, match=r"^cache must be a number of seconds, not '5s'$"):
        Handler("matchspec", "1.0.0", cache="5s")


def test_a_check_that_is_not_there_cannot_be_removed():
    """A misspelt name does not go unnoticed."""
    with pytest.raises(HealthError, match=r"^no check is named 'databse'$") as caught:
        Handler("matchspec", "1.0.0").remove_check("databse")
    assert caught.value.code == "not_found"


async def test_a_busy_event_loop_does_not_make_a_function_late():
    """A function that ends in its thread in time is well, however late the loop hears of it."""

    async def hog():
        time.sleep(0.6)  # the fault that is shown

    handler = Handler("tokentrace", "1.0.0")
    handler.add_check("a function", lambda: None, timeout=0.5)
    handler.add_check("hog", hog)
    report = await handler.check()
    assert report.checks["a function"].problem is None
    assert report.checks["a function"].duration < 0.5
