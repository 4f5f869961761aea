"""From a URL to a transport."""

import re
import sys
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

from mist.transport.channel import Channel, named_channel
from mist.transport.errors import TransportError
from mist.transport.file import File
from mist.transport.http import HTTP
from mist.transport.interface import Transport
from mist.transport.stdio import Stdio

ENTRY_POINT_GROUP: Final = "mist.transports"
"""Where other distributions register schemes: the name is the scheme, the object a
`Callable[[str], Transport]` that takes the URL and the keyword options of `dial`."""


def dial(url: str, **options: Any) -> Transport:
    """Return the transport that a URL names; nothing is opened or connected yet.

    Args:
        url: `http://host:port[/path]`, `https://...`, `http+unix:///socket`, `file:path` or
            `file:///path` (percent-encoded), `stdio:`, `chan:` (a new channel), `chan://name` (the
            process's channel of that name, which lives as long as somebody holds it), or a scheme
            that an installed distribution registers.
        options: Keyword arguments of the transport's class, such as `token` or `follow`.

    Raises:
        TransportError: The URL or its scheme is not understood (code `validation`), or what is
            registered for the scheme cannot be loaded (`internal`).
        TypeError: The transport has no such option.
    """
    scheme, colon, _ = url.partition(":")
    if not colon:
        raise TransportError(
            f"cannot dial {url!r}: it has no scheme; for a file write file:{url}", code="validation"
        )
    opener = _BUILT_IN.get(scheme.lower()) or _registered(scheme.lower())
    return opener(url, **options)


def _open_http(url: str, **options: Any) -> Transport:
    return HTTP(url, **options)


def _open_file(url: str, **options: Any) -> Transport:
    # After the two slashes stands the path, as in mist-go: file://relative, file:///absolute.
    path = unquote(url.partition(":")[2].removeprefix("//"))
    if sys.platform == "win32" and re.match(r"/[A-Za-z]:", path):
        path = path[1:]  # file:///C:/x
    if not path:
        raise TransportError(
            f"cannot dial {url!r}: it names no file; write file:///path", code="validation"
        )
    return File(path, **options)


def _open_stdio(url: str, **options: Any) -> Transport:
    if url.partition(":")[2] not in ("", "//", "//-", "-"):
        raise TransportError(f"cannot dial {url!r}: write stdio:", code="validation")
    return Stdio(**options)


def _open_channel(url: str, **options: Any) -> Transport:
    name = url.partition(":")[2].removeprefix("//")
    return named_channel(name, **options) if name else Channel(**options)


_BUILT_IN: dict[str, Callable[..., Transport]] = {
    "http": _open_http,
    "https": _open_http,
    "http+unix": _open_http,
    "file": _open_file,
    "stdio": _open_stdio,
    "chan": _open_channel,
}


def _registered(scheme: str) -> Callable[..., Transport]:
    from importlib.metadata import entry_points  # noqa: PLC0415  # a fifth of the import, for few

    # Errors name the scheme alone: the rest of a URL may hold a password.
    registered = entry_points(group=ENTRY_POINT_GROUP)
    for entry in registered:
        if entry.name == scheme:
            try:
                opener: Callable[..., Transport] = entry.load()
            except Exception as exc:
                raise TransportError(
                    f"cannot dial {scheme}: URLs: {entry.value}, which is registered for them,"
                    f" cannot be loaded: {exc}",
                    code="internal",
                ) from exc
            return opener
    known = ", ".join(sorted({*_BUILT_IN, *(entry.name for entry in registered)}))
    raise TransportError(
        f"cannot dial: unknown scheme {scheme!r}, known are {known}", code="validation"
    )
