"""Without an event loop: threads, processes, and nothing left of them."""

import functools
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path

import pytest

from mist.parallel import ParallelError, Pool, RateLimiter, map_sync


def test_threads_in_the_order_of_the_inputs():
    """As many at a time as there are workers; errors are results."""
    everybody = threading.Barrier(4, timeout=30)

    def work(n):
        everybody.wait()
        return 12 // n

    results = map_sync(Pool(4), [1, 2, 0, 4], work)
    assert [result.value for result in results] == [12, 6, None, 3]
    assert isinstance(results[2].error, ZeroDivisionError)


def test_processes_in_the_order_of_the_inputs():
    """Each in an interpreter of its own; an error comes back as what it is."""
    results = map_sync(Pool(2), [9, -1, 4], _root, on="processes")
    assert [result.value for result in results[::2]] == [3.0, 2.0]
    assert isinstance(results[1].error, ValueError)


def test_an_executor_of_ones_own_is_left_open():
    """It may be used for more."""
    with ThreadPoolExecutor(2) as executor:
        assert map_sync(Pool(2), [1, 4], _root, on=executor)[1].value == 2.0
        assert executor.submit(_root, 9).result() == 3.0


def test_what_a_process_cannot_get_is_refused_at_once():
    """A lambda does not pickle; the error says what to do."""
    with pytest.raises(ParallelError, match="<lambda> cannot be sent to a process: define it at"):
        map_sync(Pool(2), [1], lambda n: n, on="processes")


async def test_what_belongs_elsewhere_is_refused():
    """Coroutine functions go to `map`; an executor is one."""

    async def work(_):
        pass

    with pytest.raises(ParallelError, match=r"await map\(pool, inputs, work\)"):
        map_sync(Pool(2), [1], work)
    with pytest.raises(ParallelError, match="coroutine functions"):
        map_sync(Pool(2), [1], functools.partial(work, 1))
    with pytest.raises(ParallelError, match="a function is needed, got 3"):
        map_sync(Pool(2), [1], 3)
    with pytest.raises(ParallelError, match="on must be 'threads', 'processes' or an executor"):
        map_sync(Pool(2), [1], _root, on="greenlets")


def test_inputs_are_taken_as_they_are_needed():
    """A generator is asked for no more than is worked on."""
    taken, furthest = [], []

    def inputs():
        for n in range(20):
            taken.append(n)
            yield n

    done = []
    map_sync(Pool(3), inputs(), lambda n: (furthest.append(len(taken) - len(done)), done.append(n)))
    assert max(furthest) <= 3


def test_progress_and_rate():
    """Both work as they do in the event loop; progress that raises costs no result."""
    told = []
    limiter = RateLimiter(2, 0.05)
    began = time.monotonic()
    map_sync(
        Pool(4, rate=limiter), [1, 4, 9, 16], _root, on_progress=lambda *seen: told.append(seen)
    )
    assert time.monotonic() - began > 0.049
    assert told[-1] == (4, 4)
    assert len(map_sync(Pool(1), [1, 4], _root, on_progress=lambda *_: 1 / 0)) == 2


def test_a_worker_that_dies_is_an_error_and_not_a_hang():
    """Its input, and what was under way with it, fail by name."""
    results = map_sync(Pool(1), [1, 2, 3], _die, on="processes")
    assert [type(result.error).__name__ for result in results] == ["BrokenProcessPool"] * 3


def test_an_error_that_does_not_pickle_costs_no_other_result():
    """It comes as its text; with `concurrent.futures` alone, all that is under way would fail."""
    results = map_sync(Pool(2), [1, -1, 4], _demand, on="processes")
    assert [result.value for result in results] == [1, None, 4]
    assert str(results[1].error) == "_Demanding: -1 is negative (it does not pickle)"
    assert "in _demand" in str(results[1].error.__cause__)


def test_what_another_cancels_is_its_inputs_result():
    """An executor of one's own may be shut down meanwhile."""
    begun, go_on = threading.Event(), threading.Event()

    class ShutDownAfterTwo(ThreadPoolExecutor):
        def submit(self, fn, n):
            future = super().submit(fn, n)
            if n == 2:
                assert begun.wait(30)
                self.shutdown(wait=False, cancel_futures=True)
                go_on.set()
            return future

    def work(_):
        begun.set()
        assert go_on.wait(30)

    results = map_sync(Pool(2), [1, 2], work, on=ShutDownAfterTwo(1))
    assert results[0].ok
    assert isinstance(results[1].error, CancelledError)


@pytest.mark.parametrize("on", ["threads", "processes"])
def test_what_the_inputs_raise_is_raised_when_the_rest_is_done(on, tmp_path):
    """Nothing that was begun is cut off, nor does it go on behind one's back."""
    files = [tmp_path / "one", tmp_path / "two"]

    def inputs():
        yield from files
        raise LookupError("the list ends here")

    with pytest.raises(LookupError, match="the list ends here"):
        map_sync(Pool(4), inputs(), _write_slowly, on=on)
    assert all(path.exists() for path in files)


def test_one_call_that_fails_ends_no_process_of_another():
    """Two threads each have processes; those of the one outlive the other's failure."""
    kept = []
    thread = threading.Thread(
        target=lambda: kept.extend(map_sync(Pool(1), [0.5, 0.5], _sleep, on="processes"))
    )

    def inputs():
        thread.start()
        yield 0
        time.sleep(0.5)  # real time, until the other's process has started
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        map_sync(Pool(2), inputs(), _sleep, on="processes")
    thread.join()
    assert [result.value for result in kept] == [0.5, 0.5]


def test_a_complaint_slows_the_pool_down():
    """As it does in the event loop."""

    class RateLimited(Exception):
        code = "rate_limit"
        retry_after = 0.0

    def work(_):
        raise RateLimited

    limiter = RateLimiter(100, 3600.0)
    map_sync(Pool(1, rate=limiter), [1], work)
    assert limiter.present_rate == pytest.approx(50, abs=1)


INTERRUPTED = """
import signal, threading, time
from mist.parallel import Pool, map_sync
interrupted = threading.Event()
def work(_):
    time.sleep(0.2)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
    interrupted.wait()
try:
    map_sync(Pool(1), [1], work)
except KeyboardInterrupt:
    interrupted.set()
    print("interrupted")
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_that_another_thread_is_given_ends_the_wait():
    """The system may give the signal to any thread, and then wakes only that one."""
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], timeout=30, check=True, stdout=subprocess.PIPE
    )
    assert ran.stdout == b"interrupted\n"


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_its_program(tmp_path, ending):
    """Neither after Ctrl-C, which goes to all of them, nor where the program is killed."""
    script = tmp_path / "program.py"
    script.write_text(
        textwrap.dedent(
            """
            import os, sys, time
            from pathlib import Path
            from mist.parallel import Pool, map_sync

            def work(path):
                Path(path).write_text(str(os.getpid()))
                time.sleep(600)

            if __name__ == "__main__":
                map_sync(Pool(2), sys.argv[1:], work, on="processes")
            """
        )
    )
    files = [tmp_path / "one", tmp_path / "two"]
    program = subprocess.Popen(
        [sys.executable, script, *files], start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    with program:
        pids = [_read_pid(path) for path in files]
        if ending == signal.SIGINT:
            os.killpg(program.pid, ending)
        else:
            program.kill()
        complaints = program.stderr.read() if ending == signal.SIGINT else ""
        assert program.wait(30) != 0
    for pid in pids:
        _until_gone(pid)
    # One traceback, the program's own, and none of its workers'.
    assert complaints.count("Traceback") <= 1


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_reaches_what_a_worker_has_started(tmp_path):
    """And a worker that does not listen to SIGTERM is ended all the same."""
    script = tmp_path / "program.py"
    script.write_text(
        textwrap.dedent(
            """
            import signal, subprocess, sys
            from pathlib import Path
            from mist.parallel import Pool, map_sync

            def work(path):
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                started = subprocess.Popen(["sleep", "600"])
                Path(path).write_text(str(started.pid))
                while True:
                    started.wait()

            if __name__ == "__main__":
                map_sync(Pool(1), sys.argv[1:], work, on="processes")
            """
        )
    )
    path = tmp_path / "pid"
    with subprocess.Popen(
        [sys.executable, script, path], start_new_session=True, stderr=subprocess.DEVNULL
    ) as program:
        pid = _read_pid(path)
        os.killpg(program.pid, signal.SIGINT)
        assert program.wait(30) != 0
    _until_gone(pid)


def _read_pid(path: Path) -> int:
    # Real time: another process has to start.
    for _ in range(3000):
        if path.exists() and path.read_text():
            return int(path.read_text())
        time.sleep(0.01)
    raise AssertionError(f"no worker wrote {path.name}")


def _until_gone(pid: int) -> None:
    for _ in range(1000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if (
            Path(f"/proc/{pid}/stat").exists()
            and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
        ):
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} is still there")


def _root(n):
    if n < 0:
        raise ValueError(n)
    return n**0.5


class _Demanding(Exception):
    def __init__(self, number, fault):
        super().__init__(f"{number} is {fault}")


def _demand(n):
    if n < 0:
        raise _Demanding(n, "negative")
    return n


def _write_slowly(path):
    time.sleep(0.2)  # real time, so that it would be cut off
    path.touch()


def _sleep(seconds):
    time.sleep(seconds)
    return seconds


def _die(_):
    os._exit(3)
