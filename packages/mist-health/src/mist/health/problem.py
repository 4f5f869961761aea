"""What is wrong, in words fit for a probe's answer: one line, of bounded length."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Iterator
from typing import Final, NamedTuple, cast

from mist.health.errors import Unhealthy

_LONGEST: Final = 256
_READ_AT_MOST: Final = 4096
_LEAVES_AT_MOST: Final = 32
_CREDENTIALS = re.compile(r"://[^\s/?#]+@")


class Problem(NamedTuple):
    """Why a check is not well."""

    text: str
    public: str
    """The same for strangers: without the text of exceptions, which may tell secrets."""


def own_problem(text: str) -> Problem:
    """Return a problem in words of our own, which anyone may read."""
    return Problem(text, text)


def raised_problem(raised: BaseException) -> Problem:
    """Return the problem that an exception stands for."""
    leaves = list(itertools.islice(_leaves(raised), _LEAVES_AT_MOST))
    try:
        text = _one_line("; ".join(map(_text_of, leaves)))
    except BaseException:  # noqa: BLE001  # an exception's own __str__ may raise anything
        text = f"{type(raised).__name__} (its text cannot be read)"
    return Problem(text, text if all(isinstance(each, Unhealthy) for each in leaves) else "failed")


def returned_problem(returned: object) -> Problem | None:
    """Return the problem with what a check returned; None if there is none.

    A check says "unhealthy" by raising. What looks like a check written for other rules, or one
    that did not run, must not pass for health.
    """
    if isinstance(returned, BaseException):
        return raised_problem(returned)
    if returned is False:
        return own_problem("returned False: a check that finds a problem raises")
    if inspect.iscoroutine(returned):
        returned.close()  # or Python would warn of it as well
    if (
        inspect.isawaitable(returned)
        or inspect.isgenerator(returned)
        or inspect.isasyncgen(returned)
    ):
        return own_problem(f"returned an object of type {type(returned).__name__}: nobody runs it")
    return None


def _leaves(raised: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions that a group holds, at any depth, or the one that is no group."""
    pending = [raised]
    while pending:
        each = pending.pop()
        if isinstance(each, BaseExceptionGroup):
            group = cast("BaseExceptionGroup[BaseException]", each)
            pending.extend(reversed(group.exceptions))
        else:
            yield each


def _text_of(raised: BaseException) -> str:
    text = str(raised)[:_READ_AT_MOST].strip()
    if isinstance(raised, Unhealthy) and text:
        return text
    name = type(raised).__name__
    return f"{name}: {text}" if text else name


def _one_line(text: str) -> str:
    line = " ".join(_CREDENTIALS.sub("://***@", text).split())
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST - 1]}…"
    # What a terminal would obey goes no further, for the line may be printed.
    return "".join(each if each.isprintable() else "\ufffd" for each in line)
