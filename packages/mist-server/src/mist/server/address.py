"""Where to listen, as a person writes it."""

import re
from dataclasses import dataclass
from typing import Final

from mist.errors import Code
from mist.server.errors import ServerError

_PORT: Final = re.compile("[0-9]{1,5}")
_LAST_PORT: Final = 65535
_FORMS: Final = "expected 'host:port', ':port', '[::1]:port' or 'unix:/path'"


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


def parse_address(address: str) -> TCPAddress | UnixAddress:
    """Return where an address says to listen.

    Raises:
        ServerError: Code `validation`; the text says what was expected.
    """
    kind, _, path = address.partition(":")
    if kind == "unix":
        if not path or "\0" in path:
            raise _refused(address)
        return UnixAddress(path)
    host, colon, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not _PORT.fullmatch(port) or int(port) > _LAST_PORT:
        raise _refused(address)
    if "/" in host or (":" in host and not bracketed) or host == "[]":
        raise _refused(address)
    return TCPAddress(host[1:-1] if bracketed else host, int(port))


def _refused(address: str) -> ServerError:
    return ServerError(Code.VALIDATION, f"cannot listen at {address!r}: {_FORMS}")
