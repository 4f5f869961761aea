"""Send and receive MIST messages over HTTP, files, stdio and in-process channels."""

from mist.transport.backpressure import blocking_send
from mist.transport.channel import Channel, channel_pair
from mist.transport.dedupe import Dedupe, with_dedupe
from mist.transport.dial import dial
from mist.transport.errors import (
    BufferFull,
    EndOfStream,
    InvalidSettingError,
    Rejected,
    TransportClosed,
    TransportError,
    TransportTimeout,
    WrongTransportError,
)
from mist.transport.file import File
from mist.transport.http import HTTP
from mist.transport.interface import Conversation, Receiver, Sender, Transport
from mist.transport.layer import Middleware, unwrap, wrap
from mist.transport.lines import LineParser
from mist.transport.observing import with_logging, with_metrics, with_tracing
from mist.transport.resilient import Resilient
from mist.transport.retrying import with_retry
from mist.transport.stdio import Stdio

__all__ = [
    "HTTP",
    "BufferFull",
    "Channel",
    "Conversation",
    "Dedupe",
    "EndOfStream",
    "File",
    "InvalidSettingError",
    "LineParser",
    "Middleware",
    "Receiver",
    "Rejected",
    "Resilient",
    "Sender",
    "Stdio",
    "Transport",
    "TransportClosed",
    "TransportError",
    "TransportTimeout",
    "WrongTransportError",
    "blocking_send",
    "channel_pair",
    "dial",
    "unwrap",
    "with_dedupe",
    "with_logging",
    "with_metrics",
    "with_retry",
    "with_tracing",
    "wrap",
]

# A traceback or a repr shows the name that users import, not the file it lives in. (The alias
# Middleware has no name of its own.)
for _public in [globals()[name] for name in __all__ if name != "Middleware"]:
    _public.__module__ = __name__
