"""The same without an event loop: on threads, on processes, or on any executor."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
)
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

from mist.parallel.call import is_async, want_callable
from mist.parallel.errors import ParallelError
from mist.parallel.pool import Pool
from mist.parallel.progress import OnProgress, Progress
from mist.parallel.rate_limiter import LOOK_SECONDS, Grant
from mist.parallel.result import Result

# The place of an input, the input, and what the rate limiter granted it.
_Call: TypeAlias = tuple[int, Any, Grant | None]


def each_result(
    pool: Pool,
    inputs: Iterable[Any],
    fn: Callable[[Any], Any],
    on: object,
    on_progress: OnProgress | None,
) -> list[Result[Any]]:
    """Do what `map_sync` promises."""
    want_callable(fn)
    if is_async(fn):
        name = getattr(fn, "__name__", "fn")
        raise ParallelError(
            f"map_sync calls plain functions; `await map(pool, inputs, {name})` is for"
            " coroutine functions"
        )
    progress = Progress(on_progress, inputs)
    results: list[Result[Any]] = []
    with _executing(fn, on, pool.workers) as submit:
        under_way: dict[Future[Any], _Call] = {}
        # Not `concurrent.futures.wait`: it waits for ever for what a shutdown has cancelled.
        done: SimpleQueue[Future[Any]] = SimpleQueue()
        try:
            for index, input_ in enumerate(inputs):
                grant = pool.rate.wait_sync() if pool.rate is not None else None
                future = _submit(submit, input_)
                under_way[future] = (index, input_, grant)
                future.add_done_callback(done.put)
                if len(under_way) >= pool.workers:
                    results.append(_result(_next(done), under_way))
                    progress.report(len(results))
            while under_way:
                results.append(_result(_next(done), under_way))
                progress.report(len(results))
        except Exception:
            while under_way:
                _result(_next(done), under_way)
            raise
        finally:
            for future in under_way:
                future.cancel()
    results.sort(key=lambda result: result.index)
    return results


def _submit(submit: Callable[[Any], Future[Any]], input_: Any) -> Future[Any]:
    try:
        return submit(input_)
    except BrokenExecutor as exc:
        broken: Future[Any] = Future()
        broken.set_exception(exc)
        return broken


def _next(done: SimpleQueue[Future[Any]]) -> Future[Any]:
    while True:
        with contextlib.suppress(Empty):
            return done.get(timeout=LOOK_SECONDS)


def _result(future: Future[Any], under_way: dict[Future[Any], _Call]) -> Result[Any]:
    index, input_, grant = under_way.pop(future)
    error = CancelledError() if future.cancelled() else future.exception()
    if error is None:
        return Result(index, input_, future.result(), None)
    if grant is not None:
        grant.failed(error)
    return Result(index, input_, None, error)


@contextlib.contextmanager
def _executing(
    fn: Callable[[Any], Any], on: object, workers: int
) -> Generator[Callable[[Any], Future[Any]]]:
    """Have something for a block that begins a call of `fn` with an input."""
    if isinstance(on, Executor):
        yield lambda input_: on.submit(fn, input_)
    elif on == "threads":
        threads = ThreadPoolExecutor(workers, "mist.parallel")
        try:
            yield lambda input_: threads.submit(contextvars.copy_context().run, fn, input_)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
    elif on == "processes":
        from mist.parallel.processes import processes  # noqa: PLC0415  # takes long to import
        from mist.parallel.worker_process import call  # noqa: PLC0415  # as this does

        with processes(workers, fn) as executor:
            yield lambda input_: executor.submit(call, fn, input_)
    else:
        raise ParallelError(f"on must be 'threads', 'processes' or an executor, got {on!r}")
