"""Where ended spans go."""

import gc
import os
import threading

import pytest

from mist.trace import WrongFunctionError, add_sink, start


def end(operation="op"):
    """Make a span that has ended."""
    with start(operation) as span:
        pass
    return span


def test_every_sink_gets_every_ended_span():
    """Spans arrive as they end, inner before outer, until the sink is removed."""
    first, second = [], []
    handle = add_sink(first.append)
    with add_sink(second.append):
        with start("outer") as outer, start("inner") as inner:
            pass
        handle.remove()
        handle.remove()
        after = end()
    assert first == [inner, outer]
    assert second == [inner, outer, after]


def test_a_sink_added_twice_is_two_sinks():
    """Each handle removes its own."""
    ended = []
    with add_sink(ended.append):
        with add_sink(ended.append):
            end()
        end()
    assert len(ended) == 3


def test_a_failing_sink_harms_nobody(caplog):
    """Its first error is reported, all are counted, and other sinks and the program go on."""
    ended = []

    def fail(_):
        raise ValueError("broken sink")

    with add_sink(fail) as handle, add_sink(ended.append):
        for _ in range(3):
            end()
    assert handle.errors == 3
    assert len(ended) == 3
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("mist.trace", "WARNING")
    assert "broken sink" in record.exc_text


def test_an_interrupt_in_a_sink_is_no_error_of_the_sink():
    """What is meant to stop the program does."""

    def interrupt(_):
        raise KeyboardInterrupt

    with add_sink(interrupt) as handle, pytest.raises(KeyboardInterrupt):
        end()
    assert handle.errors == 0
    assert end().status == "ok"


def test_a_sink_may_use_spans_itself():
    """What a sink starts goes to no sink, so that none feeds itself for ever."""
    ended = []

    def sink(span):
        ended.append(span)
        end("of the sink")

    with add_sink(sink), add_sink(ended.append):
        span = end()
    assert ended == [span, span]


def test_a_span_that_the_collector_ends_within_a_sink_is_delivered():
    """A generator that is finalised while a sink runs does not lose its span."""
    ended = []

    def generator():
        with start("generator") as span:
            yield span

    waiting = [generator()]
    inner = next(waiting[0])

    def sink(span):
        ended.append(span)
        waiting.clear()

    with add_sink(sink):
        outer = end()
    gc.collect()
    assert ended == [outer, inner]


def test_a_sink_can_be_removed_while_it_runs():
    """A sink that removes itself has had its last span."""
    ended = []

    def once(span):
        ended.append(span)
        handle.remove()

    handle = add_sink(once)
    span = end()
    end()
    assert ended == [span]


def test_sinks_come_and_go_while_threads_end_spans():
    """Adding and removing never costs a delivery to another sink."""
    ended = []
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            add_sink(len).remove()

    with add_sink(ended.append):
        churning = threading.Thread(target=churn)
        churning.start()
        workers = [threading.Thread(target=lambda: [end() for _ in range(200)]) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        stop.set()
        churning.join()
    assert len(ended) == 800


def test_the_collector_removes_a_sink_while_another_comes(run):
    """A finalizer that strikes amid a change neither waits for it for ever nor is undone by it."""
    ran = run("""
import gc, signal
from mist.trace import add_sink, sinks
signal.alarm(20)
def leaves_a_sink():
    with add_sink(len):
        yield
def make_garbage():
    cycle = [leaves_a_sink()]
    next(cycle[0])
    cycle.append(cycle)
gc.set_threshold(1)
for _ in range(2000):
    make_garbage()
    add_sink(repr).remove()
gc.collect()
print(len(sinks.active))
""")
    assert (ran.returncode, ran.stdout) == (0, "0\n"), ran.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_delivers_what_its_threads_end(run):
    """It does so although its parent forked while other threads were in a sink, or changed them."""
    ran = run("""
import os, threading
from mist.trace import add_sink, sinks, start
def end(operation):
    with start(operation): pass
def sink(span):
    ended.append(span.operation)
    if span.operation == "slow":
        inside.set()
        leave.wait()
def hold():
    with sinks._changing:
        held.set()
        leave.wait()
ended, inside, held, leave = [], threading.Event(), threading.Event(), threading.Event()
add_sink(sink)
threads = [threading.Thread(target=end, args=["slow"]), threading.Thread(target=hold)]
for thread in threads: thread.start()
inside.wait(), held.wait()
if os.fork() == 0:
    # One that gets the number of a thread of the parent's, as the first threads here mostly do.
    for _ in range(3):
        thread = threading.Thread(target=end, args=["in the child"])
        thread.start()
        thread.join()
    end("in the child")
    added = threading.Thread(target=add_sink, args=[len], daemon=True)
    added.start()
    added.join(10)
    os._exit(0 if ended[1:] == ["in the child"] * 4 and not added.is_alive() else 1)
status = os.wait()[1]
leave.set()
for thread in threads: thread.join()
assert status == 0
""")
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("wrong", [None, 3])
def test_a_sink_must_be_callable(wrong):
    """What cannot be called is refused at once."""
    with pytest.raises(WrongFunctionError, match="cannot be called"):
        add_sink(wrong)


def test_an_async_sink_is_refused():
    """A coroutine function would never be awaited, which the error says and helps with."""

    async def sink(span):
        """Do nothing."""

    with pytest.raises(WrongFunctionError, match="put it in a BufferedSink"):
        add_sink(sink)
