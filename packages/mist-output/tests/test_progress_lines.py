"""Progress where there is no terminal: plain lines, driven by a clock that the tests turn."""

import io
import os
import threading

import pytest

from mist.output import progress


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        """Return the time."""
        return self.now


@pytest.fixture
def clock():
    """A clock at zero."""
    return Clock()


def test_a_line_every_interval_and_one_at_the_end(clock):
    """Counts between the intervals write nothing; lines tell count, rate and what is left."""
    stream = io.StringIO()
    with progress(100, "relay", stream=stream, clock=clock) as counter:
        for _ in range(60):
            clock.now += 0.25
            counter.advance()
    assert stream.getvalue().splitlines() == [
        "relay: 20/100 (20%), 4.0/s, 0:20 left",
        "relay: 40/100 (40%), 4.0/s, 0:15 left",
        "relay: 60/100 (60%), 4.0/s, 0:10 left",
        "relay: 60/100 (60%) in 0:15 (4.0/s)",
    ]


def test_unknown_total_shows_count_and_rate(clock):
    """Without a total there is neither a percentage nor a time left."""
    stream = io.StringIO()
    counter = progress(stream=stream, clock=clock, interval=1)
    clock.now = 2
    counter.update(500)
    clock.now = 3600
    counter.close()
    counter.close()
    assert stream.getvalue().splitlines() == ["500, 250/s", "500 in 1:00:00 (0.1/s)"]


def test_who_interrupts_the_report_may_count():
    """A signal handler or a finalizer that strikes amid a line counts, and nothing hangs."""
    stream = io.StringIO()
    interrupting = []

    def clock():
        if interrupting:
            interrupting.pop()()
        return float(len(calls))

    calls = []
    counter = progress(3, "x", stream=stream, clock=clock, interval=1)
    calls.append("due")
    # Asked for the time a second time, the report has begun to write its line.
    interrupting += [counter.advance, lambda: None]
    counting = threading.Thread(target=counter.advance, daemon=True)
    counting.start()
    counting.join(10)
    assert not counting.is_alive()
    assert counter.done == 2
    assert stream.getvalue() == "x: 2/3 (66%), 2.0/s, 0:00 left\n"


def test_who_interrupts_the_writing_of_a_line_may_count(clock):
    """The stream takes no second write then, which stops neither the work nor the report."""
    written = []
    interrupting = []

    class Raw(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            if interrupting:
                interrupting.pop()()
            written.append(bytes(data))
            return len(data)

    stream = io.TextIOWrapper(io.BufferedWriter(Raw()), encoding="utf-8")
    counter = progress(None, "x", stream=stream, clock=clock, interval=0)
    interrupting.append(counter.advance)
    counter.advance()
    assert counter.done == 2
    counter.close()
    assert b"".join(written).splitlines()[-1] == b"x: 2 in 0:00"


def test_the_rate_is_a_recent_one(clock):
    """After a change of pace the time left follows within a few intervals."""
    stream = io.StringIO()
    counter = progress(100_000, "x", stream=stream, clock=clock, interval=1)
    for second in range(1, 21):
        clock.now = second
        counter.advance(1000 if second <= 10 else 10)
    assert stream.getvalue().splitlines()[-1] == "x: 10100/100000 (10%), 10/s, 2:29:50 left"


def test_it_is_a_callback(clock):
    """The object itself takes (done, total), the form of progress callbacks."""
    stream = io.StringIO()
    counter = progress(label="map", stream=stream, clock=clock)
    clock.now = 5
    counter(3, 4)
    assert (counter.done, counter.total) == (3, 4)
    assert stream.getvalue() == "map: 3/4 (75%), 0.6/s, 0:01 left\n"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_passes_and_the_last_line_tells(clock, error):
    """Work that ends early is not reported as finished."""
    stream = io.StringIO()

    def work():
        with progress(10, "job", stream=stream, clock=clock) as counter:
            counter.advance(3)
            raise error

    with pytest.raises(error):
        work()
    assert stream.getvalue() == "job: interrupted at 3/10 (30%) in 0:00\n"


@pytest.mark.parametrize(
    ("done", "total", "shown"), [(0, 0, "100%"), (3, 2, "100%"), (999, 1000, "99%")]
)
def test_percentages_are_honest(clock, done, total, shown):
    """Nothing of nothing is all, more than all is all, and almost all is not."""
    stream = io.StringIO()
    counter = progress(total, stream=stream, clock=clock)
    counter.update(done)
    counter.close()
    assert f"{done}/{total} ({shown})" in stream.getvalue()


def test_threads_lose_no_count_and_write_a_due_line_once(clock):
    """Eight threads count exactly, and one of them writes each line."""
    stream = io.StringIO()
    counter = progress(80_000, stream=stream, clock=clock)
    clock.now = 5.0

    def work():
        for _ in range(10_000):
            counter.advance()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.done == 80_000
    assert len(stream.getvalue().splitlines()) == 1


def test_it_has_no_thread_of_its_own():
    """Where there is no terminal nothing runs in the background."""
    before = threading.active_count()
    with progress(1, stream=io.StringIO()):
        assert threading.active_count() == before


def test_trouble_with_the_stream_never_reaches_the_work(clock):
    """A reader that went away, a closed file: the work goes on without a report."""
    reader, writer = os.pipe()
    os.close(reader)
    broken = os.fdopen(writer, "w", buffering=1)
    closed = io.StringIO()
    closed.close()
    for stream in (broken, closed):
        counter = progress(2, stream=stream, clock=clock, interval=0)
        counter.advance()
        counter.advance()
        counter.close()
        assert counter.done == 2
    with pytest.raises(BrokenPipeError):
        broken.close()


def test_a_label_cannot_break_the_line(clock):
    """Controls in the label are shown."""
    stream = io.StringIO()
    progress(1, "a\n\x1b[2Jb", stream=stream, clock=clock).close()
    assert stream.getvalue() == "a\\n\\x1b[2Jb: 0/1 (0%) in 0:00\n"


def test_no_stderr_is_silence(monkeypatch):
    """A program without a standard error counts all the same."""
    monkeypatch.setattr("sys.stderr", None)
    with progress(1) as counter:
        counter.advance()
    assert counter.done == 1


@pytest.mark.parametrize("variables", [{}, {"FORCE_COLOR": "1"}, {"NO_COLOR": "1"}])
def test_a_pipe_never_gets_a_control_sequence(on_pipes, variables):
    """Not even FORCE_COLOR, which many CI systems set, puts cursor movements into a log."""
    ran = on_pipes("from mist.output import progress; progress(1, 'x').close()", **variables)
    assert ran.stderr.startswith("x: 0/1 (0%) in 0:00")
    assert "\x1b" not in ran.stderr
    assert ran.stdout == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_counts_on_and_writes_nothing(on_pipes):
    """Only the parent writes lines; a count that one of its threads was in does not stop the child."""
    ran = on_pipes("""
import os
from mist.output import progress
with progress(3, "job", interval=0) as p:
    with p._lock:  # as a thread of the parent's has it in the middle of a count
        child = os.fork()
        if child == 0:
            p.advance(2)
            print("child:", p.done)
            raise SystemExit
    os.waitpid(child, 0)
""")
    assert (ran.status, ran.stdout) == (0, "child: 2\n")
    assert ran.stderr.startswith("job: 0/3 (0%) in 0:00")
    assert ran.stderr.count("\n") == 1
