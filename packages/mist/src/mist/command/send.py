"""`mist send`: make one message and send it."""

import asyncio
import json
import sys
from collections.abc import Awaitable
from pathlib import Path

from mist.cli import Command, UsageError
from mist.command.connection import dial_peer, get_timeout
from mist.command.terminal_input import hint_at_terminal
from mist.protocol import Message, ProtocolError, payload_class
from mist.transport import TransportError, TransportTimeout, blocking_send


def run(command: Command, _args: list[str]) -> Awaitable[None]:
    """Make the message, and return what is to be awaited for it to be sent."""
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
    url, timeout = command.get_argument("url"), get_timeout(command)
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
