"""`mist dedupe`: each message of some files once."""

import sys
import time
from collections.abc import Iterator

from mist.cli import Command, UsageError
from mist.command.declarations import SHOWN_PROBLEMS
from mist.command.input import Input, opening
from mist.command.terminal_input import hint_at_terminal
from mist.output import Writer
from mist.protocol import Message, ProtocolError, marshal_lines
from mist.transport import Dedupe, LineParser, TransportError


class Deduplication:
    """Takes the messages of one input after the other, and gives each once.

    Attributes:
        dedupe: What tells those that come again.
        malformed: How many lines were no messages.
    """

    def __init__(self, window: int) -> None:
        """Begin with an empty memory of that many ids."""
        self.dedupe = Dedupe(window, on_conflict=self._note_conflict)
        self.malformed = 0
        self._parser = LineParser("")
        self._stderr = Writer("table", sys.stderr)

    def once(self, source: Input) -> Iterator[list[Message]]:
        """Yield the new messages of each chunk of an input."""
        self._parser = parser = LineParser(source.name)
        for chunk in source:
            parser.feed(chunk)
            yield list(self._new_messages())
        parser.end()
        yield list(self._new_messages())

    def sum_up(self, written: int, seconds: float) -> None:
        """Tell on standard error what there was."""
        counts = (
            (self.dedupe.repeated, "repeated"),
            (self.dedupe.conflicting, "with the id of another"),
            (self.malformed, "lines skipped"),
        )
        told = "".join(f", {count} {what}" for count, what in counts if count)
        self._stderr.error(f"dedupe: {written} messages in {seconds:.2f} s{told}")

    def _new_messages(self) -> Iterator[Message]:
        while True:
            try:
                message = self._parser.next_message()
            except ProtocolError as exc:
                self.malformed += 1
                if self.malformed <= SHOWN_PROBLEMS:
                    self._stderr.error(f"skipped {exc}")
                continue
            if message is None:
                return
            if not self.dedupe.repeats(message):
                yield message

    def _note_conflict(self, message: Message) -> None:
        if self.dedupe.conflicting <= SHOWN_PROBLEMS:
            self._stderr.error(
                f"kept {self._parser.name}:{self._parser.line_number}: it has the id of another"
                f" message and differs from it: {message.id[:80]!r}"
            )


def run(command: Command, _args: list[str]) -> int:
    """Write each message of files once, and return 1 if any line or id was wrong."""
    window = command.get_int("window")
    if window <= 0:
        raise UsageError(f"--window counts the ids to remember, so it cannot be {window}")
    names = command.get_arguments("file") or ["-"]
    if "-" in names:
        hint_at_terminal()
    deduplication = Deduplication(window)
    written, started = 0, time.monotonic()
    try:
        with opening(names, "dedupe (bytes)") as open_input:
            for name in names:
                with open_input(name) as source:
                    for messages in deduplication.once(source):
                        _write(messages)
                        written += len(messages)
    finally:
        deduplication.sum_up(written, time.monotonic() - started)
    return 1 if deduplication.malformed or deduplication.dedupe.conflicting else 0


def _write(messages: list[Message]) -> None:
    try:
        sys.stdout.buffer.write(marshal_lines(messages))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise  # whoever reads has seen enough: no failure of ours
    except OSError as exc:
        raise TransportError.from_os_error(exc, "cannot write standard output") from exc
