"""`mist listen`: take messages over HTTP, and print, store or pass them on."""

import sys
from typing import Any
from urllib.parse import unquote, urlsplit

from mist.cli import Command, UsageError
from mist.command.connection import Destination, get_count
from mist.command.transfer import transfer
from mist.command.url import is_http
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
            " standard error; port 0 takes any free port.\n\n"
            "Ctrl-C takes no more, and still delivers what peers were told was taken; what cannot"
            " be delivered is kept in a file mist-undelivered-*.jsonl of the working directory."
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
    command.add_string_flag("token", "", "bearer token that peers must show; `ps` shows it, unless the variable has it")
    command.add_string_flag(
        "cert", "", "the server's certificate chain (PEM), to speak TLS", complete="file"
    )
    command.add_string_flag(
        "key", "", "its private key, where it is in another file", complete="file"
    )
    command.add_string_flag(
        "client-ca", "", "demand client certificates signed by these (PEM)", complete="file"
    )
    return command


async def listening(
    where: str,
    *,
    inbox: int = 4096,
    token: str | None = None,
    **tls: Any,
) -> HTTP:
    """Return a transport that listens at an address or URL, and say where on standard error.

    Args:
        where: An address, `http://host:port/path` or `http+unix:///path`.
        inbox: How many messages may wait.
        token: What peers must show.
        tls: The certificate files of `HTTP.listen`.

    Raises:
        UsageError: It is an https:// URL.
        TransportError: Nothing can listen there.
    """
    options: dict[str, Any] = {}
    if is_http(where):
        url = urlsplit(where)
        if url.scheme == "https":
            raise UsageError(
                f"cannot listen at {where}: 'mist listen --cert ... --to ...' speaks TLS"
            )
        where = f"unix:{unquote(url.path)}" if url.scheme == "http+unix" else url.netloc
        if url.scheme == "http" and url.path.strip("/"):
            options["path"] = url.path
    http = HTTP(token=token, inbox=inbox, **options)
    await http.listen(where, **tls)
    sys.stderr.write(f"listening at {http.listen_url}\n")
    sys.stderr.flush()
    return http


async def _run(command: Command, _args: list[str]) -> int:
    limit = get_count(command, "count") or None
    destination = Destination(command.get_string("to"))
    async with destination.transport:
        destination.check()
        source = await listening(
            command.get_argument("addr"),
            inbox=command.get_int("inbox"),
            token=command.get_string("token") or None,
            cert_file=command.get_string("cert") or None,
            key_file=command.get_string("key") or None,
            client_ca_file=command.get_string("client-ca") or None,
        )
        return await transfer("listen", source, destination, limit=limit, source_is_consumed=True)
