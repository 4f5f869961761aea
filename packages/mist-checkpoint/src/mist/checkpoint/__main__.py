"""The command `python -m mist.checkpoint`."""

import argparse
import io
import os
import sys
from collections.abc import Sequence

from mist.checkpoint.show import show

_UNREADABLE = 3  # exit status; argparse's own for wrong usage is 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m mist.checkpoint",
        description="Look into the runs that mist-checkpoint keeps.",
        epilog="exit status: 0 shown, 2 wrong usage, 3 no such file or not readable",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    showing = commands.add_parser(
        "show",
        help="show a run as a table",
        description="Show a run as a table: each step's status, attempts, duration and end, in the "
        "local time zone. Lines that are no records are reported on stderr. The run may be going "
        "on meanwhile.",
        epilog="exit status: 0 shown, 2 wrong usage, 3 no such file or not readable",
    )
    showing.add_argument("file", metavar="FILE", help="the run's log, {run_id}.jsonl")
    path: str = parser.parse_args(argv).file
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # whose encoding may know less than the log
            stream.reconfigure(errors="backslashreplace")
    try:
        show(path, sys.stdout, sys.stderr)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the table has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as exc:
        print(f"{path}: {exc.strerror or exc}", file=sys.stderr)  # noqa: T201  # a command
        return _UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
