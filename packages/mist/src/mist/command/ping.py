"""`mist ping`: ask whether a listener is there, and how long it takes to answer."""

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from importlib import import_module

from mist.cli import Command, UsageError
from mist.command.connection import dial_peer, get_count
from mist.command.declarations import NOBODY_ANSWERED
from mist.command.url import as_url
from mist.output import Writer
from mist.protocol import HealthPing, Message, MessageType
from mist.transport import TransportError


async def run(command: Command, _args: list[str]) -> int:
    """Ping, and tell the statistics."""
    url = as_url(command.get_argument("url"))
    if url.partition(":")[0] in ("file", "stdio"):
        raise TransportError(f"cannot ping {url}: nobody answers there", code="validation")
    count, interval = get_count(command, "count"), command.get_float64("interval")
    if not interval >= 0:
        raise UsageError(f"--interval is a time, so it cannot be {interval:g}")
    # What the first request imports must not count as the time that it takes.
    import_module("mist.transport.http.sender")
    round_trips: list[float] = []
    sent = 0
    writer = Writer("table" if sys.stdout.isatty() else "json")
    try:
        async with dial_peer(command, url) as peer:
            while True:
                sent += 1
                started = time.perf_counter()
                try:
                    await peer.send(
                        Message.new("mist", MessageType.HEALTH_PING, HealthPing("mist"))
                    )
                except TransportError as exc:
                    Writer("table", sys.stderr).error(f"{sent}: {exc}")
                else:
                    round_trips.append(1000 * (time.perf_counter() - started))
                    _report(url, sent, round_trips[-1])
                if sent == count:
                    break
                await asyncio.sleep(max(0.0, interval - (time.perf_counter() - started)))
    finally:
        writer.write(_statistics(sent, round_trips))
    return 0 if round_trips else NOBODY_ANSWERED


def _report(url: str, number: int, milliseconds: float) -> None:
    sys.stderr.write(f"{number}: {url} answered in {milliseconds:.2f} ms\n")


def _statistics(sent: int, round_trips: Sequence[float]) -> dict[str, object]:
    result: dict[str, object] = {"sent": sent, "answered": len(round_trips)}
    if round_trips:
        result |= {
            "min_ms": round(min(round_trips), 3),
            "mean_ms": round(statistics.fmean(round_trips), 3),
            "max_ms": round(max(round_trips), 3),
            "stdev_ms": round(statistics.pstdev(round_trips), 3),
        }
    return result
