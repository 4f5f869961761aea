"""`mist relay`: move messages from any source to any destination."""

import sys

from mist.cli import Command, UsageError
from mist.command.connection import Destination, get_count
from mist.command.listen import listening
from mist.command.terminal_input import hint_at_terminal
from mist.command.transfer import transfer
from mist.command.url import as_url, is_http
from mist.transport import File, Stdio, Transport, dial


async def run(command: Command, _args: list[str]) -> int:
    """Move messages until the source ends, or Ctrl-C."""
    skip = get_count(command, "skip")
    destination = Destination(command.get_argument("dst"), command)
    async with destination.transport:
        source_url = as_url(command.get_argument("src"))
        source = await _open_source(source_url, destination, follow=command.get_bool("follow"))
        destination.refuse_as_source(source)
        return await transfer(
            "relay",
            source,
            destination,
            skip=skip,
            # A named pipe, or what <(...) stands for, can be read only once.
            source_is_consumed=not (isinstance(source, File) and source.path.is_file()),
        )


async def _open_source(url: str, destination: Destination, *, follow: bool) -> Transport:
    if url == "stdio:":
        hint_at_terminal()
        # Nothing is sent to it: standard output is left to a destination that may want it.
        return Stdio(stdout=sys.stderr.fileno())
    if is_http(url):
        if url in (destination.url, destination.typed_url):
            raise UsageError(f"source and destination are the same: {url}")
        destination.check()
        return await listening(url, manual_ack=destination.is_regular_file)
    return dial(url, **({"follow": follow} if url.startswith("file:") else {}))
