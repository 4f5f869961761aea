"""`mist relay`: move messages from any source to any destination."""

import sys

from mist.cli import Command, UsageError
from mist.command.connection import Destination, add_peer_flags, get_count
from mist.command.listen import listening
from mist.command.terminal_input import hint_at_terminal
from mist.command.transfer import transfer
from mist.command.url import as_url, is_http
from mist.transport import File, Stdio, Transport, dial


def relay_command() -> Command:
    """Return the command."""
    command = Command(
        "relay",
        "Move messages from one place to another",
        _run,
        description=(
            "Messages keep their order, their payloads byte for byte, and their checksums. A"
            " destination over HTTP that has no room, or cannot be reached, is waited for, and"
            " the messages go on where they stopped; standard error tells. One that was cut off"
            " in the middle of an answer may get the last messages twice, under the same id."
            " A destination that refuses for good (401, 404, a full disk) ends the relay.\n\n"
            "Ctrl-C reads no more and still delivers what has been read; a second one ends at"
            " once. Of a file, the number of messages to --skip next time is told; what came from"
            " anywhere else and cannot be delivered is kept in a file mist-undelivered-*.jsonl of"
            " the working directory. Lines that are not messages are reported and skipped, and"
            " make the exit status 1."
        ),
        examples=[
            "mist relay messages.jsonl http://127.0.0.1:8080",
            "mist relay messages.jsonl.gz - | grep '\"acme.order\"'",
            "some-tool | mist relay - collector.jsonl",
            "mist relay --follow spans.jsonl https://collector.example:8443 --token ...",
        ],
    )
    command.add_argument(
        "src",
        "URL, file (.gz too) or - to read from; an http:// URL is listened at",
        complete="file",
    )
    command.add_argument("dst", "URL, file or - to send to", complete="file")
    command.add_bool_flag("follow", help="at the end of a source file wait for more")
    command.add_int_flag("skip", 0, "messages to pass over at the start")
    add_peer_flags(command)
    return command


async def _run(command: Command, _args: list[str]) -> int:
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
        return await listening(url)
    return dial(url, **({"follow": follow} if url.startswith("file:") else {}))
