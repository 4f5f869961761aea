"""What comes out of a run."""

import asyncio
import contextvars
import logging
import threading

import pytest

from mist.lifecycle import (
    LifecycleError,
    ShutdownTimeout,
    drain_group,
    on_shutdown,
    request_shutdown,
    run,
    run_async,
    shutting_down,
)


def test_returns_what_main_returns():
    """The result of main is the result of run, and hooks have run by then."""
    ran = []

    async def main():
        on_shutdown(lambda: ran.append("hook"))
        return 42

    assert run(main) == 42
    assert ran == ["hook"]


def test_raises_what_main_raises_after_the_hooks():
    """An error of main ends the run in order, and comes out itself."""
    ran, error = [], KeyError("lost")

    async def main():
        on_shutdown(lambda: ran.append("hook"))
        raise error

    with pytest.raises(KeyError) as raised:
        run(main)
    assert raised.value is error
    assert ran == ["hook"]


def test_the_first_error_is_raised_and_the_others_are_told_in_its_notes():
    """Errors of main, then of hooks; the report has all of them whole."""
    reports = []

    async def main():
        @on_shutdown
        def broken():
            raise OSError("disk")

        @on_shutdown
        async def broken_too():
            raise ValueError("socket")

        raise KeyError("main")

    with pytest.raises(KeyError) as raised:
        run(main, on_report=reports.append)
    first, second = raised.value.__notes__
    assert first.startswith("also, in hook broken_too:\nTraceback")
    assert "ValueError: socket" in first
    assert "OSError: disk" in second
    assert [type(each) for each in reports[0].errors] == [KeyError, ValueError, OSError]
    assert reports[0].reason == "main failed"


def test_an_exception_group_of_main_comes_out_as_it_is():
    """`except*` around run works, and notes go to the group."""

    async def main():
        on_shutdown(lambda: 1 / 0)
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(OSError("a")))
            group.create_task(fail(ValueError("b")))

    async def fail(error):
        raise error

    with pytest.raises(ExceptionGroup) as raised:
        run(main)
    assert [str(each) for each in raised.value.exceptions] == ["a", "b"]
    assert "ZeroDivisionError" in raised.value.__notes__[0]


def test_a_group_of_nothing_but_cancellations_is_the_cancellation():
    """A main that collects the cancellations of its children has ended as it was told to."""

    async def main():
        request_shutdown()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as exc:
            raise BaseExceptionGroup("children", [exc, BaseExceptionGroup("more", [exc])]) from None

    assert run(main) is None


def test_a_main_that_is_cancelled_by_others_is_not_taken_for_ended():
    """A cancellation the shutdown did not ask for is main's own, and raised."""

    async def main():
        asyncio.current_task().cancel()
        await asyncio.sleep(60)

    with pytest.raises(asyncio.CancelledError):
        run(main)


def test_sys_exit_in_main_runs_the_hooks_and_keeps_its_status():
    """SystemExit is an end like others."""
    ran = []

    async def main():
        on_shutdown(lambda: ran.append("hook"))
        raise SystemExit(7)

    with pytest.raises(SystemExit) as raised:
        run(main)
    assert (raised.value.code, ran) == (7, ["hook"])


async def test_sys_exit_in_main_does_not_tear_down_a_loop_that_is_not_ours():
    """In run_async it reaches whoever awaits."""

    async def main():
        raise SystemExit(7)

    with pytest.raises(SystemExit) as raised:
        await run_async(main)
    # A task that raised SystemExit would have ended the loop before.
    assert raised.value.code == 7


def test_errors_under_sys_exit_are_logged(caplog):
    """Nobody prints the notes of SystemExit, so what else went wrong is logged."""

    async def main():
        on_shutdown(lambda: 1 / 0)
        raise SystemExit(1)

    with pytest.raises(SystemExit):
        run(main)
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.exc_info[0] is ZeroDivisionError


def test_request_shutdown_ends_a_main_that_waits():
    """Without a signal, from main's tasks and from threads with its context."""

    async def main():
        asyncio.get_running_loop().call_later(0, request_shutdown)
        await asyncio.sleep(60)

    assert run(main) is None

    async def main_with_thread():
        await asyncio.to_thread(request_shutdown)
        await asyncio.sleep(60)

    assert run(main_with_thread) is None


def test_hooks_see_the_context_in_which_they_were_registered():
    """Context variables reach hooks of both kinds."""
    request = contextvars.ContextVar("request", default="none")
    seen = []

    async def main():
        request.set("a")
        on_shutdown(lambda: seen.append(request.get()))
        request.set("b")

        @on_shutdown
        async def hook():
            seen.append(request.get())

        request.set("c")

    run(main)
    assert seen == ["b", "a"]
    assert request.get() == "none"


def test_tasks_of_main_can_register():
    """on_shutdown works in what main spawns."""
    ran = []

    async def worker():
        on_shutdown(lambda: ran.append("worker"))

    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(worker())

    run(main)
    assert ran == ["worker"]


@pytest.mark.parametrize("call", [drain_group, shutting_down, request_shutdown])
def test_outside_of_a_run_there_is_a_clear_error(call):
    """It names the function and says where to call it."""
    with pytest.raises(LifecycleError, match=rf"{call.__name__}\(\) was called outside of a run"):
        call()
    with pytest.raises(LifecycleError, match="outside of a run"):
        on_shutdown(print)


def test_after_its_run_nothing_can_be_registered():
    """A context that outlives its run does not feed a later one."""
    ran = []

    async def main():
        return contextvars.copy_context(), drain_group()

    context, group = run(main)
    with pytest.raises(LifecycleError, match="after its run was over"):
        context.run(on_shutdown, lambda: ran.append("late"))
    with pytest.raises(LifecycleError, match="the run is over"):
        group.add()

    async def other():
        pass

    run(other)
    assert ran == []


async def test_a_coroutine_spawned_after_the_run_is_closed():
    """There is an error, and no warning of a coroutine that nobody awaits."""

    async def main():
        return drain_group()

    group = await run_async(main)
    with pytest.raises(LifecycleError):
        group.spawn(asyncio.sleep(0))


def test_a_run_inside_a_run_has_hooks_of_its_own():
    """Scopes nest: the inner hooks run when the inner run ends."""
    ran = []

    async def inner():
        on_shutdown(lambda: ran.append("inner"))

    async def outer():
        on_shutdown(lambda: ran.append("outer"))
        await run_async(inner)
        ran.append("after inner")

    run(outer)
    assert ran == ["inner", "after inner", "outer"]


def test_in_another_thread_a_run_does_without_signals():
    """Embedded use needs no main thread."""
    results = []

    async def main():
        return threading.current_thread().name

    thread = threading.Thread(target=lambda: results.append(run(main)), name="elsewhere")
    thread.start()
    thread.join()
    assert results == ["elsewhere"]


def test_the_report_names_phases_and_hooks():
    """It is read by attribute, and by people."""
    reports = []

    async def main():
        on_shutdown(print_nothing)
        on_shutdown(print_nothing, last=True)

    def print_nothing():
        pass

    run(main, on_report=reports.append)
    (report,) = reports
    assert [each.name for each in report.phases] == [
        "readiness",
        "drain",
        "hooks",
        "flush",
        "tasks",
        "threads",
    ]
    assert [each.name for each in report.hooks] == ["print_nothing"] * 2
    assert (report.reason, report.stragglers, report.errors) == ("main returned", (), ())
    assert sum(each.seconds for each in report.phases) <= report.seconds
    assert str(report).startswith("shutdown (main returned): 0.")
    assert repr(report).endswith("stragglers: none>")


def test_a_callback_for_the_report_that_raises_is_logged(caplog):
    """It does not change what comes out of the run."""

    async def main():
        return 1

    assert run(main, on_report=lambda _: 1 / 0) == 1
    assert "on_report failed" in caplog.text


def test_what_stalls_is_an_error_with_a_code_and_a_stack(virtually):
    """What stalled is named, with the innermost line where it stood."""

    async def deep():
        await asyncio.sleep(1000)

    async def main():
        shutting_down()
        request_shutdown()
        await deep()

    with pytest.raises(ShutdownTimeout) as raised:
        virtually(run_async(main, signals=False))
    assert raised.value.code == "timeout"
    (straggler,) = raised.value.stragglers
    assert (straggler.name, straggler.phase) == ("main", "drain")
    assert [line.rpartition(" in ")[2].rpartition(".")[2] for line in straggler.stack] == [
        "main",
        "deep",
        "sleep",
    ]
    assert str(raised.value).startswith("not over in time: main (drain)\n")
