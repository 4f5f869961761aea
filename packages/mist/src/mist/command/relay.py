"""`mist relay`: move messages from any source to any destination."""

from mist.cli import Command
from mist.command.connection import LastingPeer, add_peer_flags
from mist.command.listen import listening
from mist.command.transfer import transfer
from mist.command.url import as_url, is_http
from mist.transport import dial


def relay_command() -> Command:
    """Return the command."""
    command = Command(
        "relay",
        "Move messages from one place to another",
        _run,
        description=(
            "Messages keep their order, their payloads byte for byte, and their checksums. A"
            " destination that has no room is waited for, one that went away is dialed again."
            " On Ctrl-C what has been read is still delivered; what cannot be is kept or told."
        ),
        examples=[
            "mist relay messages.jsonl http://127.0.0.1:8080",
            "mist relay messages.jsonl.gz - | grep '\"acme.order\"'",
            "some-tool | mist relay - collector.jsonl",
            "mist relay --follow spans.jsonl https://collector.example:8443 --token ...",
        ],
    )
    command.add_argument(
        "src", "URL, file or - to read from; an http:// URL is listened at", complete="file"
    )
    command.add_argument("dst", "URL, file or - to send to", complete="file")
    command.add_bool_flag("follow", help="at the end of a source file wait for more")
    command.add_int_flag("skip", 0, "messages to pass over at the start")
    add_peer_flags(command)
    return command


async def _run(command: Command, _args: list[str]) -> int:
    source_url = as_url(command.get_argument("src"))
    is_file = source_url.startswith("file:")
    destination = LastingPeer(command.get_argument("dst"), command)
    if is_http(source_url):
        source = await listening(source_url)
    else:
        source = dial(source_url, **({"follow": command.get_bool("follow")} if is_file else {}))
    return await transfer(
        "relay",
        source,
        destination,
        skip=command.get_int("skip"),
        source_is_consumed=not is_file,
    )
