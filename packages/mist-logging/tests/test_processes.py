"""Several processes, threads and tasks, one stream."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import threading

import pytest

import mist.logging

WORKER = """
import sys
import mist.logging

log = mist.logging.new(sys.argv[1])
for n in range(int(sys.argv[2])):
    log.info("m", n=n, x="y" * int(sys.argv[3]))
"""


def read_all(descriptor):
    """Read until the other end is closed."""
    data = bytearray()
    while chunk := os.read(descriptor, 1 << 16):
        data += chunk
    return bytes(data)


def workers(count, lines, size, stderr):
    """Start processes that log to one descriptor."""
    return [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, f"tool{n}", str(lines), str(size)], stderr=stderr
        )
        for n in range(count)
    ]


@pytest.mark.skipif(os.name == "nt", reason="POSIX only says how much of a write stays together")
@pytest.mark.parametrize("size", [10, getattr(select, "PIPE_BUF", 512) - 200])
def test_processes_share_a_pipe(size):
    """Lines of up to `PIPE_BUF` bytes, 4096 on Linux, come out whole."""
    reading, writing = os.pipe()
    processes = workers(4, 500, size, writing)
    os.close(writing)
    lines = read_all(reading).decode().splitlines()
    os.close(reading)
    assert [process.wait() for process in processes] == [0] * 4
    records = [json.loads(line) for line in lines]
    for n in range(4):
        seen = [record["n"] for record in records if record["tool"] == f"tool{n}"]
        assert seen == list(range(500))


def test_processes_share_a_file(tmp_path):
    """Opened to append, a file takes whole lines of any length."""
    path = tmp_path / "log"
    with path.open("ab") as file:
        processes = workers(4, 100, 20_000, file)
        assert [process.wait() for process in processes] == [0] * 4
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(records) == 400


def test_threads_share_a_pipe():
    """Within a process lines of any length come out whole."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as writer:
        log = mist.logging.new("t", writer=writer)

        def work(n):
            for k in range(50):
                log.info("m", n=n, k=k, x="y" * (k % 3 * 20_000))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        data = []
        reader = threading.Thread(target=lambda: data.append(read_all(reading)))
        for thread in (reader, *threads):
            thread.start()
        for thread in threads:
            thread.join()
    reader.join()
    os.close(reading)
    records = [json.loads(line) for line in data[0].decode().splitlines()]
    for n in range(8):
        assert [record["k"] for record in records if record["n"] == n] == list(range(50))
    assert log.dropped == 0


async def test_tasks_keep_their_fields_apart(log):
    """Each task has its own contextual fields, and inherits those around its start."""

    async def work(n):
        with mist.logging.bound(task=n):
            await asyncio.sleep(0)
            log.logger.info("m")
            await asyncio.to_thread(log.logger.info, "thread")

    with mist.logging.bound(request="r"):
        await asyncio.gather(*(work(n) for n in range(50)))
    log.logger.info("after")
    *records, after = log.records
    assert "task" not in after
    assert "request" not in after
    for n in range(50):
        mine = [record["msg"] for record in records if record["task"] == n]
        assert mine == ["m", "thread"]
    assert {record["request"] for record in records} == {"r"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_while_a_thread_writes_leaves_no_lock_behind(run):
    """The child logs though the thread that held the lock is not there."""
    ran = run(
        """
import os, threading, warnings
import mist.logging

warnings.simplefilter("ignore", DeprecationWarning)
inside, go_on = threading.Event(), threading.Event()

class Slow:
    lines = []
    def write(self, line):
        if threading.current_thread() is not threading.main_thread():
            inside.set()
            go_on.wait()
        self.lines.append(line)

log = mist.logging.new("t", writer=Slow())
thread = threading.Thread(target=log.info, args=("thread",))
thread.start()
inside.wait()
child = os.fork()
if child == 0:
    Slow.lines.clear()
    log.info("child")
    os._exit(0 if '"child"' in Slow.lines[0] else 1)
status = os.waitpid(child, 0)[1]
go_on.set()
thread.join()
print(os.waitstatus_to_exitcode(status))
"""
    )
    assert ran.stdout == "0\n", ran.stderr


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_a_signal_handler_may_log(run):
    """It interrupts a thread that is writing, and neither waits for it nor loses a line."""
    ran = run(
        """
import signal, sys
import mist.logging

log = mist.logging.new("t", writer=sys.stdout)
count = 0

def handle(*_):
    global count
    count += 1
    log.info("signal")

signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
n = 0
while count < 100:
    n += 1
    log.info("main", n=n)
signal.setitimer(signal.ITIMER_REAL, 0)
log.info("end", n=n, count=count, dropped=log.dropped)
"""
    )
    records = [json.loads(line) for line in ran.stdout.splitlines()]
    end = records.pop()
    assert end["dropped"] == 0
    assert sum(record["msg"] == "signal" for record in records) == end["count"]
    assert sum(record["msg"] == "main" for record in records) == end["n"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_a_signal_handler_may_log_while_the_program_prints():
    """The stream that is being written to cannot be flushed then; the line comes out all the same."""
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            """
import os, signal, sys
import mist.logging

log = mist.logging.new("t", writer=sys.stdout)

def handle(*_):
    os.write(2, b"inside\\n")
    log.info("signal")

signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.05)
print("x" * 1_000_000, flush=True)
print(log.dropped, file=sys.stderr)
""",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: it for name, it in os.environ.items() if name != "PYTHONUNBUFFERED"},
    )
    # Nobody reads yet, so that the print waits, and is interrupted.
    assert child.stderr.readline() == b"inside\n"
    out, err = child.communicate(timeout=30)
    assert err == b"0\n"
    assert out.count(b'"msg":"signal"') == 1


@pytest.mark.skipif(os.name == "nt", reason="signals and pipes as POSIX has them")
def test_a_line_that_ctrl_c_cuts_does_not_spoil_the_next():
    """What is logged on the way out stands on a line of its own."""
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            """
import sys
import mist.logging

log = mist.logging.new("t", writer=sys.stdout)
try:
    log.info("cut", x="y" * 200_000)
except KeyboardInterrupt:
    log.info("interrupted")
log.info("end")
""",
        ],
        stdout=subprocess.PIPE,
    )
    # Nobody reads yet, so that the line waits once the pipe has a part of it.
    assert select.select([child.stdout], [], [], 30)[0]
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=30)
    cut, *whole = out.splitlines()
    assert cut.endswith(b"yyy")
    assert [json.loads(line)["msg"] for line in whole] == ["interrupted", "end"]


def test_a_program_whose_reader_has_gone_ends_well(run):
    """`tool 2>&1 | head -1` does not end with a traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ran = run(
            'import mist.logging as m; log = m.new("t"); log.info("m"); print(log.dropped)',
            stderr=writing,
        )
    finally:
        os.close(writing)
    assert (ran.returncode, ran.stdout) == (0, "1\n")
