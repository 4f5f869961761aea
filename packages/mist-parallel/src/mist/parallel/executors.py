"""The same without an event loop: on threads, on processes, or on any executor."""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import logging
import multiprocessing
import pickle
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from typing import Any, Literal, TypeVar

from mist.parallel.errors import ParallelError
from mist.parallel.pool import Pool
from mist.parallel.result import Result
from mist.parallel.worker_process import prepare

In = TypeVar("In")
Out = TypeVar("Out")
OnProgress = Callable[[int, int | None], object]

_logger = logging.getLogger("mist.parallel")


def map_sync(
    pool: Pool,
    inputs: Iterable[In],
    fn: Callable[[In], Out],
    *,
    on: Literal["threads", "processes"] | Executor = "threads",
    on_progress: OnProgress | None = None,
) -> list[Result[Out]]:
    """Call `fn` with each input, and return what became of each, in the order of the inputs.

    An exception of `fn` is that input's result. Ctrl-C ends the processes and begins nothing
    more; threads cannot be ended, and are left to finish what they are at.

    Args:
        pool: how many at a time.
        inputs: may be made while they are consumed; no more are taken than are worked on.
        fn: a plain function; for processes, one that they can import, with inputs and results
            that pickle.
        on: `threads` for work that waits, `processes` for work that computes, or an executor,
            which is left open.
        on_progress: called with how many are done, and how many there are (None if unknown).

    Raises:
        ParallelError: `fn` is a coroutine function, or cannot be sent to a process.
    """
    if inspect.iscoroutinefunction(fn):
        raise ParallelError(
            f"map_sync calls plain functions; `await map(pool, inputs, {fn.__name__})` is for"
            " coroutine functions"
        )
    total = len(inputs) if hasattr(inputs, "__len__") else None  # type: ignore[arg-type]  # it has
    results: list[Result[Any]] = []
    with _executor(on, pool.workers, fn) as executor:
        under_way: dict[Future[Any], tuple[int, Any]] = {}
        try:
            for index, input_ in enumerate(inputs):
                if pool.rate is not None:
                    pool.rate.wait_sync()
                under_way[_submit(executor, on, fn, input_)] = (index, input_)
                if len(under_way) >= pool.workers:
                    _collect(under_way, results)
                    _report(on_progress, len(results), total)
            while under_way:
                _collect(under_way, results)
                _report(on_progress, len(results), total)
        finally:
            for future in under_way:
                future.cancel()
    results.sort(key=lambda result: result.index)
    return results


def _submit(executor: Executor, on: object, fn: Callable[[Any], Any], input_: Any) -> Future[Any]:
    if on == "threads":
        return executor.submit(contextvars.copy_context().run, fn, input_)
    return executor.submit(fn, input_)


def _collect(under_way: dict[Future[Any], tuple[int, Any]], results: list[Result[Any]]) -> None:
    """Wait until something is done, and take the results of what is."""
    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
    for future in done:
        index, input_ = under_way.pop(future)
        error = future.exception()
        value = None if error is not None else future.result()
        results.append(Result(index, input_, value, error))


def _report(on_progress: OnProgress | None, done: int, total: int | None) -> None:
    if on_progress is None:
        return
    try:
        on_progress(done, total)
    except Exception:
        _logger.warning("on_progress raised", exc_info=True)


@contextlib.contextmanager
def _executor(on: object, workers: int, fn: Callable[..., Any]) -> Generator[Executor]:
    if isinstance(on, Executor):
        yield on
    elif on == "threads":
        threads = ThreadPoolExecutor(workers, "mist.parallel")
        try:
            yield threads
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
    elif on == "processes":
        with _processes(workers, fn) as processes:
            yield processes
    else:
        raise ParallelError(f"on must be 'threads', 'processes' or an executor, got {on!r}")


@contextlib.contextmanager
def _processes(workers: int, fn: Callable[..., Any]) -> Generator[Executor]:
    try:
        pickle.dumps(fn)
    except Exception as exc:
        name = getattr(fn, "__qualname__", repr(fn))
        raise ParallelError(
            f"{name} cannot be sent to a process: define it at the top of a module, or use threads"
        ) from exc
    others = set(multiprocessing.active_children())
    # Not forked: a fork of a program with threads may hang for ever in a lock that one of them held.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, context, initializer=prepare)
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
            process.join()
        raise
    executor.shutdown()
