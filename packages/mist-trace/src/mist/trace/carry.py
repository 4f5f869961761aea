"""Spans in threads that do not inherit them."""

from __future__ import annotations

from contextvars import copy_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")


def carry(fn: Callable[P, T], /) -> Callable[P, T]:
    """Bind the present context, and so the current span, to a function.

    For threads that start with an empty context: `executor.submit(carry(fn), ...)`,
    `executor.map(carry(fn), ...)`, `Thread(target=carry(fn))`. Each call gets a copy of the
    context as it was when `carry` was called, so that calls may run at once, and none changes
    what another sees.
    """
    from functools import wraps  # noqa: PLC0415  # half the cost of importing this package

    context = copy_context()

    @wraps(fn)
    def carried(*args: P.args, **kwargs: P.kwargs) -> T:
        return context.copy().run(fn, *args, **kwargs)

    return carried
