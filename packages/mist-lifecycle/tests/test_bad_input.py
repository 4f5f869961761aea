"""What cannot be meant is an error before anything runs."""

import asyncio
import math
import signal

import pytest

from mist.lifecycle import LifecycleError, run, run_async


async def _main():
    raise AssertionError("main must not run")


@pytest.mark.parametrize("name", ["drain_timeout", "shutdown_timeout"])
@pytest.mark.parametrize("value", [-1, math.inf, math.nan, None, "15", True])
async def test_timeouts_are_numbers_of_seconds(name, value):
    """Finite and 0 or more; the error names the parameter."""
    with pytest.raises(LifecycleError, match=name):
        await run_async(_main, **{name: value})


@pytest.mark.parametrize("readiness", [object(), [object()], None])
def test_readiness_has_set_ready(readiness):
    """Or the shutdown would find out too late."""
    with pytest.raises(LifecycleError, match="no method set_ready"):
        run(_main, readiness=readiness)


@pytest.mark.parametrize("signals", [signal.SIGTERM, 1, None, "SIGTERM", ["SIGTERM"], [15.0]])
def test_signals_are_numbers(signals):
    """Several of them; one alone, or its name, is told what is expected."""
    with pytest.raises(LifecycleError, match="signals must be True, False or several numbers"):
        run(_main, signals=signals)


def test_on_report_can_be_called():
    """Or the report would be lost at the very end."""
    with pytest.raises(LifecycleError, match="on_report must be a function"):
        run(_main, on_report="report")


def test_main_is_a_function_not_what_it_returns():
    """`run(main())` is the usual slip, and warns of no coroutine that was never awaited."""
    with pytest.raises(LifecycleError, match="pass the function, not what it returns"):
        run(_main())


def test_main_is_a_coroutine_function():
    """A plain function has nothing to await."""
    with pytest.raises(LifecycleError, match="main must be a coroutine function"):
        run(lambda: 5)


def test_whatever_returns_an_awaitable_will_do():
    """A partial, a lambda, a bound method."""
    assert run(lambda: asyncio.sleep(0, "result")) == "result"


def test_every_error_has_a_code():
    """`validation`: trying again does not help."""
    with pytest.raises(LifecycleError) as raised:
        run(None)
    assert raised.value.code == "validation"
