"""The envelope that everything crossing a tool boundary travels in."""

import builtins
import zlib
from time import time_ns
from typing import Annotated, Any, TypeVar, overload

import msgspec
from msgspec import Raw

from mist.protocol.decoding import UNREADABLE, decode_payload, explain_malformed, payload_decoder
from mist.protocol.encoding import encode_payload
from mist.protocol.errors import MessageTooLarge, ProtocolError
from mist.protocol.excerpt import excerpt
from mist.protocol.faults import UNENCODABLE, find_fault
from mist.protocol.ids import new_id, take_ready_id
from mist.protocol.limits import MAX_ENVELOPE_SIZE, MAX_MESSAGE_SIZE
from mist.protocol.registry import payload_class
from mist.protocol.version import CURRENT_VERSION

T = TypeVar("T")

Int64 = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
UInt32 = Annotated[int, msgspec.Meta(ge=0, le=(1 << 32) - 1)]
NonEmpty = Annotated[str, msgspec.Meta(min_length=1)]

_NO_PAYLOAD = Raw(b"")
_REQUIRED = ("version", "id", "source", "type")
# Below this many bytes, what a payload keeps alive besides itself is not worth a copy.
_PIN_THRESHOLD = 4096


class Message(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One MIST message.

    Attributes:
        version: Protocol version of the envelope.
        id: 32 lowercase hexadecimal digits for a message made here; any non-empty string.
        source: The tool that made the message.
        type: What the payload is, such as `infer.request`.
        timestamp_ns: When it was made, in nanoseconds since the Unix epoch.
        payload: The payload's JSON, byte for byte as it stands in the envelope; empty if absent.
        checksum: CRC-32 (IEEE 802.3) of the payload's bytes; 0 for none.
    """

    version: NonEmpty
    id: NonEmpty
    source: NonEmpty
    type: NonEmpty
    timestamp_ns: Int64 = msgspec.field(default_factory=int)
    payload: Raw = _NO_PAYLOAD
    checksum: UInt32 = 0

    @staticmethod
    def new(source: str, type: str, payload: Any) -> "Message":  # noqa: A002  # the wire's name
        """Make a message of a payload, with a fresh id and the present time.

        Args:
            source: The tool that makes it, such as `Source.MATCHSPEC`.
            type: What the payload is, such as `MessageType.INFER_REQUEST`.
            payload: An instance of a payload class, JSON values, or a `msgspec.Raw` of JSON.

        Raises:
            ProtocolError: `source` or `type` is empty, or a value in the payload has no JSON
                form; the text names its path.
            MessageTooLarge: The payload is over `MAX_MESSAGE_SIZE`.
        """
        encoded = encode_payload(payload)
        if not source or not type or len(encoded) > MAX_MESSAGE_SIZE:
            _refuse_new(source, type, len(encoded))
        try:
            fresh_id = take_ready_id()
        except IndexError:
            fresh_id = new_id()
        return Message(CURRENT_VERSION, fresh_id, source, type, time_ns(), Raw(encoded))

    @staticmethod
    def unmarshal(data: bytes | bytearray | memoryview | str) -> "Message":
        """Read one encoded message.

        Args:
            data: The JSON of one envelope; surrounding white space is allowed.

        Raises:
            ProtocolError: It is not a message; the text says where and why.
            MessageTooLarge: It is over the size limit.
        """
        size = len(data)
        if size > MAX_ENVELOPE_SIZE:
            raise MessageTooLarge(size, MAX_MESSAGE_SIZE)
        if type(data) is not bytes:
            data = _own(data)
            size = len(data)
        try:
            message = _decode(data)
        except UNREADABLE as exc:
            message = _read_like_go(data, exc)
        if size > _PIN_THRESHOLD:
            message = _unpinned(message, size)
        return message

    def marshal(self) -> bytes:
        """Return the envelope as JSON, the payload byte for byte.

        It is one line, unless the payload came from a peer that breaks lines inside its JSON:
        `marshal_lines` sees to that.

        Raises:
            ProtocolError: A field that was set by hand has no JSON form.
        """
        try:
            return _encode(self)
        except UNENCODABLE as exc:
            raise ProtocolError(f"cannot encode message: {find_fault(self) or exc}") from exc

    def validate(self) -> None:
        """Check what `unmarshal` checks, for a message that was put together by hand.

        Raises:
            ProtocolError: A field is missing, empty or of the wrong type.
            MessageTooLarge: The payload is over `MAX_MESSAGE_SIZE`.
        """
        for name in _REQUIRED:
            _require(name, getattr(self, name))
        payload: Any = self.payload
        if not isinstance(payload, Raw):
            raise ProtocolError(
                f"payload: expected a msgspec.Raw of JSON, got {type(payload).__name__};"
                " Message.new encodes values"
            )
        if len(payload) > MAX_MESSAGE_SIZE:
            raise MessageTooLarge(len(payload), MAX_MESSAGE_SIZE, "payload")
        # What is left are wrong types and numbers out of range, which the decoder names best.
        Message.unmarshal(self.marshal())

    @overload
    def decode(self) -> Any: ...
    @overload
    def decode(self, target: builtins.type[T]) -> T: ...
    def decode(self, target: builtins.type[Any] | None = None) -> Any:
        """Return the payload as a Python value.

        Args:
            target: The class to decode to; by default the one registered for this message's
                type, else plain JSON values.

        Raises:
            ProtocolError: The payload does not fit; the text names the field's path.
        """
        chosen: Any = target or payload_class(self.type) or Any
        try:
            return payload_decoder(chosen).decode(self.payload)
        except UNREADABLE:
            pass  # the slower way takes more, and says why it takes no more
        try:
            return decode_payload(self.payload, chosen)
        except ProtocolError as exc:
            raise ProtocolError(f"payload of {self.type}: {exc}") from exc.__cause__

    def with_checksum(self) -> "Message":
        """Return a copy that carries the checksum of its payload."""
        return Message(
            self.version,
            self.id,
            self.source,
            self.type,
            self.timestamp_ns,
            self.payload,
            zlib.crc32(self.payload),
        )

    def marshal_with_checksum(self) -> bytes:
        """Return the envelope as JSON, as `marshal` does, with the checksum of its payload."""
        return self.with_checksum().marshal()

    def verify_checksum(self) -> bool:
        """Tell whether the payload matches the checksum; True where there is none."""
        return self.checksum == 0 or self.checksum == zlib.crc32(self.payload)

    def __hash__(self) -> int:
        return hash(self.id)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, msgspec.structs.astuple(self)

    def __repr__(self) -> str:
        return (
            f"Message(version={excerpt(self.version)}, id={excerpt(self.id)},"
            f" source={excerpt(self.source)}, type={excerpt(self.type)},"
            f" timestamp_ns={self.timestamp_ns}, payload={excerpt(bytes(self.payload))},"
            f" checksum={self.checksum})"
        )


class _Envelope(msgspec.Struct):
    """The envelope as Go's decoder sees it: every field may be missing or null."""

    version: str | None = None
    id: str | None = None
    source: str | None = None
    type: str | None = None
    timestamp_ns: Int64 | None = None
    payload: Raw = _NO_PAYLOAD
    checksum: UInt32 | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Message).decode
_decode_like_go = msgspec.json.Decoder(_Envelope).decode


def _own(data: bytes | bytearray | memoryview | str) -> bytes | str:
    """Take bytes that nobody else can change, and that keep nothing but themselves alive."""
    return data if isinstance(data, str) else bytes(data)


def _read_like_go(data: bytes | str, cause: Exception) -> Message:
    """Read what the strict decoder refused, or raise for the reason that Go would give."""
    try:
        envelope = _decode_like_go(data)
    except UNREADABLE as exc:
        # That null passes for absent is no help to somebody whose value has the wrong type.
        reason = explain_malformed(exc).replace(" | null`", "`") if data.strip() else "it is empty"
        raise ProtocolError(f"not a message: {reason}") from cause
    for name in _REQUIRED:
        if not getattr(envelope, name):
            raise ProtocolError(f"missing {name}: expected a non-empty string") from cause
    return Message(
        envelope.version or "",
        envelope.id or "",
        envelope.source or "",
        envelope.type or "",
        envelope.timestamp_ns or 0,
        envelope.payload,
        envelope.checksum or 0,
    )


def _unpinned(message: Message, size: int) -> Message:
    """Return a message that keeps alive little more than its own payload.

    A decoded payload is a view of the whole input.
    """
    length = len(message.payload)
    if length > MAX_MESSAGE_SIZE:
        raise MessageTooLarge(length, MAX_MESSAGE_SIZE, "payload")
    if 2 * length < size:
        return msgspec.structs.replace(message, payload=message.payload.copy())
    return message


def _restore(*fields: Any) -> Message:
    """Put a pickled message together again."""
    message = Message(*fields)
    # That a payload is absent is known by the default's identity, which pickling loses.
    return message if message.payload else msgspec.structs.replace(message, payload=_NO_PAYLOAD)


def _require(name: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        got = repr(value) if isinstance(value, str) else type(value).__name__
        raise ProtocolError(f"missing {name}: expected a non-empty string, got {got}")


def _refuse_new(source: str, type: str, size: int) -> None:  # noqa: A002  # the wire's name
    _require("source", source)
    _require("type", type)
    raise MessageTooLarge(size, MAX_MESSAGE_SIZE, "payload")
