"""What a person types where a URL belongs."""

import re

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # one letter is a drive of Windows
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):\d{1,5}(/.*)?")


def as_url(text: str) -> str:
    """Return the URL that a person means: a URL, `-`, `host:port`, or the path of a file."""
    if text == "-":
        return "stdio:"
    if _HOST_PORT.fullmatch(text):
        return f"http://{text}"
    if _SCHEME.match(text):
        return text
    return f"file:{text.replace('%', '%25')}"


def is_http(url: str) -> bool:
    """Tell whether a URL is dialed over HTTP."""
    return url.partition(":")[0].lower() in ("http", "https", "http+unix")
