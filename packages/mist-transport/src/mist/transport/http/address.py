"""Where to post and where to listen, as a person writes it."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

from mist.transport.errors import TransportError

DEFAULT_PATH: Final = "/mist"
"""Where a listener takes messages, and where a URL without a path posts them."""

_UNIX: Final = "http+unix"
_LAST_PORT: Final = 65535
_MOST_DIGITS: Final = 100  # that Python need convert
_ADDRESS_FORMS = "expected 'host:port', ':port', '[::1]:port' or 'unix:/path'"
_URL_FORMS = "expected http://host:port/path, https://... or http+unix:///path/to.sock"


@dataclass(frozen=True, slots=True)
class Target:
    """Where messages are posted to.

    Attributes:
        name: What errors and logs call it: the URL, without its query.
        url: What a request is made to.
        secure: Whether TLS is spoken.
        socket_path: The Unix socket to connect to, instead of the URL's host.
    """

    name: str
    url: str
    secure: bool = False
    socket_path: str | None = None


@dataclass(frozen=True, slots=True)
class TCPAddress:
    """A host and port to listen at; no host means every interface, port 0 any free port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A Unix socket to listen at."""

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"


def parse_url(url: str) -> Target:
    """Return where a URL's messages go; without a path that is `/mist`.

    Raises:
        TransportError: Code `validation`; the text says what is wrong and what to write instead.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        # The URL may hold a password, so it is not repeated here.
        raise TransportError(f"not a URL: {exc}; {_URL_FORMS}", code="validation") from exc
    if "@" in parts.netloc:
        # Named without what stands before the host, which is a secret.
        raise TransportError(
            f"the URL for {host} holds credentials; pass the bearer token as token=",
            code="validation",
        )
    name = parts._replace(query="", fragment="").geturl()
    if parts.scheme == _UNIX:
        return _unix_target(name, parts)
    if parts.scheme not in ("http", "https"):
        raise TransportError(f"cannot post to {name!r}: {_URL_FORMS}", code="validation")
    if not host:
        raise TransportError(f"{name!r} names no host; {_URL_FORMS}", code="validation")
    if port == 0:
        raise TransportError(f"{name!r}: nothing can listen on port 0", code="validation")
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~") if parts.path.strip("/") else DEFAULT_PATH
    whole = parts._replace(path=path, query=quote(parts.query, safe="/?%:@!$&'()*+,;=~"))
    return Target(
        name=whole._replace(query="", fragment="").geturl(),
        url=whole._replace(fragment="").geturl(),
        secure=parts.scheme == "https",
    )


def _unix_target(name: str, parts: SplitResult) -> Target:
    socket_path = unquote(parts.path)
    if parts.netloc or not socket_path.strip("/"):
        raise TransportError(
            f"{name!r} names no socket; write http+unix:///path/to.sock, with three slashes",
            code="validation",
        )
    return Target(
        name=f"{_UNIX}://{parts.path}",
        url=f"http://localhost{DEFAULT_PATH}",
        socket_path=socket_path,
    )


def parse_address(address: str) -> TCPAddress | UnixAddress:
    """Return where an address says to listen.

    Raises:
        TransportError: Code `validation`; the text says what was expected.
    """
    kind, _, path = address.partition(":")
    if kind == "unix":
        if not path or "\0" in path:
            raise TransportError(f"{address!r} names no path; {_ADDRESS_FORMS}", code="validation")
        return UnixAddress(path)
    host, colon, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not (port.isascii() and port.isdigit()):
        raise TransportError(f"cannot listen at {address!r}: {_ADDRESS_FORMS}", code="validation")
    if len(port) > _MOST_DIGITS or int(port) > _LAST_PORT:
        raise TransportError(
            f"cannot listen at {address!r}: the port is over {_LAST_PORT}; {_ADDRESS_FORMS}",
            code="validation",
        )
    if ("/" in host) or (":" in host and not bracketed) or host == "[]":
        raise TransportError(f"cannot listen at {address!r}: {_ADDRESS_FORMS}", code="validation")
    return TCPAddress(host[1:-1] if bracketed else host, int(port))
