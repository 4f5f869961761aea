"""`mist listen`: take messages over HTTP, and print, store or pass them on."""

import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from mist.cli import Command, UsageError
from mist.command.connection import Destination, get_count
from mist.command.transfer import transfer
from mist.command.url import is_http
from mist.transport import HTTP


async def listening(
    where: str,
    *,
    inbox: int = 4096,
    token: str | None = None,
    allow_origins: Iterable[str] = (),
    manual_ack: bool = False,
    **tls: Any,
) -> HTTP:
    """Return a transport that listens at an address or URL, and say where on standard error.

    Args:
        where: An address, `http://host:port/path` or `http+unix:///path`.
        inbox: How many messages may wait.
        token: What peers must show.
        allow_origins: Origins whose pages may post.
        manual_ack: Whether peers are answered when their messages are acknowledged.
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
    http = HTTP(
        token=token, inbox=inbox, allow_origins=allow_origins, manual_ack=manual_ack, **options
    )
    await http.listen(where, **tls)
    sys.stderr.write(f"listening at {http.listen_url}\n")
    sys.stderr.flush()
    return http


async def run(command: Command, _args: list[str]) -> int:
    """Take messages until there are enough of them, or Ctrl-C."""
    limit = get_count(command, "count") or None
    destination = Destination(command.get_string("to"))
    async with destination.transport:
        destination.check()
        source = await listening(
            command.get_argument("addr"),
            inbox=command.get_int("inbox"),
            token=command.get_string("token") or None,
            allow_origins=filter(None, command.get_string("allow-origin").split(",")),
            # What would keep peers waiting, as a pipe or another listener may, does not.
            manual_ack=destination.is_regular_file,
            cert_file=command.get_string("cert") or None,
            key_file=command.get_string("key") or None,
            client_ca_file=command.get_string("client-ca") or None,
        )
        return await transfer("listen", source, destination, limit=limit, source_is_consumed=True)
