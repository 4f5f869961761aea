"""Retrying generators: until the first item, and not after it."""

from __future__ import annotations

from mist.retry.awaiting import persist
from mist.retry.calling import persist_sync
from mist.retry.notes import annotate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Any

    from mist.retry.plan import Plan


def retry_generator(
    plan: Plan, fn: Callable[..., Generator[Any, Any, Any]]
) -> Callable[..., Generator[Any, Any, Any]]:
    """A generator function that begins again while `fn`'s generator fails before an item."""

    def retried(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        def begin() -> tuple[Generator[Any, Any, Any] | None, Any]:
            source = fn(*args, **kwargs)
            try:
                return source, next(source)
            except StopIteration as end:
                return None, end.value

        source, item = persist_sync(plan, begin)
        if source is None:
            return item
        given = 0
        try:
            while True:
                given += 1
                try:
                    sent = yield item
                except GeneratorExit:
                    source.close()
                    raise
                except BaseException as thrown:  # noqa: BLE001  # all of it is the source's
                    item = source.throw(thrown)
                else:
                    try:
                        item = source.send(sent)
                    except Exception as error:
                        _explain(error, given)
                        raise
        except StopIteration as end:
            return end.value

    return retried


def retry_async_generator(
    plan: Plan, fn: Callable[..., AsyncGenerator[Any, Any]]
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """The same for asynchronous generators."""

    async def retried(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        async def begin() -> tuple[AsyncGenerator[Any, Any] | None, Any]:
            source = fn(*args, **kwargs)
            try:
                return source, await anext(source)
            except StopAsyncIteration:
                return None, None

        source, item = await persist(plan, begin)
        if source is None:
            return
        given = 0
        try:
            while True:
                given += 1
                try:
                    sent = yield item
                except GeneratorExit:
                    raise
                except BaseException as thrown:  # noqa: BLE001  # all of it is the source's
                    item = await source.athrow(thrown)
                else:
                    try:
                        item = await source.asend(sent)
                    except Exception as error:
                        _explain(error, given)
                        raise
        except StopAsyncIteration:
            return
        finally:
            await source.aclose()

    return retried


def _explain(error: Exception, given: int) -> None:
    """Note why an error is not retried, unless it is the end of the items."""
    if not isinstance(error, (StopIteration, StopAsyncIteration)):
        items = "1 item has" if given == 1 else f"{given} items have"
        annotate(error, "retry: ", f"not tried again: {items} been given already")
