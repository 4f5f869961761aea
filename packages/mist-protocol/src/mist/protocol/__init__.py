"""The MIST message envelope: typed payloads, checksums, version negotiation."""

from mist.protocol.errors import (
    MessageTooLarge,
    PayloadTypeError,
    ProtocolError,
    UnsupportedVersion,
)
from mist.protocol.limits import MAX_MESSAGE_SIZE
from mist.protocol.lines import marshal_lines, unmarshal_lines
from mist.protocol.message import Message
from mist.protocol.names import MessageType, Source
from mist.protocol.payloads import (
    ChatMessage,
    DataEntities,
    DataSchema,
    EvalResult,
    EvalRun,
    HealthPing,
    HealthPong,
    InferRequest,
    InferResponse,
    SchemaField,
    TraceAlert,
    TraceSpan,
)
from mist.protocol.registry import payload_class, payload_type, payload_types
from mist.protocol.version import (
    CURRENT_VERSION,
    MAX_SUPPORTED_VERSION,
    MIN_SUPPORTED_VERSION,
    check_version,
    is_compatible,
    negotiate_version,
    version_info,
)

__all__ = [
    "CURRENT_VERSION",
    "MAX_MESSAGE_SIZE",
    "MAX_SUPPORTED_VERSION",
    "MIN_SUPPORTED_VERSION",
    "ChatMessage",
    "DataEntities",
    "DataSchema",
    "EvalResult",
    "EvalRun",
    "HealthPing",
    "HealthPong",
    "InferRequest",
    "InferResponse",
    "Message",
    "MessageTooLarge",
    "MessageType",
    "PayloadTypeError",
    "ProtocolError",
    "SchemaField",
    "Source",
    "TraceAlert",
    "TraceSpan",
    "UnsupportedVersion",
    "check_version",
    "is_compatible",
    "marshal_lines",
    "negotiate_version",
    "payload_class",
    "payload_type",
    "payload_types",
    "unmarshal_lines",
    "version_info",
]

# A traceback or a repr shows the name that users import, not the file it lives in.
for _public in [globals()[name] for name in __all__]:
    if hasattr(_public, "__module__"):
        _public.__module__ = __name__
