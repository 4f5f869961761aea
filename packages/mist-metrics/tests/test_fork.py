"""A forked child counts for itself."""

import os

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def test_a_child_starts_at_nothing_and_counts_on(run_script):
    """What the parent had counted is in the parent alone; the objects at hand go on working."""
    out = run_script("""
        import os
        from mist.metrics import Registry

        registry = Registry()
        counter, gauge, histogram = registry.counter("c"), registry.gauge("g"), registry.histogram("h")
        inc, observe = counter.inc, histogram.observe
        for _ in range(300):
            inc()
            counter.add(2)
            gauge.inc()
            observe(1)

        def show():
            print(counter.value, gauge.value, histogram.snapshot().count, flush=True)

        if not (child := os.fork()):
            show()
            inc()
            observe(1)
            show()
            assert registry.counter("c") is counter
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        show()
    """)
    assert out.splitlines() == ["0 0.0 0", "1 0.0 1", "900 300.0 300"]


def test_a_child_is_not_stuck_with_locks_of_threads_it_does_not_have(run_script):
    """The parent's other threads may hold any lock at the moment of the fork."""
    run_script("""
        import os, signal, threading, warnings
        from mist.metrics import Registry

        warnings.filterwarnings("ignore", message=".*multi-threaded.*")
        registry = Registry()
        histogram = registry.histogram("h")
        inside = threading.Event()

        def hold():
            with registry._lock, registry._updating, histogram._lock:
                inside.set()
                threading.Event().wait()

        threading.Thread(target=hold, daemon=True).start()
        inside.wait()
        if not (child := os.fork()):
            signal.alarm(10)
            for _ in range(1000):
                histogram.observe(1)
            registry.counter("new").inc()
            assert registry.snapshot().histograms["h"].count == 1000
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    """)


def test_processor_time_of_a_child_is_its_own(run_script):
    """The child's clock starts anew, and so does the counter."""
    run_script("""
        import os, time
        from mist.metrics import Registry

        registry = Registry()
        registry.add_process_metrics()
        while time.process_time() < 0.3:
            pass
        assert registry.snapshot().counters["process_cpu_ms"].value >= 300
        if not (child := os.fork()):
            assert registry.snapshot().counters["process_cpu_ms"].value < 200
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    """)
