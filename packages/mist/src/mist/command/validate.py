"""`mist validate`: check every message of some files."""

import sys
from functools import partial
from pathlib import Path

from mist.cli import Command
from mist.command.declarations import SHOWN_PROBLEMS
from mist.command.input import Input
from mist.command.lasting_progress import lasting_progress
from mist.command.terminal_input import hint_at_terminal
from mist.output import Progress, Writer
from mist.protocol import CURRENT_VERSION, Message, ProtocolError, check_version, payload_class
from mist.transport import LineParser, TransportError


def check_message(message: Message) -> None:
    """Accept a message whose envelope is in order, or raise.

    Raises:
        ProtocolError: Its version is not supported, its checksum does not match, or its payload
            does not fit its type.
    """
    if message.version != CURRENT_VERSION:
        check_version(message.version)
    if message.checksum and not message.verify_checksum():
        raise ProtocolError(
            f"checksum {message.checksum} does not match the payload,"
            f" which has {message.with_checksum().checksum}"
        )
    # An envelope may go without a payload; only a type that is known demands one.
    if message.payload or payload_class(message.type) is not None:
        message.decode()


class Validation:
    """Counts the valid and the invalid messages of one input after the other."""

    def __init__(self, shown: int | None) -> None:
        """Start at zero.

        Args:
            shown: How many problems to write to standard error; None for all.
        """
        self.valid = 0
        self.invalid = 0
        self._shown = shown
        self._stderr = Writer("table", sys.stderr)

    def check(self, source: Input) -> None:
        """Check every message of an input, in memory that does not grow with it."""
        parser = LineParser(source.name)
        for chunk in source:
            parser.feed(chunk)
            self._check_lines(parser)
        parser.end()
        self._check_lines(parser)

    @property
    def unshown(self) -> int:
        """How many problems were counted and not written."""
        return 0 if self._shown is None else max(0, self.invalid - self._shown)

    def _check_lines(self, parser: LineParser) -> None:
        next_message = parser.next_message
        while True:
            message = None
            try:
                message = next_message()
                if message is None:
                    return
                check_message(message)
            except ProtocolError as exc:
                self.invalid += 1
                if not self.unshown:
                    # The parser's own errors name the place already.
                    place = f"{parser.name}:{parser.line_number}: " if message else ""
                    self._stderr.error(f"{place}{exc}")
            else:
                self.valid += 1


def _show_position(bar: Progress, before: int, position: int) -> None:
    bar.update(before + position)


def run(command: Command, _args: list[str]) -> int:
    """Check files, and return 1 if any message is invalid."""
    names = command.get_arguments("file") or ["-"]
    if "-" in names:
        hint_at_terminal()
    validation = Validation(None if command.get_bool("all") else SHOWN_PROBLEMS)
    rows: list[tuple[str, int, int]] = []
    unreadable: list[TransportError] = []
    sizes = [Path(name).stat().st_size for name in names if Path(name).is_file()]
    total = sum(sizes) if len(sizes) == len(names) else None
    with lasting_progress(total, "validate (bytes)") as bar:
        for name in names:
            valid, invalid, done = validation.valid, validation.invalid, bar.done
            try:
                with Input(name, partial(_show_position, bar, done)) as source:
                    validation.check(source)
            except TransportError as exc:
                unreadable.append(exc)
            rows.append((name, validation.valid - valid, validation.invalid - invalid))
    if validation.unshown:
        sys.stderr.write(f"... and {validation.unshown} more; --all shows them\n")
    if sys.stdout.isatty():
        if len(rows) > 1:
            rows.append(("total", validation.valid, validation.invalid))
        Writer("table").table(["file", "valid", "invalid"], rows)
    else:
        totals = {"valid": validation.valid, "invalid": validation.invalid}
        Writer("json").json(totals | ({"unreadable": len(unreadable)} if unreadable else {}))
    if unreadable:
        raise unreadable[0] if len(unreadable) == 1 else ExceptionGroup("unreadable", unreadable)
    return 1 if validation.invalid else 0
