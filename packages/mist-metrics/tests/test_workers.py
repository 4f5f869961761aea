"""Several worker processes as one program."""

import asyncio
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from mist.metrics import MetricError, Registry, WorkerDirectory

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

# An interval so long that nothing is published but at the start and at the end.
NEVER = 3600


@pytest.fixture
def path(tmp_path):
    """The workers' directory, which does not exist yet."""
    return tmp_path / "run" / "metrics"


@pytest.fixture
def worker(path):
    """Make workers in this process, each with a registry of its own, stopped when the test ends."""
    made = []

    def make(**options):
        directory = WorkerDirectory(path, Registry(), **{"interval": NEVER, **options})
        directory.registry = directory._registry
        directory.start()
        made.append(directory)
        return directory

    yield make
    for each in made:
        each.stop()


def until(condition):
    """Wait for another process, in real time."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def value(directory, name="c"):
    """A counter of all workers."""
    found = directory.snapshot().counters.get(name)
    return 0 if found is None else found.value


@pytest.fixture
def process(path, tmp_path):
    """Start a real worker process; it has `registry` and `workers`, which is killed at last."""
    started = []

    def start(script, interval=0.02):
        file = tmp_path / f"worker{len(started)}.py"
        head = f"""
import os, signal, sys, threading, time
from mist.metrics import Registry, WorkerDirectory
registry = Registry()
workers = WorkerDirectory({str(path)!r}, registry, interval={interval})
"""
        file.write_text(head + textwrap.dedent(script), "utf-8")
        child = subprocess.Popen(
            [sys.executable, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


def test_any_worker_tells_of_all(worker):
    """Counters, gauges and histograms add up, with this worker's own as they are now."""
    one, two = worker(), worker()
    for each, number in ((one, 1), (two, 2)):
        each.registry.counter("c", n="x").add(number)
        each.registry.gauge("g").set(number)
        each.registry.histogram("h").observe(number)
    two._publisher._publish()
    snapshot = one.snapshot()
    assert snapshot.counters["c{n,x}"].value == 3
    assert snapshot.gauges["g"].value == 3
    assert (snapshot.histograms["h"].sum, snapshot.histograms["h"].max) == (3, 2)


def test_gauges_combine_as_said(worker):
    """The way is part of the directory's options; a wrong one is told at once."""
    one, two = worker(gauges={"g": "max"}), worker()
    one.registry.gauge("g").set(1)
    two.registry.gauge("g").set(5)
    two._publisher._publish()
    assert one.snapshot().gauges["g"].value == 5
    with pytest.raises(MetricError, match="'avg'"):
        worker(gauges={"g": "avg"})


def test_an_interval_is_a_time(worker):
    """A thread that publishes without a pause is nobody's wish."""
    for interval in (0, -1, float("nan")):
        with pytest.raises(MetricError, match="more than 0 seconds"):
            worker(interval=interval)


def test_an_interval_may_be_longer_than_any_timeout(run_script, path, worker):
    """With infinity a worker publishes as it starts and as it ends."""
    living = worker()
    run_script(
        """
        import sys
        from mist.metrics import Registry, WorkerDirectory

        registry = Registry()
        WorkerDirectory(sys.argv[1], registry, interval=float("inf")).start()
        registry.counter("c").inc()
        """,
        path,
    )
    assert value(living) == 1


def test_one_that_has_stopped_still_counts_but_its_gauges_do_not(worker):
    """What it did is done; what it held it holds no more."""
    one, two = worker(), worker()
    two.registry.counter("c").add(5)
    two.registry.gauge("g").set(5)
    two.stop()
    assert value(one) == 5
    assert not one.snapshot().gauges


@pytest.mark.parametrize("removed", ["*", "*.lock", "*.json", "mutex"])
def test_a_worker_whose_files_somebody_removes_is_seen_again(worker, path, removed):
    """Who tidies up old temporary files costs an interval, and not the rest of the run."""
    one, two = worker(), worker()
    one.registry.counter("c").add(1)
    two.registry.counter("c").add(10)
    two._publisher._publish()
    for file in path.glob(removed):
        file.unlink()
    for each in (one, two):
        each._publisher._publish()
    assert value(one) == value(two) == 11
    shutil.rmtree(path)
    assert value(one) == 1
    for each in (one, two):
        each._publisher._publish()
    two.registry.counter("c").inc()
    two.stop()
    assert value(one) == 12


def test_a_run_ends_with_its_last_worker(worker):
    """What an earlier run left behind is not counted, and nobody needs to clean up."""
    one = worker()
    one.registry.counter("c").add(5)
    two = worker()
    one.stop()
    assert value(two) == 5
    two.stop()
    assert value(worker()) == 0


def test_recycled_workers_leave_neither_files_nor_gaps(worker, path):
    """However many come and go, the sum is right and the directory small."""
    stays = worker()
    for _ in range(50):
        passes = worker()
        passes.registry.counter("c").add(2)
        passes.registry.histogram("h").observe(0.5)
        passes.stop()
    assert value(stays) == 100
    assert stays.snapshot().histograms["h"].count == 50
    assert len(list(path.iterdir())) <= 8


def test_a_crash_halfway_through_tidying_up_counts_nothing_twice(worker, path):
    """The file of those that are gone names whom it holds."""
    stays, gone = worker(), worker()
    gone.registry.counter("c").add(7)
    name = gone._publisher.files._life.path.stem
    gone.stop()
    kept = (path / f"{name}.json").read_bytes()
    worker()
    (path / f"{name}.json").write_bytes(kept)  # as if the process had died before removing them
    (path / f"{name}.lock").touch()
    assert value(stays) == 7
    worker()
    assert value(stays) == 7


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"metrics": {}}', b'{"counters": 5}'])
def test_a_damaged_file_is_left_out_and_reported(worker, path, caplog, data):
    """The others are told all the same."""
    one, two, three = worker(), worker(), worker()
    three.registry.counter("c").add(3)
    three._publisher._publish()
    two._publisher.files._life.path.with_suffix(".json").write_bytes(data)
    (path / "departed.json").write_bytes(data)
    with caplog.at_level(logging.WARNING, logger="mist.metrics"):
        assert value(one) == 3
    assert "left out" in caplog.text


def test_a_worker_whose_metrics_do_not_fit_is_left_out_and_reported(worker, caplog):
    """During a deployment, two versions may disagree about what a name is."""
    one, two = worker(), worker()
    one.registry.counter("c").add(1)
    two.registry.gauge("c").set(5)
    two._publisher._publish()
    assert value(one) == 1
    assert "left out: 'c' is a counter here and a gauge there" in caplog.text


@pytest.mark.skipif(os.name != "posix", reason="this system keeps open files from removal")
def test_trouble_with_the_disk_is_reported_once_and_outlived(worker, path, caplog):
    """The program goes on, and so does publishing, once it can."""
    one = worker(interval=0.01)
    with one._publisher._one_at_a_time:
        shutil.rmtree(path)
        path.touch()  # where the directory was
    one.registry.counter("c").add(1)
    until(lambda: "publishing metrics fails" in caplog.text)
    one.registry.counter("c").add(1)
    one._publisher._publish()
    assert len(caplog.records) == 1
    path.unlink()
    until(lambda: list(path.glob("*.json")))


def test_files_are_for_this_user_alone(worker, path):
    """Labels may say more than others should know."""
    worker()
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o700


def test_starting_and_stopping_twice_is_once(worker, path):
    """An application may be careless about it."""
    one = worker()
    one.start()
    assert len(list(path.glob("*.lock"))) == 1
    one.stop()
    one.stop()


def test_the_thread_ends_when_the_worker_stops(path):
    """Nothing is left of it."""
    with WorkerDirectory(path, Registry(), interval=0.01) as directory:
        thread = directory._publisher
        assert thread.is_alive()
    thread.join(10)
    assert not thread.is_alive()


async def test_any_worker_serves_the_metrics_of_all(path, web_app, get):
    """Whichever process the load balancer picks, a scrape sees the whole program."""
    registry = Registry()
    async with (
        WorkerDirectory(path, registry, interval=NEVER) as one,
        WorkerDirectory(path, Registry(), interval=NEVER) as two,
    ):
        registry.counter("jobs").add(2)
        await asyncio.to_thread(one._publisher._publish)
        port = await web_app(two.handler())
        assert json.loads((await get(port)).body)["counters"]["jobs"]["value"] == 2
        assert b"jobs_total 2.0" in (await get(port, "text/plain")).body
        assert [
            family.name
            for family in await asyncio.to_thread(lambda: list(two.collector().collect()))
        ] == ["jobs"]


def test_workers_publish_as_they_go_and_when_they_end(process, worker):
    """Within an interval others see what a process counts; at its end they see the rest."""
    reader = worker()
    child = process("""
        workers.start()
        registry.counter("c").add(1)
        sys.stdin.readline()
        registry.counter("c").add(10)
    """)
    until(lambda: value(reader) == 1)
    child.communicate("\n", timeout=30)
    assert value(reader) == 11


def test_an_exception_that_ends_a_worker_loses_nothing(process, worker):
    """The last publication belongs to the interpreter's end, however it comes about."""
    reader = worker()
    child = process("workers.start(); registry.counter('c').add(3); sys.exit(1)", interval=NEVER)
    child.wait(30)
    assert value(reader) == 3


def test_other_threads_keep_a_worker_publishing(process, worker):
    """A program whose main thread has ended is still one that counts."""
    reader = worker()
    child = process("""
        def work():
            sys.stdin.readline()
            registry.counter("c").add(1)
            sys.stdin.readline()
            registry.counter("c").add(1)

        workers.start()
        threading.Thread(target=work).start()
    """)
    child.stdin.write("\n")
    child.stdin.flush()
    until(lambda: value(reader) == 1)
    child.communicate("\n", timeout=30)
    assert value(reader) == 2


@pytest.mark.skipif(os.name != "posix", reason="this system has no kill -9")
def test_kill_9_loses_what_was_counted_since_the_last_publication_and_no_more(process, worker):
    """What had been published counts; what a dead process held in its gauges does not."""
    reader = worker()
    child = process(
        """
        registry.counter("c").add(100)
        registry.gauge("g").set(5)
        workers.start()
        registry.counter("c").add(7)
        print("ready", flush=True)
        time.sleep(60)
    """,
        interval=NEVER,
    )
    assert child.stdout.readline() == "ready\n"
    assert reader.snapshot().gauges["g"].value == 5
    child.send_signal(signal.SIGKILL)
    child.wait(30)
    snapshot = reader.snapshot()
    assert 100 <= snapshot.counters["c"].value <= 107
    assert "g" not in snapshot.gauges


@pytest.mark.skipif(os.name != "posix", reason="this system has no kill -9")
def test_a_run_that_was_killed_is_over(process, worker):
    """Not even workers that had no chance to leave are taken for living ones later."""
    child = process(
        "registry.counter('c').add(9); workers.start(); print('x', flush=True); time.sleep(60)"
    )
    child.stdout.readline()
    child.kill()
    child.wait(30)
    assert value(worker()) == 0


@forks
def test_a_child_of_a_program_without_threads_publishes_its_last(run_script, path, worker):
    """The interpreter waits for the child's thread, also where nothing else had needed threads."""
    living = worker()
    run_script(
        """
        import os, sys, warnings
        from mist.metrics import Registry, WorkerDirectory

        warnings.filterwarnings("ignore", message=".*multi-threaded.*")
        assert "threading" not in sys.modules
        registry = Registry()
        WorkerDirectory(sys.argv[1], registry, interval=3600).start()
        if not (child := os.fork()):
            registry.counter("c").add(10)
            sys.exit()
        assert os.waitpid(child, 0)[1] == 0
        """,
        path,
    )
    assert value(living) == 10


@forks
def test_forked_children_of_a_worker_are_workers(process, worker):
    """Each publishes what it counted itself; their parent's counts are not doubled."""
    reader = worker()
    child = process("""
        import warnings
        warnings.filterwarnings("ignore", message=".*multi-threaded.*")
        workers.start()
        registry.counter("c").add(100)
        for _ in range(3):
            if not os.fork():
                registry.counter("c").add(1)
                sys.exit(0)
        for _ in range(3):
            assert os.wait()[1] == 0
    """)
    assert child.wait(60) == 0
    assert value(reader) == 103


@forks
def test_a_child_does_not_keep_its_dead_parent_alive(process, worker):
    """The lock that says a worker lives is not inherited."""
    reader = worker()
    parent = process("""
        import warnings
        warnings.filterwarnings("ignore", message=".*multi-threaded.*")
        registry.gauge("g").set(5)
        workers.start()
        if os.fork():
            print("ready", flush=True)
        sys.stdin.read()
    """)
    parent.stdout.readline()
    assert reader.snapshot().gauges["g"].value == 5
    parent.send_signal(signal.SIGKILL)
    parent.wait(30)

    def gauges():
        return [each.value for each in reader.snapshot().gauges.values()]

    until(lambda: gauges() == [0])  # the child's own, once it has joined


@pytest.mark.parametrize("method", ["spawn", pytest.param("fork", marks=forks)])
def test_multiprocessing_workers_add_up(process, worker, method):
    """Its children leave without `atexit`, and publish their last all the same."""
    reader = worker()
    child = process(f"""
        import multiprocessing
        def work(number):
            registry = Registry()
            with_directory = WorkerDirectory(workers._path, registry, interval={NEVER})
            with_directory.start()
            registry.counter("c").add(number)

        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            children = [context.Process(target=work, args=(10 ** n,)) for n in range(4)]
            for child in children:
                child.start()
            for child in children:
                child.join()
                assert child.exitcode == 0
    """)
    assert child.wait(60) == 0
    assert value(reader) == 1111


def test_many_threads_read_while_workers_come_and_go(worker):
    """A reading is never torn: the sum never falls."""
    reader = worker()
    done = threading.Event()
    readings = [[] for _ in range(3)]

    def read(found):
        while not done.is_set():
            found.append(value(reader))

    threads = [threading.Thread(target=read, args=(found,)) for found in readings]
    for thread in threads:
        thread.start()
    for _ in range(30):
        passes = worker()
        passes.registry.counter("c").inc()
        passes.stop()
    done.set()
    for thread in threads:
        thread.join()
    assert value(reader) == 30
    assert all(found == sorted(found) for found in readings)


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="links are followed here")
def test_no_file_is_written_through_a_link_that_somebody_planted(worker, path, tmp_path):
    """Not by the lock, nor by what replaces the file of those that are gone."""
    target = tmp_path / "target"
    target.write_text("theirs")
    path.mkdir(parents=True)
    (path / "mutex").symlink_to(target)
    with pytest.raises(OSError, match="symbolic link"):
        worker()
    (path / "mutex").unlink()
    _one, two = worker(), worker()
    two.stop()
    (path / "departed.new").symlink_to(target)
    with pytest.raises(OSError, match="symbolic link"):
        worker()
    assert target.read_text() == "theirs"


@pytest.mark.skipif(os.name != "posix", reason="modes as POSIX has them")
def test_the_files_are_private_wherever_they_are(worker, path):
    """Also in a directory that others may look into."""
    path.mkdir(parents=True)
    path.chmod(0o755)
    one = worker()
    one.registry.counter("c").inc()
    one._publisher._publish()
    assert {file.stat().st_mode & 0o777 for file in path.iterdir()} == {0o600}
