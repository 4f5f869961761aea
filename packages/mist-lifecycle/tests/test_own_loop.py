"""The loop of `run` ends in time, whatever is left in it."""

import asyncio
import sys
import threading
import time

import pytest

from mist.lifecycle import LifecycleError, ShutdownTimeout, on_shutdown, run, shutting_down


def test_tasks_that_are_left_are_cancelled_after_the_hooks():
    """What hooks may need is there as long as they run."""
    log = []

    async def background():
        try:
            await asyncio.sleep(60)
        finally:
            log.append("background")

    async def main():
        main.task = asyncio.create_task(background())
        await asyncio.sleep(0)
        on_shutdown(lambda: log.append("hook"))

    run(main)
    assert log == ["hook", "background"]


def test_a_task_that_fails_when_cancelled_is_told_to_the_loop():
    """As asyncio.run does."""
    told = []

    async def background():
        try:
            await asyncio.sleep(60)
        finally:
            raise OSError("in finally")

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
        main.task = asyncio.create_task(background())
        await asyncio.sleep(0)

    run(main)
    assert [str(each) for each in told] == ["in finally"]


def test_a_task_that_cannot_be_cancelled_does_not_keep_the_program(program):
    """Where asyncio.run would hang for good, it is named, and the process ends."""
    running = program("""
        async def stubborn():
            while True:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    print("ignored")

        async def main():
            main.task = asyncio.create_task(stubborn(), name="stubborn")
            await asyncio.sleep(0)

        try:
            run(main, drain_timeout=0.2, shutdown_timeout=0.2)
        except ShutdownTimeout as exc:
            print(exc.stragglers[0].name, exc.stragglers[0].stack[0].rpartition(" ")[2])
    """)
    code, out, _ = running.end()
    assert (code, out) == (0, ["ignored", "stubborn stubborn"])


def test_a_stuck_thread_is_named_with_its_stack():
    """The run ends in time where asyncio.run waits for the thread, up to for ever."""
    reports, release = [], threading.Event()

    def stuck():
        release.wait(30)

    async def main():
        main.future = asyncio.get_running_loop().run_in_executor(None, stuck)

    began = time.monotonic()
    with pytest.raises(ShutdownTimeout):
        run(main, shutdown_timeout=0.2, on_report=reports.append)
    release.set()
    assert time.monotonic() - began < 5
    (straggler,) = reports[0].stragglers
    assert (straggler.name, straggler.phase) == ("thread asyncio_0", "threads")
    assert any(line.endswith("stuck") for line in straggler.stack)


def test_threads_that_end_in_time_are_waited_for():
    """What to_thread runs is finished, as with asyncio.run."""
    done = []

    async def main():
        main.future = asyncio.get_running_loop().run_in_executor(None, work)

    def work():
        time.sleep(0.1)
        done.append(True)

    run(main)
    assert done == [True]


def test_async_generators_are_closed():
    """Their `finally` blocks run in the loop."""
    log = []

    async def numbers():
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            log.append("closed")

    async def main():
        main.numbers = numbers()
        await anext(main.numbers)

    run(main)
    assert log == ["closed"]


def test_sys_exit_in_a_task_nobody_owns_ends_the_run_in_order(program):
    """It tears down the loop; the hooks run, and the status counts."""
    running = program("""
        async def leave():
            sys.exit(7)

        async def main():
            on_shutdown(lambda: print("hook"))
            main.task = asyncio.create_task(leave())
            await asyncio.sleep(60)

        run(main, on_report=lambda report: print(report.reason))
    """)
    code, out, _ = running.end()
    assert (code, out) == (7, ["hook", "SystemExit"])


def test_output_is_flushed_even_if_a_thread_keeps_the_interpreter(program):
    """What was printed is there by the time run returns."""
    running = program(
        """
        async def main():
            threading.Thread(target=time.sleep, args=(60,)).start()
            sys.stdout = open(1, "w", buffering=65536, closefd=False)
            print("printed")

        run(main)
        """,
        module=True,  # of a file, Python flushes after its last line anyway
    )
    assert running.line() == "printed"


async def test_inside_a_running_loop_run_is_an_error_that_names_run_async():
    """And main is not called, nor a coroutine left behind."""
    called = []

    async def main():
        called.append(True)

    with pytest.raises(LifecycleError, match=r"use `await run_async\(main\)` there"):
        run(main)
    assert called == []


def test_under_uvloop(program):
    """Signals, the second one, drain and hooks work with a loop that is not asyncio's."""
    pytest.importorskip("uvloop", reason="uvloop is not installed")
    running = program("""
        import uvloop

        async def main():
            on_shutdown(lambda: print("hook"))
            @on_shutdown
            async def stuck():
                print("stuck")
                await asyncio.sleep(60)
            drain_group().spawn(asyncio.sleep(0.1))
            print(type(asyncio.get_running_loop()).__module__)
            await asyncio.sleep(60)

        print(run(main, loop_factory=uvloop.new_event_loop, shutdown_timeout=0.4,
                  on_report=lambda report: print(report.reason)))
    """)
    assert running.line() == "uvloop"
    running.send(15)
    code, out, err = running.end()
    assert (code, out) == (1, ["stuck", "hook", "SIGTERM"])
    assert "ShutdownTimeout: not over in time: stuck (hooks)" in err


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_under_uvloop_the_second_signal_ends_it_at_once(program):
    """There signals are handled in another way, and handed on."""
    pytest.importorskip("uvloop", reason="uvloop is not installed")
    running = program("""
        import uvloop

        async def main():
            stop = shutting_down()
            print("ready")
            await stop.wait()
            print("told")
            await asyncio.sleep(60)

        run(main, loop_factory=uvloop.new_event_loop)
    """)
    assert running.line() == "ready"
    running.send(15)
    assert running.line() == "told"
    running.send(2)
    code, _, err = running.end()
    assert code == 130
    assert "still going on: main (drain)" in err


def test_inside_asyncio_runner(program):
    """run_async under asyncio.run: the first Ctrl-C is the run's, and asyncio's afterwards."""
    running = program("""
        async def main():
            print("ready")
            await asyncio.sleep(60)

        async def application():
            print(await run_async(main))
            print("after")
            await asyncio.sleep(60)

        try:
            asyncio.run(application())
        except KeyboardInterrupt:
            print("interrupted")
    """)
    assert running.line() == "ready"
    running.send(2)
    assert [running.line(), running.line()] == ["None", "after"]
    running.send(2)
    assert running.end() == (0, ["interrupted"], "")


def test_an_eager_task_factory_changes_nothing():
    """Main may run before the run has a task for it."""
    factory = getattr(asyncio, "eager_task_factory", None)
    if factory is None:
        pytest.skip("this Python has no eager tasks")
    ran = []

    def loop():
        loop = asyncio.new_event_loop()
        loop.set_task_factory(factory)
        return loop

    async def main():
        shutting_down()
        on_shutdown(lambda: ran.append("hook"))
        return 1

    assert run(main, loop_factory=loop) == 1
    assert ran == ["hook"]
