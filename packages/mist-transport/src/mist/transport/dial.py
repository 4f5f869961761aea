"""From a URL to a transport."""

from typing import Any
from urllib.parse import urlsplit

from mist.transport.channel import named_channel
from mist.transport.interface import Transport


def dial(url: str, **options: Any) -> Transport:
    """Return the transport that a URL names."""
    parts = urlsplit(url)
    if parts.scheme != "chan":
        raise ValueError(f"unknown scheme {parts.scheme!r} in {url!r}")
    return named_channel(parts.netloc, **options)
