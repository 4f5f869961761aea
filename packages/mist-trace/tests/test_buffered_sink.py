"""Shipping spans in batches."""

import asyncio
import gc
import math
import multiprocessing
import os
import subprocess
import sys
import threading
import time
import weakref
from queue import Queue

import pytest

from mist.trace import BufferedSink, InvalidSettingError, add_sink, start


def end(count=1):
    """End so many spans."""
    for _ in range(count):
        with start("op"):
            pass


@pytest.fixture
def shipped():
    """Collect batches."""
    return []


def test_spans_are_shipped_in_order_and_in_batches(shipped):
    """A flush ships everything, in batches no larger than asked for."""
    with BufferedSink(shipped.append, batch=4, interval=3600) as sink, add_sink(sink):
        end(10)
        assert sink.flush(10)
        starts = [span.start_ns for batch in shipped for span in batch]
        assert starts == sorted(starts)
        assert len(starts) == sink.shipped == 10
        assert max(map(len, shipped)) <= 4
        assert sink.dropped == 0


def test_a_full_batch_goes_without_waiting(shipped):
    """As soon as a batch is there it is shipped, however long the interval."""
    came = threading.Event()

    def ship(batch):
        shipped.append(batch)
        came.set()

    with BufferedSink(ship, batch=4, interval=3600) as sink, add_sink(sink):
        end(4)
        assert came.wait(10)


def test_a_lone_span_goes_after_the_interval(shipped):
    """What does not fill a batch is shipped all the same."""
    came = threading.Event()

    def ship(batch):
        shipped.append(batch)
        came.set()

    # Real time: the interval is that of a thread.
    with BufferedSink(ship, interval=0.01) as sink, add_sink(sink):
        end()
        assert came.wait(10)


def test_what_finds_no_room_is_dropped_and_counted():
    """The buffer is bounded, and ending a span never waits for it."""
    entered, go_on = threading.Event(), threading.Event()

    def ship(_):
        entered.set()
        go_on.wait(10)

    sink = BufferedSink(ship, capacity=5, batch=5, interval=3600)
    with add_sink(sink):
        end(5)
        assert entered.wait(10)
        started = time.monotonic()
        end(100)
        assert time.monotonic() - started < 5
        assert sink.dropped == 95
        go_on.set()
    assert sink.close(10)
    assert (sink.shipped, sink.dropped) == (10, 95)


def test_a_batch_that_fails_is_dropped_and_counted(caplog):
    """The first error is reported, and later batches are tried."""
    calls = []

    def ship(batch):
        calls.append(len(batch))
        if len(calls) < 3:
            raise ConnectionError("nobody there")

    sink = BufferedSink(ship, batch=2, interval=3600)
    with add_sink(sink):
        end(6)
    assert sink.close(10)
    assert (sink.shipped + sink.dropped, len(calls)) == (6, 3)
    assert sink.shipped == calls[2]
    (record,) = caplog.records
    assert "nobody there" in record.exc_text


def test_even_an_exit_does_not_stop_shipping(caplog):
    """Whatever a shipper raises, its thread goes on."""

    def ship(_):
        raise SystemExit

    with BufferedSink(ship) as sink, add_sink(sink):
        end()
        assert sink.flush(10)
        end()
        assert sink.flush(10)
        assert sink.dropped == 2
    assert len(caplog.records) == 1


def test_async_shipping_keeps_one_event_loop():
    """A coroutine function is awaited in the sink's own loop, always the same."""
    loops = []

    async def ship(batch):
        await asyncio.sleep(0)
        loops.append((asyncio.get_running_loop(), len(batch)))

    with BufferedSink(ship, interval=3600) as sink, add_sink(sink):
        end()
        assert sink.flush(10)
        end()
        assert sink.flush(10)
    assert [count for _, count in loops] == [1, 1]
    assert loops[0][0] is loops[1][0]
    assert loops[0][0].is_closed() or sink._thread.join(10) is None


def test_a_cancelled_shipper_goes_on():
    """A shipper that is cancelled from within loses its batch, not its thread."""

    async def ship(_):
        raise asyncio.CancelledError

    with BufferedSink(ship) as sink, add_sink(sink):
        end()
        assert sink.flush(10)
        assert sink.dropped == 1
        end()
        assert sink.flush(10)
        assert sink.dropped == 2


def test_spans_of_the_shipper_are_not_shipped(shipped):
    """A traced shipper does not keep itself busy for ever, not even by its own threads."""

    async def ship(batch):
        shipped.append(len(batch))
        with start("ship"):
            await asyncio.to_thread(end)

    with BufferedSink(ship, interval=3600) as sink, add_sink(sink):
        end()
        assert sink.flush(10)
        assert sink.flush(10)
    assert shipped == [1]


def test_a_flush_is_bounded():
    """A shipper that hangs makes a flush return False when its time is over."""
    shipping, go_on = threading.Event(), threading.Event()

    def hang(_):
        shipping.set()
        go_on.wait(10)

    sink = BufferedSink(hang, flush_timeout=0.01)
    with add_sink(sink):
        end(2)
        assert not sink.flush()
        assert not sink.flush(0)
        assert shipping.wait(10)
        end(3)
        assert not sink.close()
        # One batch may be in the shipper's hands; the rest never will be.
        assert sink.dropped >= 3
        before = sink.dropped
        end()
        assert sink.dropped == before + 1
    go_on.set()


def test_the_shipper_cannot_wait_for_itself():
    """A flush from within `ship` returns at once."""
    results = []

    def ship(_):
        results.append(sink.flush(3600))

    sink = BufferedSink(ship)
    with add_sink(sink):
        end()
        assert sink.flush(10)
    sink.close()
    assert results == [False]


def test_an_unused_sink_costs_no_thread():
    """Without a span there is nothing to start, to wait for or to hold on to."""
    before = threading.active_count()
    sink = BufferedSink(len)
    assert threading.active_count() == before
    assert sink.flush()
    assert sink.close()
    gone = weakref.ref(sink)
    del sink
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("name", ["capacity", "batch", "interval", "flush_timeout"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), "3", None])
def test_limits_must_be_positive(name, value):
    """A limit that makes no sense is refused by name."""
    with pytest.raises(InvalidSettingError, match=f"{name} must be more than 0"):
        BufferedSink(len, **{name: value})


@pytest.mark.parametrize("name", ["capacity", "batch"])
@pytest.mark.parametrize("value", [2.5, float("inf")])
def test_numbers_of_spans_are_whole(name, value):
    """What would end the shipping thread with the first span is refused before."""
    with pytest.raises(InvalidSettingError, match=f"{name} counts spans, and cannot be {value}"):
        BufferedSink(len, **{name: value})


def test_times_may_be_longer_than_any_timeout():
    """Infinity is to ship full batches and what is flushed alone, and to wait for as long as it takes."""
    shipped = Queue()
    sink = BufferedSink(shipped.put, batch=2, interval=math.inf, flush_timeout=math.inf)
    with add_sink(sink):
        for _ in range(3):
            end()
            time.sleep(0.01)  # in real time: the thread is to wait for the rest of the batch
        assert len(shipped.get(timeout=10)) == 2
        assert sink.flush()
        assert sink.flush(math.inf)
        assert len(shipped.get(timeout=10)) == 1
    assert sink.close()


def test_no_span_is_lost_between_threads():
    """Of spans that end in many threads at once, each is shipped or counted as dropped."""
    sink = BufferedSink(lambda _: None, capacity=64, batch=16, interval=0.001)
    with add_sink(sink):
        workers = [threading.Thread(target=end, args=(500,)) for _ in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert sink.close(10)
    assert sink.shipped + sink.dropped == 4000
    assert sink.shipped > 0


SCRIPT = """
import sys, time, threading
from mist.trace import BufferedSink, add_sink, start
{ship}
add_sink(BufferedSink(ship, interval=3600, flush_timeout=0.5))
for _ in range(3):
    with start("op"): pass
print("done", flush=True)
started = time.monotonic()
import atexit
"""


def test_the_exit_ships_what_is_left(run):
    """Spans that wait when the program ends are shipped."""
    ran = run(SCRIPT.format(ship="def ship(batch): print(len(batch), flush=True)"))
    assert (ran.stdout, ran.stderr, ran.returncode) == ("done\n3\n", "", 0)


@pytest.mark.parametrize(
    "ship",
    [
        "def ship(batch): time.sleep(3600)",
        "def ship(batch): threading.Event().wait()",
        "async def ship(batch):\n    import asyncio\n    await asyncio.sleep(3600)",
    ],
)
def test_a_hanging_shipper_does_not_hold_the_exit_up(run, ship):
    """The program exits, well, within the time for flushing and what a start-up takes."""
    started = time.monotonic()
    ran = run(SCRIPT.format(ship=ship), timeout=20)
    assert (ran.stdout, ran.returncode) == ("done\n", 0)
    assert time.monotonic() - started < 10


def test_a_failing_shipper_does_not_disturb_the_exit(run):
    """One warning, and the program's own exit status."""
    ran = run(SCRIPT.format(ship="def ship(batch): raise OSError('dead')") + "sys.exit(7)")
    assert ran.returncode == 7
    assert ran.stderr.count("OSError: dead") == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_ships_its_own_spans(run):
    """A child neither ships what waits in its parent nor hangs on its parent's locks."""
    ran = run("""
import os, sys
from mist.trace import BufferedSink, add_sink, start
def ship(batch):
    os.write(1, f"{os.getpid() == parent} {[span.operation for span in batch]}\\n".encode())
parent = os.getpid()
sink = BufferedSink(ship, interval=3600)
add_sink(sink)
with start("parent"): pass
if os.fork() == 0:
    with start("child"): pass
    assert sink.flush(10)
    assert (sink.shipped, sink.dropped) == (1, 0)
    os._exit(0)
assert os.wait()[1] == 0
""")
    assert (ran.returncode, ran.stdout) == (0, "False ['child']\nTrue ['parent']\n"), ran.stderr


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_worker_of_multiprocessing_ships_what_is_left(tmp_path, method):
    """Spans of a process or a pool of them are shipped as it ends, however it was started."""
    script = tmp_path / "script.py"
    script.write_text(
        """
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
from mist.trace import BufferedSink, add_sink, start

def ship(batch):
    for span in batch:
        os.write(1, f"{span.operation}\\n".encode())

def work(operation):
    with start(operation): pass

add_sink(BufferedSink(ship, interval=3600))

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    process = context.Process(target=work, args=["process"])
    process.start()
    process.join()
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        pool.submit(work, "pool").result()
""",
        encoding="utf-8",
    )
    ran = subprocess.run(
        [sys.executable, script, method], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout == "process\npool\n"
