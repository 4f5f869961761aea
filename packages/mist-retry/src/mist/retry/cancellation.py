"""Whether an error is what a cancellation has turned into."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio


def ended_by_cancellation(
    error: BaseException, task: asyncio.Task[object], requests_before: int
) -> bool:
    """Whether an operation ended in `error` because its task was cancelled meanwhile.

    An operation that cleans up after its cancellation may fail in doing so, and raise that
    failure in the place of the CancelledError.

    Args:
        error: what the operation raised.
        task: in which it ran.
        requests_before: what `task.cancelling()` was before.
    """
    import asyncio  # noqa: PLC0415  # what runs a task has imported it

    # Not enough by itself: before Python 3.13, a TaskGroup whose child fails leaves a request
    # behind that nobody made.
    if task.cancelling() <= requests_before:
        return False
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        link = pending.pop()
        if isinstance(link, asyncio.CancelledError):
            return True
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            pending += (link.__cause__, link.__context__)
    return False
