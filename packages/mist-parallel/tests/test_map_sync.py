"""Without an event loop: threads, processes, and nothing left of them."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
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
    results = map_sync(Pool(1), [1], _die, on="processes")
    assert type(results[0].error).__name__ == "BrokenProcessPool"


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


def _die(_):
    os._exit(3)
