"""Where a task or a thread stands."""

from __future__ import annotations

import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from types import FrameType
    from typing import Any

_HERE = str(Path(__file__).parent)


def task_stack(task: asyncio.Task[Any]) -> tuple[str, ...]:
    """The functions a task is in, the innermost last.

    `Task.get_stack` knows only the outermost of those that wait.
    """
    lines: list[str] = []
    inner: object = task.get_coro()
    while inner is not None:
        frame = _first(inner, "cr_frame", "gi_frame", "ag_frame")
        if frame is not None:
            lines += _lines(frame)
        inner = _first(inner, "cr_await", "gi_yieldfrom", "ag_await")
    return tuple(lines)


def thread_stack(ident: int | None) -> tuple[str, ...]:
    """The functions a thread is in, the innermost last; none if it is over."""
    lines: list[str] = []
    frame = sys._current_frames().get(ident or 0)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # documented
    while frame is not None:
        lines += _lines(frame)
        frame = frame.f_back
    return tuple(reversed(lines))


def frame_line(frame: FrameType) -> str:
    """The place where a frame stands."""
    code = frame.f_code
    return f'File "{code.co_filename}", line {frame.f_lineno}, in {code.co_qualname}'


def _lines(frame: FrameType) -> list[str]:
    """The frame's line, unless it is one of those that lead to the user's own."""
    name = frame.f_code.co_filename
    own = name.startswith(_HERE) or frame.f_globals.get("__name__") == "threading"
    return [] if own else [frame_line(frame)]


def _first(owner: object, *attributes: str) -> Any:
    """The first of some attributes that is there."""
    return next((getattr(owner, each) for each in attributes if hasattr(owner, each)), None)
