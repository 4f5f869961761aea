"""Every claim of being safe for threads, tasks and event loops, under the worst of schedules.

Each test names what is claimed, and takes seconds. The packages' own tests hold the same claims
one case at a time; here sixteen threads meet, half of them with an event loop.
"""

import asyncio
import collections
import io
import itertools
import json
import logging
import re
import threading
import time

import pytest

from mist import checkpoint, output, platform, trace
from mist import logging as mist_logging
from mist.circuitbreaker import Breaker, BreakerPool, CircuitOpenError, State
from mist.config import load
from mist.health import Handler
from mist.lifecycle import drain_group, request_shutdown, run_async, shutting_down
from mist.metrics import Registry
from mist.parallel import RateLimiter
from mist.protocol import Message
from mist.resource import Limiter, MemoryBudget
from mist.retry import Budget, Policy, do, do_sync
from mist.transport import BufferFull, Channel, sync

THREADS = 8  # of which `stress` starts as many, and as many with an event loop
EACH = 900  # pieces of work in each thread or loop
ALL = 16 * EACH


class Inside:
    """Counts who is inside something at a time, and remembers the most there were."""

    def __init__(self):
        self.now = self.most = self.total = 0
        self._lock = threading.Lock()

    def __enter__(self):
        with self._lock:
            self.now += 1
            self.total += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *exc):
        with self._lock:
            self.now -= 1


def test_metrics_lose_nothing_while_they_are_read(stress):
    """Counters, gauges, histograms, timers and the cap on series are exact; readers see no mess."""
    registry = Registry(max_series=40)
    counter, gauge = registry.counter("calls"), registry.gauge("level")
    timer = registry.histogram("took")

    def count(number):
        for step in range(EACH):
            counter.inc()
            gauge.inc()
            registry.counter("labelled", step=step % 50).inc()
            with timer.time():
                pass
            if step % 50 == number:
                registry.snapshot()

    async def in_loop(number):
        await asyncio.sleep(0)
        count(number)

    stress(count, in_loop)
    snapshot = registry.snapshot()
    assert counter.value == gauge.value == timer.snapshot().count == ALL
    labelled = [c for c in snapshot.counters.values() if c.name == "labelled"]
    assert len(snapshot.counters) + len(snapshot.gauges) + len(snapshot.histograms) <= 42
    assert sum(c.value for c in labelled) <= ALL


def test_a_breaker_lets_exactly_so_many_probe(stress):
    """Half-open, no more than `half_open_max` are inside; no permit is lost; hooks come in order."""
    changes, inside, clock = [], Inside(), itertools.count()
    breaker = Breaker(
        threshold=1,
        timeout=5,
        half_open_max=2,
        on_state_change=lambda old, new: changes.append((old, new)),
        clock=lambda: float(next(clock)),
    )
    refused = []

    def probe(number, step):
        if breaker.state is not State.CLOSED:
            with inside:
                time.sleep(0)
        if (number + step) % 3 == 0:
            raise ConnectionError

    async def probe_async(number, step):
        await asyncio.sleep(0)
        probe(number, step)

    def in_thread(number):
        for step in range(EACH):
            try:
                breaker.do_sync(lambda: probe(number, step))  # noqa: B023  # called at once
            except CircuitOpenError:
                refused.append(number)
            except ConnectionError:
                pass

    async def in_loop(number):
        for step in range(EACH):
            try:
                await breaker.do(lambda: probe_async(number, step))  # noqa: B023  # called at once
            except CircuitOpenError:
                refused.append(number)
            except ConnectionError:
                pass

    stress(in_thread, in_loop)
    assert all(new is after for (_, new), (after, _) in itertools.pairwise(changes))
    assert sum(breaker.counts()) + len(refused) == ALL
    # Whatever was going on, the circuit can be closed again: every permit came back.
    for _ in range(1000):
        if breaker.state is State.CLOSED:
            break
        try:
            breaker.do_sync(lambda: None)
        except CircuitOpenError:
            continue
    assert breaker.state is State.CLOSED


def test_a_half_open_breaker_is_entered_by_no_more_than_it_says(stress):
    """All come at once to a circuit that has just become half-open; two are let through."""
    rounds, now, breakers = 200, [0.0], []

    def fail():
        raise ConnectionError

    def open_another():
        breakers.append(Breaker(threshold=1, timeout=1, half_open_max=2, clock=lambda: now[0]))
        with pytest.raises(ConnectionError):
            breakers[-1].do_sync(fail)
        now[0] += 2

    begin = threading.Barrier(THREADS, open_another)
    decided = threading.Barrier(THREADS)
    inside = Inside()

    def probe():
        with inside:
            decided.wait(60)

    def in_thread(_):
        for _ in range(rounds):
            begin.wait(60)
            try:
                breakers[-1].do_sync(probe)
            except CircuitOpenError:
                decided.wait(60)

    stress(in_thread)
    assert (inside.most, inside.total) == (2, 2 * rounds)
    assert {breaker.state for breaker in breakers} == {State.CLOSED}


def test_a_pool_makes_one_breaker_a_key(stress):
    """Whoever asks for a key first, all get the same one."""
    pool = BreakerPool(max_breakers=EACH)
    found = stress(lambda _: [pool.get(f"host {n}") for n in range(EACH)])
    assert all(breakers == found[0] for breakers in found)
    assert len({id(breaker) for breaker in found[0]}) == EACH


def test_a_retry_budget_is_spent_once(stress):
    """Sixteen operations' retries together take exactly what it holds."""
    budget = Budget(500, refill_rate=0, refund=0)
    policy = Policy(max_attempts=EACH, initial_wait=0.000_001, max_wait=0.000_002)
    calls = itertools.count()

    def fail():
        next(calls)
        raise ConnectionError("down")

    async def fail_async():
        fail()

    def in_thread(_):
        with pytest.raises(ConnectionError):
            do_sync(policy, fail, budget=budget)

    async def in_loop(_):
        with pytest.raises(ConnectionError):
            await do(policy, fail_async, budget=budget)

    stress(in_thread, in_loop)
    assert budget.granted == 500
    assert next(calls) == 16 + 500
    assert budget.available == 0


def test_a_rate_limiter_keeps_to_its_rate(stress):
    """No window has more in it than the rate, whoever waits and however; all get their turn."""
    limiter = RateLimiter(400, 0.1)
    turns = []

    def in_thread(_):
        for _ in range(EACH // 3):
            limiter.wait_sync()
            turns.append(time.monotonic())

    async def in_loop(_):
        for _ in range(EACH // 3):
            await limiter.wait()
            turns.append(time.monotonic())

    began = time.monotonic()
    stress(in_thread, in_loop)
    assert len(turns) == ALL // 3
    assert time.monotonic() - began >= (len(turns) / 400 - 1) * 0.1
    assert limiter.waiting == 0


def test_a_limiter_and_a_memory_budget_are_never_exceeded(stress):
    """Slots and bytes, waited for, tried for and timed out on, all come back."""
    limiter, memory = Limiter("slots", 3), MemoryBudget("bytes", 100)
    inside, most = Inside(), []

    def in_thread(number):
        for step in range(EACH):
            if step % 3 == 0:
                if limiter.try_acquire():
                    with inside:
                        pass
                    limiter.release()
            elif limiter.acquire_sync(timeout=0.000_1 if step % 3 == 1 else None):
                with inside, memory.reserving(1 + (step * number) % 100, wait=True):
                    most.append(memory.reserved)
                limiter.release()

    async def in_loop(number):
        async def work(step):
            async with limiter, memory.reserving(1 + (step * number) % 100, wait=True):
                with inside:
                    most.append(memory.reserved)

        async def given_up(step):
            try:
                async with asyncio.timeout(0.000_1):
                    await work(step)
            except TimeoutError:
                pass

        await asyncio.gather(*((work, given_up)[n % 2](n) for n in range(EACH)))

    stress(in_thread, in_loop)
    assert inside.most <= 3
    assert max(most) <= 100
    assert (limiter.active, limiter.waiting, memory.reserved) == (0, 0, 0)


def test_a_health_check_runs_once_at_a_time(stress):
    """Probes of all threads and loops share its run."""
    handler, inside = Handler("tool", "1"), Inside()

    async def check():
        with inside:
            await asyncio.sleep(0.001)

    def plain():
        with other:
            time.sleep(0.001)

    other = Inside()
    handler.add_check("async", check, timeout=30)
    handler.add_check("plain", plain, timeout=30)

    async def in_loop(_):
        for _ in range(15):
            report = await handler.check()
            assert report.status in ("ok", "degraded")
            await asyncio.sleep(0)

    def in_thread(number):
        for _ in range(EACH):
            handler.set_ready(ready=True)
            handler.add_check(f"extra {number}", lambda: None)
            handler.remove_check(f"extra {number}")

    stress(in_thread, in_loop)
    assert inside.most == other.most == 1


def test_spans_reach_every_sink_once(stress):
    """Sinks that come and go miss nothing of the others'; batches have each span once."""
    shipped, seen = [], collections.Counter()
    sink = trace.BufferedSink(shipped.extend, capacity=ALL * 2, batch=64, interval=0.01)

    def count(span):
        seen[span.operation] += 1  # of one thread only: the operation is its number

    def end(number):
        for _ in range(EACH):
            with trace.start(str(number)) as outer, trace.start(str(number)) as inner:
                assert inner.parent_id == outer.span_id
                assert trace.current() is inner
            trace.add_sink(lambda _: None).remove()

    async def in_loop(number):
        async def one():
            with trace.start(str(number)) as outer:
                await asyncio.sleep(0)
                with trace.start(str(number)) as inner:
                    assert inner.parent_id == outer.span_id

        await asyncio.gather(*(one() for _ in range(EACH)))

    handles = [trace.add_sink(count), trace.add_sink(sink)]
    try:
        stress(end, in_loop)
    finally:
        for handle in handles:
            handle.remove()
        sink.close()
    assert seen == {str(n): 2 * EACH for n in range(16)}
    assert (sink.shipped, sink.dropped) == (2 * ALL, 0)
    assert len({span.span_id for span in shipped}) == 2 * ALL


def test_a_carried_function_may_be_called_from_any_thread(stress):
    """Each call has the span that was current, and none changes what another sees."""

    def work():
        with trace.start("inside") as span:
            time.sleep(0)
            assert trace.current() is span
        assert trace.current() is outer
        return span.parent_id

    with trace.start("outer") as outer:
        carried = trace.carry(work)
    parents = stress(lambda _: {carried() for _ in range(EACH)})
    assert set().union(*parents) == {outer.span_id}


def test_log_lines_come_whole_and_with_their_own_fields(stress, tmp_path):
    """One logger, a bound one a thread, the standard library's, and levels that change meanwhile."""
    path = tmp_path / "log"
    with path.open("a", encoding="utf-8") as file:
        logger = mist_logging.new("tool", writer=file)
        standard = logger.stdlib()

        def write(number):
            mine = logger.bind(mine=number)
            for step in range(EACH // 3):
                with mist_logging.bound(who=number):
                    mine.info("line", step=step, text="x" * 200)
                    logger.info("shared", step=step)
                    standard.info("standard %d", step)
                    logger.set_level(logging.INFO)

        async def in_loop(number):
            await asyncio.gather(asyncio.to_thread(write, number))

        stress(write, in_loop)
        assert logger.dropped == 0
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == ALL
    own = [line for line in lines if line["msg"] == "line"]
    assert all(line["mine"] == line["who"] for line in own)
    assert len({(line["mine"], line["step"]) for line in own}) == ALL // 3


def test_a_step_is_done_once_whoever_asks(stress, tmp_path):
    """Threads and loops share a tracker; each result is on the disk once."""
    done = collections.Counter()
    steps = [f"step {n}" for n in range(40)]

    with checkpoint.open(tmp_path, "run") as tracker:

        def work(name):
            done[name] += 1
            time.sleep(0)
            return name

        async def work_async(name):
            await asyncio.sleep(0)
            return work(name)

        def in_thread(number):
            for name in steps[number:] + steps[:number]:
                assert tracker.step_sync(name, lambda: work(name)) == name  # noqa: B023  # at once

        async def in_loop(number):
            names = steps[number:] + steps[:number]
            asked = [tracker.step(name, lambda name=name: work_async(name)) for name in names]
            assert await asyncio.gather(*asked) == names

        stress(in_thread, in_loop)
        assert sorted(tracker.completed_steps()) == sorted(steps)
    assert done == dict.fromkeys(steps, 1)
    completed = [r.step for r in checkpoint.read_records(tracker.path) if r.status == "completed"]
    assert sorted(completed) == sorted(steps)


def test_a_file_lock_has_one_holder(stress, tmp_path):
    """Threads that wait, that try and that give up never hold it together."""
    inside, path = Inside(), tmp_path / "lock"

    def in_thread(number):
        for _ in range(EACH // 10):
            if number % 2:
                with platform.lock(path, timeout=60), inside:
                    pass
            elif held := platform.try_lock(path):
                with held, inside:
                    pass

    stress(in_thread)
    assert inside.most == 1
    assert inside.total >= 4 * (EACH // 10)


@pytest.mark.usefixtures("restless")
async def test_a_drain_waits_for_every_thread():
    """Work counted by threads holds the drain up; of many requests to end, one counts."""
    finished, reports = [], []

    def in_thread(group, number):
        for _ in range(EACH):
            with group.track(f"job {number}"):
                pass
        request_shutdown()
        time.sleep(0.01)
        finished.append(number)

    async def main():
        group, ending = drain_group(), shutting_down()

        async def job(number):
            async with group.track(f"task {number}"):
                await asyncio.to_thread(in_thread, group, number)

        for number in range(8):
            group.spawn(job(number))
        await ending.wait()

    await run_async(main, signals=False, on_report=reports.append)
    assert sorted(finished) == list(range(8))
    assert len(reports) == 1


def test_progress_counts_from_any_thread(stress):
    """No step is lost, and each line is whole."""
    stream = io.StringIO()
    with output.progress(ALL, "work", stream=stream, interval=0.001) as bar:

        def advance(_):
            for _ in range(EACH):
                bar.advance()

        async def in_loop(number):
            await asyncio.to_thread(advance, number)

        stress(advance, in_loop)
        assert bar.done == ALL
    lines = stream.getvalue().splitlines()
    assert lines
    shape = re.compile(rf"work: \d+/{ALL} .*")
    assert [line for line in lines if not shape.fullmatch(line)] == []


def test_messages_never_share_an_id(stress):
    """The supply of random bytes is fetched by whoever finds it empty."""
    made = stress(lambda _: [Message.new("s", "t", None).id for _ in range(EACH * 3)])
    assert len(set().union(*made)) == 8 * EACH * 3


def test_a_blocking_transport_is_shared_by_threads(stress):
    """What four threads send four others receive, each message once."""
    received, sent = [], []
    with sync.blocking(lambda: Channel(size=4)) as transport:
        left = itertools.count(1)

        def in_thread(number):
            if number % 2:
                received.extend(transport)
                return
            for _ in range(EACH // 3):
                message = Message.new("s", "t", number)
                sent.append(message.id)
                transport.blocking_send(message)
            if next(left) == 4:
                transport.close()

        stress(in_thread)
    assert sorted(message.id for message in received) == sorted(sent)
    assert len(sent) == 4 * (EACH // 3)


async def test_a_transport_is_shared_by_tasks():
    """Tasks of one loop that send, receive and are cancelled lose only what they did not send."""
    channel, received = Channel(size=2), []
    sent = [Message.new("s", "t", n) for n in range(200)]

    async def receive():
        async for message in channel:
            received.append(message.id)
            await asyncio.sleep(0)

    async def send(message):
        while True:
            try:
                return await channel.send(message)
            except BufferFull:
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as receivers:
        for _ in range(4):
            receivers.create_task(receive())
        async with asyncio.TaskGroup() as senders:
            for message in sent:
                senders.create_task(send(message))
        while len(received) < len(sent):
            await asyncio.sleep(0)
        await channel.close()
    assert sorted(received) == sorted(message.id for message in sent)


def test_configurations_are_loaded_in_any_thread(stress, tmp_path):
    """The schema of a type is made once or often, and never seen half made."""
    path = tmp_path / "app.toml"
    path.write_text('name = "x"\n[db]\nport = 1\n')
    source = (
        "import msgspec\n"
        "class Db(msgspec.Struct):\n    port: int = 0\n"
        "class Settings(msgspec.Struct):\n    name: str\n    db: Db\n"
    )

    def in_thread(number):
        for step in range(EACH // 20):
            namespace = {"__name__": f"made_{number}_{step}"}
            exec(source, namespace)  # a class that no thread has seen
            settings = load(path, "APP", namespace["Settings"], env={"APP_DB__PORT": "7"})
            assert (settings.name, settings.db.port) == ("x", 7)

    stress(in_thread)
