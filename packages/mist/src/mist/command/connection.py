"""The flags that describe a peer, and the transport that they make."""

import os
import re
import stat
from typing import Any

from mist.cli import Command, UsageError
from mist.command.url import as_url, is_http
from mist.transport import HTTP, File, Rejected, Stdio, Transport, TransportError, dial

# What proxies and listeners answer for a while: a request that took too long, too many of them,
# a bad gateway, no room, a gateway that waited in vain (RFC 9110, section 15; RFC 6585).
_PASSING = frozenset({408, 429, 502, 503, 504})


def dial_peer(command: Command, text: str) -> Transport:
    """Return the transport to what a person typed as destination, with the flags' options."""
    url = _peer_url(text)
    return dial(url, **_options(command, url))


def get_count(command: Command, flag: str) -> int:
    """Return the value of a flag that counts something.

    Raises:
        UsageError: It is negative.
    """
    count = command.get_int(flag)
    if count < 0:
        raise UsageError(f"--{flag} counts, so it cannot be {count}")
    return count


def get_timeout(command: Command) -> float:
    """Return the value of `--timeout`, in seconds.

    Raises:
        UsageError: It is no time to wait.
    """
    timeout = command.get_float64("timeout")
    if not timeout > 0:
        raise UsageError(f"--timeout must be positive, got {timeout:g}")
    return timeout


class Destination:
    """Where messages go, and which of its troubles pass.

    Attributes:
        url: Its URL.
        typed_url: The same as it was typed, perhaps without a host.
        transport: What to send through.
    """

    def __init__(self, text: str, command: Command | None = None) -> None:
        """Name the destination; nothing is opened or connected yet.

        Args:
            text: As a person typed it.
            command: The command whose peer flags apply, if it has any.
        """
        self.typed_url = as_url(text)
        self.url = _peer_url(text)
        self.transport = dial(self.url, **(_options(command, self.url) if command else {}))

    @property
    def is_stdout(self) -> bool:
        """Whether messages go to this process's standard output."""
        return isinstance(self.transport, Stdio)

    @property
    def is_regular_file(self) -> bool:
        """Whether messages go to a file, which takes each at once, and is there already."""
        return isinstance(self.transport, File) and self.transport.path.is_file()

    def keeps_order(self) -> bool:
        """Tell whether messages that are sent all at once arrive in order."""
        return isinstance(self.transport, HTTP) and self.transport.batching

    def may_recover(self, error: Exception) -> bool:
        """Tell whether an error is one of a peer that has gone, or is busy, and may be back."""
        if not isinstance(self.transport, HTTP) or not isinstance(error, TransportError):
            return False
        if isinstance(error, Rejected):
            return error.status in _PASSING
        return error.code in ("transport", "timeout")

    def refuse_as_source(self, source: Transport) -> None:
        """Refuse a source that this destination would write to: reading it would never end.

        Raises:
            TransportError: Code `validation`: they are the same file.
        """
        if not isinstance(self.transport, File) or not isinstance(source, (File, Stdio)):
            return
        try:
            ours = self.transport.path.stat()
            read = source.path.stat() if isinstance(source, File) else os.fstat(0)
        except OSError:
            return  # what cannot be looked at will be named by who opens it
        if stat.S_ISREG(ours.st_mode) and os.path.samestat(ours, read):
            raise TransportError(
                f"source and destination are the same file: {self.transport.path}",
                code="validation",
            )

    def check(self) -> None:
        """Open a file for appending, before somebody relies on it.

        Raises:
            TransportError: It cannot be opened.
        """
        if not isinstance(self.transport, File):
            return
        path = self.transport.path
        if path.is_file() or path.is_dir() or not path.exists():
            self.transport.open_for_appending()
        # Anything else may be a named pipe, whose reader may still come.


def _peer_url(text: str) -> str:
    """Return the URL to dial; where no host is named, it is this machine."""
    return re.sub(r"^(https?://)(?=:\d)", r"\g<1>127.0.0.1", as_url(text))


def _options(command: Command, url: str) -> dict[str, Any]:
    names = {"token": "token", "ca": "ca_file", "cert": "cert_file", "key": "key_file"}
    given = {option: command.get_string(flag) for flag, option in names.items()}
    options: dict[str, Any] = {option: value for option, value in given.items() if value}
    if is_http(url):
        return {**options, "timeout": get_timeout(command)}
    if options:
        flags = ", ".join(f"--{flag}" for flag, option in names.items() if option in options)
        raise UsageError(f"{flags}: only HTTP takes this, not {url}")
    return {}
