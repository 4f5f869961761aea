"""One run of the pump as a person watches it: progress, complaints, what is left."""

import os
import sys
import time
from contextlib import nullcontext
from pathlib import Path

from mist.command.connection import LastingPeer
from mist.command.pump import Pump
from mist.output import Writer, progress
from mist.protocol import ProtocolError
from mist.transport import File, Transport, TransportClosed

PATIENCE = 10.0
"""How long an interrupted transfer goes on delivering what it has read, in seconds."""

_SHOWN_ERRORS = 20


async def transfer(
    label: str,
    source: Transport,
    destination: LastingPeer,
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
    stderr = Writer("table", sys.stderr)
    malformed = 0

    def complain(error: ProtocolError) -> None:
        nonlocal malformed
        malformed += 1
        if malformed <= _SHOWN_ERRORS:
            stderr.error(f"skipped {error}")

    started = time.monotonic()
    # What goes to standard output shows by itself how far it is.
    with nullcontext() if destination.is_stdout else progress(None, label) as bar:
        pump = Pump(
            source,
            destination.transport,
            together=destination.keeps_order,
            limit=limit,
            skip=skip,
            on_delivered=bar.advance if bar else _tell_nobody,
            on_malformed=complain,
        )
        try:
            async with source, destination.transport:
                await pump.run(patience=PATIENCE)
        except TransportClosed:
            # Whoever reads our standard output has seen enough: that is no failure.
            source_is_consumed = source_is_consumed and not destination.is_stdout
            raise
        finally:
            if source_is_consumed:
                await _keep(pump, destination, stderr)
            elif pump.undelivered and not destination.is_stdout:
                stderr.error(
                    f"stopped after {skip + pump.delivered} messages;"
                    f" --skip {skip + pump.delivered} goes on from there"
                )
    seconds = time.monotonic() - started
    sys.stderr.write(
        f"{label}: {pump.delivered} messages in {seconds:.2f} s"
        + (f", {malformed} lines skipped" if malformed else "")
        + "\n"
    )
    return 1 if malformed else 0


def _tell_nobody(_count: int) -> None:
    """Take a count that is not shown."""


async def _keep(pump: Pump, destination: LastingPeer, stderr: Writer) -> None:
    """Write what was read and could not be delivered to a file, and say where it is."""
    if not pump.undelivered:
        return
    path = Path(f"mist-undelivered-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.jsonl")
    async with File(path) as file:
        for message in pump.undelivered:
            await file.send(message)
    stderr.error(
        f"{len(pump.undelivered)} messages were read and not delivered; they are kept in {path},"
        f" send them with: mist relay {path} {destination.url}"
    )
