"""`mist listen`: take messages over HTTP, and print, store or pass them on."""

import sys
from urllib.parse import urlsplit

from mist.cli import Command
from mist.command.connection import LastingPeer
from mist.command.transfer import transfer
from mist.transport import HTTP


def listen_command() -> Command:
    """Return the command."""
    command = Command(
        "listen",
        "Take messages over HTTP; print them or pass them on",
        _run,
        description=(
            "Prints each message as one line of JSON, or sends it to the destination of --to."
            " While that has no room, peers are told to come back (503). The address is told on"
            " standard error; port 0 takes any free port."
        ),
        examples=[
            "mist listen :8080",
            "mist listen 127.0.0.1:0 --to messages.jsonl",
            "mist listen unix:/run/mist.sock --to http://127.0.0.1:8081",
            "mist listen :8443 --cert server.pem --token ...",
        ],
    )
    command.add_argument("addr", "host:port, :port, [::1]:port or unix:/path")
    command.add_string_flag("to", "-", "URL, file or - to send to", complete="file")
    command.add_int_flag("count", 0, "stop after this many messages; 0 for never")
    command.add_int_flag("inbox", 4096, "messages that may wait before peers are told to come back")
    command.add_string_flag("token", "", "bearer token that peers must show")
    command.add_string_flag("cert", "", "the server's certificate chain (PEM), to speak TLS")
    command.add_string_flag("key", "", "its private key, where it is in another file")
    command.add_string_flag("client-ca", "", "demand client certificates signed by these (PEM)")
    return command


async def listening(
    address: str,
    *,
    inbox: int = 4096,
    token: str | None = None,
    cert_file: str | None = None,
    key_file: str | None = None,
    client_ca_file: str | None = None,
) -> HTTP:
    """Return a transport that listens at an address or `http://host:port` URL, and say where."""
    if address.startswith(("http:", "https:")):
        address = urlsplit(address).netloc
    http = HTTP(token=token, inbox=inbox)
    await http.listen(
        address, cert_file=cert_file, key_file=key_file, client_ca_file=client_ca_file
    )
    sys.stderr.write(f"listening at {http.listen_url}\n")
    sys.stderr.flush()
    return http


async def _run(command: Command, _args: list[str]) -> int:
    destination = LastingPeer(command.get_string("to"))
    source = await listening(
        command.get_argument("addr"),
        inbox=command.get_int("inbox"),
        token=command.get_string("token") or None,
        cert_file=command.get_string("cert") or None,
        key_file=command.get_string("key") or None,
        client_ca_file=command.get_string("client-ca") or None,
    )
    return await transfer(
        "listen",
        source,
        destination,
        limit=command.get_int("count") or None,
        source_is_consumed=True,
    )
