"""Whose a span is that was opened inside a generator, and whether that generator is at work.

A generator has no context of its own: what it sets in a context variable stays set for its
consumer while it is suspended at a `yield`. So a span that is entered in a generator remembers
the generator's frame, and counts as current only while that generator is at work: executing, or
suspended at an `await`.
"""

from __future__ import annotations

from sys import _getframe  # pyright: ignore[reportPrivateUsage]  # CPython's, and documented

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_CO_GENERATOR, _CO_ITERABLE_COROUTINE, _CO_ASYNC_GENERATOR = 0x20, 0x100, 0x200

GENERATOR = _CO_GENERATOR | _CO_ASYNC_GENERATOR
"""The flags of code whose frames may be suspended at a `yield`."""

# They drive a generator as the two halves of something else: what it opens before its `yield`
# is meant for the code that runs between the halves.
_DRIVERS = frozenset(("contextlib", "_pytest.fixtures"))

# See `RESUME` in the documentation of the module dis.
_AFTER = 3
_AFTER_YIELD, _AFTER_YIELD_FROM = 1, 2


def owner(frame: FrameType | None) -> FrameType | None:
    """Return the frame of the generator that a block entered in `frame` is part of, if any.

    The block of a function under `contextlib.contextmanager` is the one that the context
    manager is used in.
    """
    while frame is not None:
        if _is_driver(frame):
            frame = frame.f_back
        elif not _is_generator(frame):
            return None
        elif frame.f_back is None or not _is_driver(frame.f_back):
            return frame
        else:
            frame = frame.f_back
    return None


def at_work(frame: FrameType) -> bool:
    """Tell whether a generator is executing or awaits something, rather than being suspended."""
    if frame.f_back is not None:
        return True
    # Where a suspended frame will go on is an instruction RESUME that tells what it follows;
    # f_lasti is that one or, before Python 3.13, the one before it.
    from opcode import opmap  # noqa: PLC0415  # only for spans of generators

    code, last = frame.f_code.co_code, frame.f_lasti
    for at in (last, last + 2):
        if 0 <= at < len(code) - 1 and code[at] == opmap["RESUME"]:
            return code[at + 1] & _AFTER not in (_AFTER_YIELD, _AFTER_YIELD_FROM)
    return False


def is_driven() -> bool:
    """Tell whether the calling generator is driven as a context manager or a fixture."""
    driver = _getframe(1).f_back
    return driver is not None and _is_driver(driver)


def _is_generator(frame: FrameType) -> bool:
    flags = frame.f_code.co_flags
    return bool(flags & GENERATOR) and not flags & _CO_ITERABLE_COROUTINE


def _is_driver(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") in _DRIVERS
