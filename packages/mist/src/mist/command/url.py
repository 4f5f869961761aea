"""What a person types where a URL belongs."""

import re

from mist.cli import UsageError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # one letter is a drive of Windows
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):\d{1,5}(/.*)?")


def as_url(text: str) -> str:
    """Return the URL that a person means: a URL, `-`, `host:port`, or the path of a file.

    Raises:
        UsageError: It is a channel's, whose other end no other process can hold.
    """
    if text == "-":
        return "stdio:"
    if text.partition(":")[0].lower() == "chan" and ":" in text:
        raise UsageError(
            f"{text}: a channel is inside one process; name a file, a pipe or an address"
        )
    if _HOST_PORT.fullmatch(text):
        return f"http://{text}"
    if _SCHEME.match(text):
        return text
    return f"file:{text.replace('%', '%25')}"


def is_http(url: str) -> bool:
    """Tell whether a URL is dialed over HTTP."""
    return url.partition(":")[0].lower() in ("http", "https", "http+unix")
