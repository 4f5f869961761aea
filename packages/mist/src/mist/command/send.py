"""`mist send`: make one message and send it."""

import asyncio
import json
import sys
from collections.abc import Awaitable
from pathlib import Path

from mist.cli import Command, UsageError
from mist.command.connection import add_peer_flags, dial_peer
from mist.command.terminal_input import hint_at_terminal
from mist.protocol import Message, ProtocolError, payload_class
from mist.transport import TransportError, TransportTimeout, blocking_send


def send_command() -> Command:
    """Return the command."""
    command = Command(
        "send",
        "Make one message and send it",
        _run,
        description=(
            "Prints the message's id once the destination has taken it. A payload whose type mist"
            " knows is checked first. A full destination is waited for, up to --timeout."
        ),
        examples=[
            "mist send http://127.0.0.1:8080 --type acme.order --payload '{\"n\": 1}'",
            "mist send messages.jsonl --type eval.run --payload @run.json",
            "jq -c . run.json | mist send http://127.0.0.1:8080 --type eval.run --payload -",
        ],
    )
    command.add_argument("url", "URL or file to send to, - for standard output", complete="file")
    command.add_string_flag("type", "", "what the payload is, such as eval.run (required)")
    command.add_string_flag("payload", "{}", "JSON, @file, or - for standard input")
    command.add_string_flag("source", "mist", "the tool that the message comes from")
    command.add_bool_flag("checksum", default=True, help="add the payload's checksum")
    add_peer_flags(command)
    return command


def _run(command: Command, _args: list[str]) -> Awaitable[None]:
    message_type = command.get_string("type")
    if not message_type:
        raise UsageError("--type is missing; for instance --type eval.run")
    # Read before there is an event loop, so that Ctrl-C ends the wait for standard input.
    payload = _read_payload(command.get_string("payload"))
    message = Message.new(command.get_string("source"), message_type, payload)
    if payload_class(message_type) is not None:
        message.decode()  # what the receiver would refuse is better refused here
    if command.get_bool("checksum"):
        message = message.with_checksum()
    return _send(command, message)


async def _send(command: Command, message: Message) -> None:
    url, timeout = command.get_argument("url"), command.get_float64("timeout")
    async with dial_peer(command, url) as peer:
        try:
            async with asyncio.timeout(timeout):
                await blocking_send(peer, message)
        except TransportError:
            raise
        except TimeoutError as exc:
            raise TransportTimeout(f"{url} had no room within {timeout:g} seconds") from exc
    if url not in ("-", "stdio:"):
        print(message.id)  # noqa: T201  # the command's output


def _read_payload(text: str) -> object:
    """Return the JSON that `--payload` names.

    Raises:
        ProtocolError: It is not JSON.
        TransportError: The file cannot be read.
    """
    name = "--payload"
    data: str | bytes = text
    if text == "-":
        hint_at_terminal()
        name, data = "standard input", sys.stdin.buffer.read()
    elif text.startswith("@"):
        name = text[1:]
        try:
            data = Path(name).read_bytes()
        except OSError as exc:
            raise TransportError.from_os_error(exc, f"cannot read {name}") from exc
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise ProtocolError(f"{name} is not JSON: {exc}") from exc
