"""Exactness, consistency and bounds under threads, signals and finalizers."""

import gc
import signal
import sys
import threading

import pytest

from mist.metrics import Registry
from mist.metrics import registry as registry_module

THREADS = 8


@pytest.fixture(autouse=True)
def _restless():
    """Let threads take turns as often as the interpreter can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def in_threads(work, count=THREADS):
    """Run a function in several threads at once, and raise what it raises."""
    failures = []
    barrier = threading.Barrier(count)

    def run(number):
        barrier.wait()
        try:
            work(number)
        except AssertionError as exc:
            failures.append(exc)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_no_count_is_lost():
    """Eight threads that count, look up, set and observe at once lose nothing."""
    registry = Registry()
    counter, histogram = registry.counter("c"), registry.histogram("h", buckets=range(0, 100, 10))
    gauge = registry.gauge("g")

    def work(number):
        for step in range(20_000):
            counter.inc()
            counter.add(2)
            gauge.inc()
            histogram.observe(step % 100)
            registry.counter("labelled", thread=number % 3, a="b").inc()

    in_threads(work)
    total = THREADS * 20_000
    assert counter.value == 3 * total
    assert gauge.value == total
    snapshot = histogram.snapshot()
    assert (snapshot.count, snapshot.sum) == (total, total * 49.5)
    assert snapshot.buckets == {10 * n: total * (10 * n + 1) // 100 for n in range(10)}
    counters = registry.snapshot().counters.values()
    assert sum(each.value for each in counters if each.name == "labelled") == total


def test_every_snapshot_agrees_with_itself_and_none_goes_back():
    """Count, sum and buckets of one snapshot tell of the same values, while others observe."""
    histogram = Registry().histogram("h", buckets=(1, 2))
    counter = Registry().counter("c")
    done = threading.Event()

    def work(number):
        if number:
            for _ in range(10_000):
                histogram.observe(1)
                counter.inc()
                histogram.observe(2)
                counter.add(1)
            done.set()
            return
        last = 0
        counted = 0
        while not done.is_set():
            snapshot = histogram.snapshot()
            ones, twos = snapshot.buckets[1], snapshot.buckets[2] - snapshot.buckets[1]
            assert snapshot.count == ones + twos
            assert snapshot.sum == ones + 2 * twos
            assert snapshot.count >= last
            value = counter.value
            assert value >= counted
            last, counted = snapshot.count, value

    in_threads(work)


def test_memory_stays_bounded_without_a_reader():
    """What nobody reads is folded all the same, however fast it comes."""
    registry = Registry()
    histogram, gauge, counter = registry.histogram("h"), registry.gauge("g"), registry.counter("c")
    most = 0

    def work(number):
        nonlocal most
        for step in range(20_000):
            histogram.observe(step)
            gauge.set(step)
            counter.add(2)
            if number == 0:
                most = max(most, *(len(m._pending) for m in (histogram, gauge, counter)))

    in_threads(work)
    assert most <= 2 * 16 * 256


@pytest.mark.parametrize("step", ["prometheus_series", "Counter"])
def test_a_metric_that_is_made_while_it_is_made_is_one(monkeypatch, step):
    """A finalizer that runs amid a lookup and looks the same metric up is given the same."""
    registry, inner = Registry(max_series=2), []
    original = getattr(registry_module, step)

    def interrupted(*args):
        if not inner:
            inner.append(None)
            inner.append(registry.counter("made", n=1))
        return original(*args)

    monkeypatch.setattr(registry_module, step, interrupted)
    outer = registry.counter("made", n=1)
    monkeypatch.undo()
    assert inner[1] is outer
    registry.counter("another").inc()
    assert "another" in registry.snapshot().counters, "the one that was made twice counts once"


def test_signal_handlers_and_finalizers_may_record():
    """A record made in the midst of another, in the same thread, neither deadlocks nor is lost."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("this system has no interval timers")
    registry = Registry()
    histogram, gauge = registry.histogram("h"), registry.gauge("g")
    handled = 0

    def handle(*_args):
        nonlocal handled
        handled += 1
        histogram.observe(1)
        gauge.inc()
        registry.counter("made", n=handled % 5).inc()
        assert histogram.snapshot().count > 0

    class Finalized:
        def __del__(self):
            nonlocal handled
            handled += 1
            histogram.observe(1)
            gauge.inc()
            registry.counter("made", n=handled % 5).inc()

    # Something is folded already when a handler looks in the midst of a fold.
    histogram.observe(1)
    gauge.inc()
    histogram.snapshot()
    before = signal.signal(signal.SIGALRM, handle)
    threshold = gc.get_threshold()
    gc.set_threshold(5)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        for _ in range(100_000):
            histogram.observe(1)
            gauge.inc()
            cycle = [Finalized()]
            cycle.append(cycle)
            if handled > 60_000:
                break
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.set_threshold(*threshold)
    del cycle
    gc.collect()
    made = sum(each.value for each in registry.snapshot().counters.values())
    assert made == handled > 0
    assert histogram.snapshot().count == gauge.value


def test_an_exception_in_a_signal_handler_loses_nothing():
    """Ctrl-C in the midst of folding leaves all records counted exactly once."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("this system has no interval timers")
    histogram = Registry().histogram("h")

    class Interrupt(Exception):
        """What the handler raises."""

    def handle(*_args):
        raise Interrupt

    interrupted = observed = started = 0
    before = signal.signal(signal.SIGALRM, handle)
    try:
        while interrupted < 200:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0003)
                for _ in range(100_000):  # more than enough, unless something ignores the exception
                    started += 1
                    histogram.observe(1)
                    observed += 1
            except Interrupt:
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    snapshot = histogram.snapshot()
    assert observed <= snapshot.count <= started
    assert snapshot.count == snapshot.sum == snapshot.buckets[1]


def test_recording_never_waits_for_a_thread_that_folds():
    """That one may be in a finalizer that waits for a lock which this one holds."""
    histogram = Registry().histogram("h")
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with histogram._lock:
            histogram._folding = True
            inside.set()
            leave.wait()
            histogram._folding = False

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()
    for _ in range(16 * 256 + 10):
        histogram.observe(1)
    assert thread.is_alive()
    leave.set()
    thread.join()
    assert histogram.snapshot().count == 16 * 256 + 10
