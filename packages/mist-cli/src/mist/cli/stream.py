"""Standard output and error whose other end may be gone."""

from __future__ import annotations

import errno
import os
import sys

from mist.cli.group import members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

# What a shell reports for a program that SIGPIPE (13) ended, as it ends every other filter.
CLOSED_PIPE_STATUS = 128 + 13


def replace_closed() -> None:
    """Open those of the three standard streams that the process was started without.

    Else the next things that it opens get their numbers, and an event loop's own descriptor, say,
    is read as standard input. As in gnulib's `stdopen`, whoever reads or writes by the number is
    told that it is no good. What is printed goes nowhere, as it does without a stream.
    """
    for number, wrong_way in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_RDONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, wrong_way)  # gets the lowest number that is free
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison]  # None where it is closed
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # lasts as long as the process
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]  # as above
        sys.stdout = _nowhere()
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison]  # as above
        sys.stderr = _nowhere()


def write(text: str) -> None:
    """Write to stdout, if there is one."""
    if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison]  # None without a console
        sys.stdout.write(text)


def flush() -> None:
    """Write out what stdout still holds.

    Raises:
        OSError: it cannot be written.
    """
    if sys.stdout is not None and not sys.stdout.closed:  # pyright: ignore[reportUnnecessaryComparison]  # see write
        sys.stdout.flush()


def reader_is_gone(exc: BaseException) -> bool:
    """Whether `exc` comes from a stdout that nobody reads any more.

    A broken pipe may as well be a socket's, so stdout itself is asked.
    """
    return _has_broken_pipe(exc) and _stdout_is_broken()


def discard(stream: TextIO | None) -> None:
    """Let what the stream holds, and all that follows, go nowhere.

    Otherwise the interpreter tries once more on its way out, and complains.
    """
    if stream is None:
        return
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        # Not a real file: the interpreter will not flush it either.
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, descriptor)
    finally:
        os.close(nowhere)


def write_error(text: str) -> None:
    """Write to stderr, if it is there to be written to."""
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison]  # see write
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        discard(sys.stderr)


def _nowhere() -> TextIO:
    return open(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8", closefd=False)


def _has_broken_pipe(exc: BaseException) -> bool:
    seen: set[int] = set()
    left = [exc]
    while left:
        link = left.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        if isinstance(link, OSError) and _is_broken_pipe(link):
            return True
        left += [behind for behind in (link.__cause__, link.__context__) if behind is not None]
        left += members(link)
    return False


def _is_broken_pipe(exc: OSError) -> bool:
    # Windows says EINVAL where a pipe's reader is gone.
    return exc.errno == errno.EPIPE or (os.name == "nt" and exc.errno == errno.EINVAL)


def _stdout_is_broken() -> bool:
    try:
        flush()
        if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]  # see write
            return False
        descriptor = sys.stdout.fileno()
    except OSError as exc:
        return _is_broken_pipe(exc)
    except ValueError:
        return False
    # What was written past sys.stdout left nothing there to flush.
    import select  # noqa: PLC0415  # only after a broken pipe

    if not hasattr(select, "poll"):
        # Windows cannot tell; most likely it was a socket.
        return False
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))
