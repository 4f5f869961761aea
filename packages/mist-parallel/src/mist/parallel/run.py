"""One run over some inputs: what is under way, and what is done."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from typing import Any

from mist.parallel.call import Caller
from mist.parallel.pool import Pool
from mist.parallel.progress import OnProgress, Progress
from mist.parallel.result import Result


class Run:
    """Works on inputs as they come, and hands out results as they are done.

    Nothing is taken from the inputs before there is room for it. Every task is the run's own, and
    is over when `stop` returns.

    Args:
        pool: how many at a time.
        inputs: may be endless.
        fn: what is called with each.
        ahead: how many results may wait to be fetched before no more is begun; None for any.
        on_progress: called with how many are done, and how many there are if that is known.
    """

    def __init__(
        self,
        pool: Pool,
        inputs: Iterable[Any] | AsyncIterable[Any],
        fn: Callable[[Any], Any],
        *,
        ahead: int | None,
        on_progress: OnProgress | None,
    ) -> None:
        self._workers = pool.workers
        self._inputs = inputs
        self._caller = Caller(fn, pool.workers, pool.rate)
        self._ahead = ahead
        self._progress = Progress(on_progress, inputs)
        self._under_way: dict[asyncio.Task[Any], tuple[int, Any]] = {}
        self._ready: deque[Result[Any]] = deque()
        self._done = 0
        self._stopping = False
        self._loop = asyncio.get_running_loop()
        self._room: asyncio.Future[None] | None = None
        self._news: asyncio.Future[None] | None = None
        self._feeding = self._loop.create_task(self._feed())
        self._feeding.add_done_callback(lambda _: self._tell())

    async def results(self) -> AsyncGenerator[Result[Any], None]:
        """Yield results in the order in which they are done.

        What the inputs themselves raise is raised when all that was begun is done.
        """
        while True:
            while self._ready:
                yield self._ready.popleft()
                self._make_room()
            if self._feeding.done() and not self._under_way:
                break
            self._news = self._loop.create_future()
            await self._news
        self._feeding.result()

    async def stop(self) -> None:
        """Cancel what is under way, and wait until it is over."""
        self._stopping = True
        self._progress.stop()
        tasks = [self._feeding, *self._under_way]
        for task in tasks:
            task.cancel()
        try:
            await _all_over(tasks)
        finally:
            self._caller.close()

    async def _feed(self) -> None:
        index = 0
        if isinstance(self._inputs, AsyncIterable):
            source = aiter(self._inputs)
            try:
                async for input_ in source:
                    if self._stopping:
                        break  # the source has missed its cancellation, as what it awaits may
                    self._begin(index, input_)
                    index += 1
                    if self._is_full():
                        await self._until_room()
            finally:
                if isinstance(source, AsyncGenerator):
                    await source.aclose()
        else:
            for input_ in self._inputs:
                self._begin(index, input_)
                index += 1
                if self._is_full():
                    await self._until_room()

    def _begin(self, index: int, input_: Any) -> None:
        try:
            task = self._loop.create_task(self._caller.call(input_))
        except Exception as exc:  # noqa: BLE001  # of a call with the wrong arguments, say
            self._record(Result(index, input_, None, exc))
            return
        self._under_way[task] = (index, input_)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[Any]) -> None:
        index, input_ = self._under_way.pop(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        value = None if error is not None else task.result()
        self._record(Result(index, input_, value, error))

    def _record(self, result: Result[Any]) -> None:
        self._ready.append(result)
        self._done += 1
        self._tell()
        self._make_room()
        self._progress.report(self._done)

    def _is_full(self) -> bool:
        begun = len(self._under_way)
        if begun >= self._workers:
            return True
        return self._ahead is not None and begun + len(self._ready) >= self._ahead

    async def _until_room(self) -> None:
        while self._is_full():
            self._room = self._loop.create_future()
            await self._room

    def _make_room(self) -> None:
        if self._room is not None and not self._room.done() and not self._is_full():
            self._room.set_result(None)

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


async def _all_over(tasks: list[asyncio.Task[Any]]) -> None:
    """Wait for tasks, whatever they come to; cancelled meanwhile, wait all the same."""
    cancelled = False
    while any(not task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:
            # What was asked of the tasks already is all that can be done.
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
