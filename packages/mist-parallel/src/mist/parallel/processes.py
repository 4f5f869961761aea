"""An executor of processes that leaves none behind."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from mist.parallel.errors import ParallelError
from mist.parallel.worker_process import prepare

# Seconds that a worker has to end when it is asked to, before it is killed.
_GRACE = 2.0


@contextlib.contextmanager
def processes(workers: int, fn: Callable[..., Any]) -> Generator[ProcessPoolExecutor]:
    """Have an executor for a block; where the block fails, its processes are ended at once.

    Raises:
        ParallelError: `fn` cannot be sent to a process.
    """
    try:
        pickle.dumps(fn)
    except Exception as exc:
        name = getattr(fn, "__qualname__", repr(fn))
        raise ParallelError(
            f"{name} cannot be sent to a process: define it at the top of a module, or use threads"
        ) from exc
    context = _Spawning()
    executor = ProcessPoolExecutor(workers, context, initializer=prepare)
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        _end(context.started)
        raise
    executor.shutdown()


class _Spawning(SpawnContext):
    """Starts processes, and remembers them: the executor does not tell which are its own.

    They are not forked: a fork of a program with threads may hang for ever in a lock that one of
    them held.
    """

    def __init__(self) -> None:
        super().__init__()
        self.started: list[SpawnProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802  # a class there, and called alike
        process = SpawnProcess(*args, **kwargs)
        self.started.append(process)
        return process


def _end(started: list[SpawnProcess]) -> None:
    alive = [process for process in started if process.is_alive()]
    for process in alive:
        process.terminate()
    for process in alive:
        process.join(_GRACE)
        if process.is_alive():  # it does not listen to SIGTERM
            process.kill()
            process.join()
