"""Results that are not asked for again for a while."""

import pytest

from mist.health import Handler, Unhealthy


class Counted:
    """A check that counts its calls and fails on demand."""

    def __init__(self):
        self.calls = 0
        self.fails = False

    async def __call__(self):
        """Check."""
        self.calls += 1
        if self.fails:
            raise Unhealthy("down")


async def test_a_result_is_kept_for_its_time(clock):
    """And not a moment longer; its age is told."""
    check = Counted()
    handler = Handler("schemaflux", "1.0.0", clock=clock)
    handler.add_check("database", check, cache=10)
    assert (await handler.check()).checks["database"].age == 0
    clock.now += 9.5
    check.fails = True
    result = (await handler.check()).checks["database"]
    assert (result.problem, result.age, check.calls) == (None, 9.5, 1)
    clock.now += 0.5
    result = (await handler.check()).checks["database"]
    assert (result.problem, result.age, check.calls) == ("down", 0, 2)


async def test_a_problem_is_kept_as_long(clock):
    """A dependency that is down is not asked more often than one that is up."""
    check = Counted()
    check.fails = True
    handler = Handler("schemaflux", "1.0.0", clock=clock)
    handler.add_check("database", check, cache=10)
    await handler.check()
    check.fails = False
    clock.now += 9
    report = await handler.check()
    assert (report.status, check.calls) == ("degraded", 1)


@pytest.mark.parametrize(("own", "calls"), [(None, 1), (0, 2), (3, 2), (10, 1)])
async def test_a_check_may_differ_from_the_handler(clock, own, calls):
    """The handler's time is for checks without one."""
    check = Counted()
    handler = Handler("schemaflux", "1.0.0", cache=10, clock=clock)
    handler.add_check("database", check, cache=own)
    await handler.check()
    clock.now += 5
    await handler.check()
    assert check.calls == calls


async def test_without_a_cache_every_probe_asks(clock):
    """Not even the same moment shares a result that is there already."""
    check = Counted()
    handler = Handler("schemaflux", "1.0.0", clock=clock)
    handler.add_check("database", check)
    for _ in range(3):
        await handler.check()
    assert check.calls == 3


async def test_the_oldest_age_is_in_the_headers(clock, ask):
    """In whole seconds, from the first on."""
    handler = Handler("schemaflux", "1.0.0", clock=clock)
    handler.add_check("old", Counted(), cache=60)
    handler.add_check("new", Counted())
    assert "age" not in (await ask(handler.readiness())).headers
    clock.now += 7.9
    assert (await ask(handler.readiness())).headers["age"] == "7"
    assert "age" not in (await ask(handler.liveness())).headers


async def test_a_check_that_is_replaced_forgets_its_result(clock):
    """The result of another function says nothing of this one."""
    first, second = Counted(), Counted()
    handler = Handler("schemaflux", "1.0.0", cache=60, clock=clock)
    handler.add_check("database", first)
    await handler.check()
    handler.add_check("database", second)
    await handler.check()
    assert (first.calls, second.calls) == (1, 1)
