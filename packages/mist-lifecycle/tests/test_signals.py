"""Real signals to real processes: the first ends them in order, the second at once."""

import os
import signal
import sys
import threading

import pytest

from mist.lifecycle import LifecycleError, run, run_async

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")

BOTH = pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])


@BOTH
def test_the_first_signal_ends_a_program_in_order(program, signum):
    """Work finishes, main unwinds, hooks run, and the exit status is 0."""
    running = program("""
        async def job(group):
            async with group.track("job"):
                print("ready")
                await asyncio.sleep(0.3)
                print("job done")

        async def main():
            on_shutdown(lambda: print("hook"))
            task = asyncio.create_task(job(drain_group()))
            try:
                await asyncio.sleep(60)
            finally:
                print("main unwound")

        print(run(main, on_report=lambda report: print(report.reason)))
    """)
    assert running.line() == "ready"
    running.send(signum)
    assert running.end() == (
        0,
        ["job done", "main unwound", "hook", signum.name, "None"],
        "",
    )


@BOTH
def test_a_main_that_listens_returns_its_result(program, signum):
    """`shutting_down()` is set by the signal; nothing is cancelled."""
    running = program("""
        async def main():
            stop = shutting_down()
            print("ready")
            await stop.wait()
            return "in order"

        print(run(main))
    """)
    assert running.line() == "ready"
    running.send(signum)
    assert running.end() == (0, ["in order"], "")


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        (signal.SIGINT, signal.SIGINT, 130),
        (signal.SIGTERM, signal.SIGTERM, 143),
        (signal.SIGTERM, signal.SIGINT, 130),
        (signal.SIGINT, signal.SIGTERM, 143),
    ],
)
def test_the_second_signal_ends_it_at_once(program, first, second, status):
    """With a last line that names what was going on, and where."""
    running = program("""
        async def main():
            on_shutdown(stuck)
            print("ready")
            await shutting_down().wait()

        async def stuck():
            print("stuck")
            await asyncio.sleep(60)

        run(main, shutdown_timeout=60)
    """)
    assert running.line() == "ready"
    running.send(first)
    assert running.line() == "stuck"
    running.send(second)
    code, out, err = running.end()
    assert (code, out) == (status, [])
    (line,) = err.splitlines()
    assert line.startswith(
        f"mist.lifecycle: {second.name} again, exiting at once; still going on: stuck (hooks)"
    )
    assert " in stuck" in line


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("await asyncio.sleep(60)", "main (drain)"),
        ("await drain_group().spawn(asyncio.sleep(60), name='job 1')", "job 1 (drain)"),
    ],
)
def test_the_last_words_name_whatever_goes_on(program, body, named):
    """Main and work in flight."""
    running = program(f"""
        async def main():
            stop = shutting_down()
            main.task = asyncio.create_task(tell(stop))
            {body}

        async def tell(stop):
            print("ready")
            await stop.wait()
            print("told")

        run(main)
    """)
    assert running.line() == "ready"
    running.send(signal.SIGTERM)
    assert running.line() == "told"
    running.send(signal.SIGTERM)
    code, _, err = running.end()
    assert code == 143
    assert named in err


def test_the_last_words_name_tasks_and_threads_that_do_not_end(program):
    """While the rest of the loop is ended, after the hooks."""
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
            print("ready")
            await asyncio.sleep(60)

        run(main)
    """)
    assert running.line() == "ready"
    running.send(signal.SIGTERM)
    assert running.line() == "ignored"
    running.send(signal.SIGTERM)
    code, _, err = running.end()
    assert (code, "still going on: stubborn (tasks)" in err) == (143, True)


def test_the_second_signal_ends_a_blocked_loop_and_says_where_it_is_blocked(program):
    """Where a handler of the event loop would never run."""
    running = program("""
        async def main():
            signal.raise_signal(signal.SIGTERM)
            print("ready")
            time.sleep(60)

        run(main)
    """)
    assert running.line() == "ready"
    running.send(signal.SIGTERM)
    code, _, err = running.end()
    assert code == 143
    assert "main (running), the main thread at File" in err
    assert err.endswith(", in main\n")


def test_the_second_signal_is_not_held_up_by_a_stderr_that_nobody_reads(program):
    """The pipe is full, and the process leaves all the same."""
    running = program("""
        os.set_blocking(2, False)
        try:
            while True:
                os.write(2, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(2, True)

        async def main():
            on_shutdown(lambda: time.sleep(60))
            on_shutdown(lambda: print("hook"))
            print("ready")
            await asyncio.sleep(60)

        run(main, shutdown_timeout=60)
    """)
    assert running.line() == "ready"
    running.send(signal.SIGTERM)
    assert running.line() == "hook"
    running.send(signal.SIGTERM)
    assert running.process.wait() == 143


def test_the_first_signal_in_a_shutdown_that_main_began_forces_nothing(program):
    """Only a second signal does; the hooks of a main that has returned go on."""
    running = program("""
        async def main():
            on_shutdown(hook)

        async def hook():
            print("ready")
            await asyncio.sleep(0.3)
            print("hook done")

        run(main)
    """)
    assert running.line() == "ready"
    running.send(signal.SIGTERM)
    assert running.end() == (0, ["hook done"], "")


def test_ctrl_c_during_start_up(program):
    """What main has registered by then is ended; what it awaits is cancelled at once."""
    running = program("""
        async def main():
            on_shutdown(lambda: print("closed what was open"))
            print("ready")
            await asyncio.sleep(60)
            shutting_down()

        run(main)
    """)
    assert running.line() == "ready"
    running.send(signal.SIGINT)
    assert running.end() == (0, ["closed what was open"], "")


def test_a_signal_before_the_loop_runs_is_not_lost(program):
    """It strikes after the handlers are there and before main's first step."""
    running = program("""
        def factory():
            signal.raise_signal(signal.SIGTERM)
            return asyncio.new_event_loop()

        async def main():
            print("ready")
            await asyncio.sleep(60)

        print(run(main, loop_factory=factory))
    """)
    code, out, err = running.end()
    assert (code, out[-1], err) == (0, "None", "")


def test_a_signal_that_strikes_another_thread_wakes_the_loop(program):
    """It does not wait for the loop's next event, which may never come."""
    running = program("""
        def struck():
            time.sleep(0.2)  # the loop sleeps by now
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

        async def main():
            threading.Thread(target=struck).start()
            await asyncio.get_running_loop().create_future()

        run(main)
        print("done")
    """)
    assert running.end() == (0, ["done"], "")


def test_run_async_handles_signals_and_puts_the_handlers_back(program):
    """Those of the application, and that of asyncio.run for Ctrl-C."""
    running = program("""
        def mine(*_):
            print("my handler")

        async def main():
            print("ready")
            await asyncio.sleep(60)

        async def application():
            before = signal.getsignal(signal.SIGINT)
            print(await run_async(main))
            assert signal.getsignal(signal.SIGINT) is before
            assert signal.getsignal(signal.SIGTERM) is mine
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0)

        signal.signal(signal.SIGTERM, mine)
        asyncio.run(application())
    """)
    assert running.line() == "ready"
    running.send(signal.SIGTERM)
    assert running.end() == (0, ["None", "my handler"], "")


async def _nothing():
    pass


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_handlers_are_put_back(signum):
    """After success, after an error, and after arguments that are no use."""
    before = signal.getsignal(signum)
    run(_nothing)
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 / 0)
    with pytest.raises(LifecycleError, match="cannot be handled"):
        run(_nothing, signals=[signum, signal.SIGKILL])
    assert signal.getsignal(signum) is before
    assert signal.set_wakeup_fd(-1) == -1


@pytest.mark.parametrize("options", [{"signals": False}, {"signals": ()}])
def test_without_signals_nothing_is_touched(options):
    """Embedded use leaves the handlers and the wakeup descriptor to the host."""
    during = []

    async def main():
        during.append(signal.getsignal(signal.SIGTERM))
        during.append(signal.set_wakeup_fd(-1))

    run(main, **options)
    assert during == [signal.getsignal(signal.SIGTERM), -1]


def test_other_signals_can_be_asked_for(program):
    """SIGHUP ends the program in order, and a second one with 129."""
    running = program("""
        async def main():
            print("ready")
            await asyncio.sleep(60)

        print(run(main, signals=(signal.SIGHUP,)))
    """)
    assert running.line() == "ready"
    running.send(signal.SIGHUP)
    assert running.end() == (0, ["None"], "")


@pytest.mark.skipif(not hasattr(signal, "SIGRTMIN"), reason="this system has no real-time signals")
def test_a_signal_without_a_name_is_told_by_its_number(program):
    """Of the real-time signals, only the first and the last have one."""
    running = program("""
        async def main():
            print("ready")
            await asyncio.sleep(60)

        run(main, signals=[signal.SIGRTMIN + 1], on_report=lambda report: print(report.reason))
    """)
    assert running.line() == "ready"
    number = signal.SIGRTMIN + 1
    running.send(number)
    assert running.end() == (0, [f"signal {number}"], "")


def test_a_signal_that_is_ignored_stays_so(program):
    """What `nohup` or a shell's `&` has switched off is not switched on."""
    running = program(
        """
        async def main():
            print("ready")
            await asyncio.sleep(60)

        run(main)
        print("ended")
        """,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert running.line() == "ready"
    running.send(signal.SIGINT)
    running.send(signal.SIGINT)
    running.send(signal.SIGTERM)
    assert running.end() == (0, ["ended"], "")


def test_without_a_handler_ctrl_c_ends_in_order_as_well(program):
    """KeyboardInterrupt tears down the loop; the hooks run, and it comes out."""
    running = program("""
        async def main():
            on_shutdown(lambda: print("hook"))
            print("ready")
            while True:  # nobody wakes a loop that a signal has just missed
                await asyncio.sleep(0.05)

        try:
            run(main, signals=False)
        except KeyboardInterrupt:
            print("interrupted")
    """)
    assert running.line() == "ready"
    running.send(signal.SIGINT)
    assert running.end() == (0, ["hook", "interrupted"], "")


def test_without_a_handler_ctrl_c_may_strike_the_run_itself(program):
    """It does so in the first moments of an idle program; the hooks run all the same."""
    running = program("""
        event_wait = asyncio.Event.wait

        async def struck(event):
            asyncio.Event.wait = event_wait
            signal.raise_signal(signal.SIGINT)

        async def main():
            on_shutdown(lambda: print("hook"))
            await asyncio.sleep(60)

        asyncio.Event.wait = struck
        try:
            run(main, signals=False)
        except KeyboardInterrupt:
            print("interrupted")
    """)
    assert running.end() == (0, ["hook", "interrupted"], "")


def test_a_forked_child_dies_of_signals_as_if_there_were_no_run(program):
    """It has inherited the handler, but the run is not its own."""
    running = program("""
        async def main():
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(1)
            time.sleep(0.2)
            os.kill(child, signal.SIGTERM)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

        run(main)
    """)
    code, out, _ = running.end()
    assert (code, out) == (0, ["-15"])


def test_of_two_runs_the_outer_one_hears_of_signals(program):
    """The inner one ends because main is cancelled, in order, and before the outer one."""
    running = program("""
        async def inner():
            on_shutdown(lambda: print("inner hook"))
            print("ready")
            await asyncio.sleep(60)

        async def outer():
            on_shutdown(lambda: print("outer hook"))
            await run_async(inner)
            await asyncio.sleep(60)

        run(outer)
    """)
    assert running.line() == "ready"
    running.send(signal.SIGTERM)
    assert running.end() == (0, ["inner hook", "outer hook"], "")


def test_signals_of_one_run_do_not_reach_the_next(program):
    """A first signal is the first in every run."""
    running = program("""
        async def main():
            on_shutdown(lambda: print("hook"))
            print("ready")
            await asyncio.sleep(60)

        run(main)
        run(main)
    """)
    for _ in range(2):
        assert running.line() == "ready"
        running.send(signal.SIGINT)
        assert running.line() == "hook"
    assert running.end() == (0, [], "")


def test_in_a_thread_signals_stay_with_the_main_thread():
    """A run elsewhere changes no handler."""
    before, during = signal.getsignal(signal.SIGTERM), []

    async def main():
        during.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run, args=(main,))
    thread.start()
    thread.join()
    assert during == [before]


async def test_a_wakeup_descriptor_of_others_is_left_to_them():
    """A loop that handles signals of its own sees to it already."""
    read, write = os.pipe()
    os.set_blocking(write, False)

    async def main():
        assert signal.set_wakeup_fd(write) == write

    former = signal.set_wakeup_fd(write)
    try:
        await run_async(main)
    finally:
        assert signal.set_wakeup_fd(former) == write
        os.close(read)
        os.close(write)
