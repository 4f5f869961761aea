"""One run of the pump as a person watches it: progress, complaints, what is left."""

import os
import shlex
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from mist.command.connection import Destination
from mist.command.lasting_progress import lasting_progress
from mist.command.pump import Pump
from mist.output import Writer
from mist.protocol import Message, ProtocolError
from mist.transport import HTTP, File, Transport, TransportClosed, TransportError

PATIENCE: Final = 5.0
"""How long an interrupted transfer goes on delivering what it has read, in seconds."""

_SHOWN_ERRORS: Final = 20
# A wait shorter than this, in seconds, is how a destination with little room works.
_UNSPOKEN_WAIT: Final = 1.0


class _Notes:
    """What is said on standard error while messages move."""

    def __init__(self) -> None:
        self.malformed = 0
        self._writer = Writer("table", sys.stderr)
        self._waiting_since: float | None = None
        self._said = False

    def say(self, text: str) -> None:
        self._writer.error(text)

    def malformed_line(self, error: ProtocolError) -> None:
        self.malformed += 1
        if self.malformed <= _SHOWN_ERRORS:
            self.say(f"skipped {error}")

    def waiting(self, error: Exception) -> None:
        """Say once in each outage that there is one, and why."""
        now = time.monotonic()
        if self._waiting_since is None:
            self._waiting_since = now
        if not self._said and now - self._waiting_since >= _UNSPOKEN_WAIT:
            self._said = True
            self.say(f"waiting: {error}")

    def delivered(self) -> None:
        if self._said and self._waiting_since is not None:
            self.say(f"resumed after {time.monotonic() - self._waiting_since:.1f} s")
        self._waiting_since, self._said = None, False

    def sum_up(self, label: str, count: int, seconds: float) -> None:
        skipped = f", {self.malformed} lines skipped" if self.malformed else ""
        self.say(f"{label}: {count} messages in {seconds:.2f} s{skipped}")


async def transfer(
    label: str,
    source: Transport,
    destination: Destination,
    *,
    limit: int | None = None,
    skip: int = 0,
    source_is_consumed: bool,
) -> int:
    """Move messages, and report on standard error.

    Args:
        label: What the progress line calls it.
        source: Where messages come from; it is closed.
        destination: Where they go; it is closed.
        limit: Stop after this many messages.
        skip: Pass over this many messages at the start.
        source_is_consumed: Whether what was read cannot be read again, so that what cannot be
            delivered has to be kept in a file.

    Returns:
        The exit status: 1 where lines of the source were not messages.
    """
    notes = _Notes()
    # What goes to standard output shows by itself how far it is.
    with nullcontext() if destination.is_stdout else lasting_progress(None, label) as bar:

        def acknowledge(count: int) -> None:
            if isinstance(source, HTTP):
                source.acknowledge(count)

        def delivered(count: int) -> None:
            acknowledge(count)
            notes.delivered()
            if bar:
                bar.advance(count)

        pump = Pump(
            source,
            destination.transport,
            together=destination.keeps_order,
            may_pass=destination.may_recover,
            limit=limit,
            skip=skip,
            on_delivered=delivered,
            on_waiting=notes.waiting,
            on_malformed=notes.malformed_line,
        )

        def patience() -> float:
            # Who ends it during an outage has seen that nothing moves.
            seconds = 0.0 if pump.waiting_for else PATIENCE
            if seconds and pump.undelivered:
                notes.say("delivering what has been read; interrupt again to end at once")
            return seconds

        acknowledge(skip)  # whoever skips them has them
        started = time.monotonic()
        quiet = False
        try:
            async with source, destination.transport:
                await pump.run(patience=patience)
        except (TransportError, ProtocolError) as exc:
            quiet = not pump.delivered
            # Whoever reads our standard output has seen enough: that is no failure.
            if isinstance(exc, TransportClosed) and destination.is_stdout:
                quiet, source_is_consumed = True, False
            raise
        finally:
            if not quiet:
                notes.sum_up(label, pump.delivered, time.monotonic() - started)
            if source_is_consumed:
                await _keep(pump.undelivered, destination.url, notes)
            elif pump.undelivered and pump.in_sequence and not destination.is_stdout:
                notes.say(f"to go on from here: --skip {skip + pump.in_sequence}")
    return 1 if notes.malformed else 0


async def _keep(messages: list[Message], url: str, notes: _Notes) -> None:
    """Write what was read and could not be delivered to a file, and say where it is."""
    if not messages:
        return
    # Made here, for this user alone, whatever somebody else has put into the directory.
    fd, name = mkstemp(".jsonl", f"mist-undelivered-{time.strftime('%Y%m%dT%H%M%S')}-", ".")
    os.close(fd)
    path = Path(name).name
    async with File(path) as file:
        for message in messages:
            await file.send(message)
    notes.say(
        f"{len(messages)} messages were read and not delivered; they are kept in {path},"
        f" send them with: mist relay {path} {'-' if url == 'stdio:' else shlex.quote(url)}"
    )
