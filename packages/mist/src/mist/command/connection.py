"""The flags that describe a peer, and the transport that they make."""

from typing import Any

from mist.cli import Command
from mist.command.url import as_url, is_http
from mist.transport import HTTP, Resilient, Stdio, Transport, TransportError, dial


def add_peer_flags(command: Command) -> None:
    """Declare what dialing a peer over HTTP may need."""
    command.add_string_flag("token", "", "bearer token to send along")
    command.add_string_flag("ca", "", "certificates (PEM) to trust instead of the system's")
    command.add_string_flag("cert", "", "client certificate (PEM) to show")
    command.add_string_flag("key", "", "its private key, where it is in another file")
    command.add_float64_flag("timeout", 10.0, "seconds to wait for each answer")


def dial_peer(command: Command, text: str) -> Transport:
    """Return the transport to what a person typed as destination, with the flags' options."""
    url = as_url(text)
    return dial(url, **_options(command, url))


class LastingPeer:
    """A destination that is waited for when it goes away.

    Attributes:
        transport: What to send through.
    """

    def __init__(self, text: str, command: Command | None = None) -> None:
        """Name the destination.

        Args:
            text: As a person typed it.
            command: The command whose peer flags apply, if it has any.
        """
        self.url = as_url(text)
        self._options = _options(command, self.url) if command else {}
        # A URL or an option that is wrong will not become right by waiting.
        self._current = dial(self.url, **self._options)
        self._fresh = True
        self.transport: Transport = self._current
        if is_http(self.url):
            self.transport = Resilient(self._dial, max_reconnect_wait=5.0)

    @property
    def is_stdout(self) -> bool:
        """Whether messages go to this process's standard output."""
        return isinstance(self._current, Stdio)

    def keeps_order(self) -> bool:
        """Tell whether messages that are sent all at once arrive in order."""
        return isinstance(self._current, HTTP) and self._current.batching

    def _dial(self) -> Transport:
        if not self._fresh:
            self._current = dial(self.url, **self._options)
        self._fresh = False
        return self._current


def _options(command: Command, url: str) -> dict[str, Any]:
    names = {"token": "token", "ca": "ca_file", "cert": "cert_file", "key": "key_file"}
    given = {option: command.get_string(flag) for flag, option in names.items()}
    options: dict[str, Any] = {option: value for option, value in given.items() if value}
    if is_http(url):
        return {**options, "timeout": command.get_float64("timeout")}
    if options:
        flags = ", ".join(f"--{flag}" for flag, option in names.items() if option in options)
        raise TransportError(f"{flags}: only HTTP takes this, not {url}", code="validation")
    return {}
