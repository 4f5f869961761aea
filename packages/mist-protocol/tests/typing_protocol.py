"""What users write, checked by mypy and pyright and never run."""

from dataclasses import dataclass
from typing import Any, assert_type

import msgspec

from mist.protocol import (
    CURRENT_VERSION,
    MAX_MESSAGE_SIZE,
    ChatMessage,
    InferRequest,
    InferResponse,
    Message,
    MessageTooLarge,
    MessageType,
    ProtocolError,
    Source,
    marshal_lines,
    negotiate_version,
    payload_class,
    payload_type,
    unmarshal_lines,
)


@payload_type("acme.order")
class Order(msgspec.Struct):
    """A Struct of a user's own."""

    number: int


@payload_type("acme.invoice")
@dataclass
class Invoice:
    """A dataclass of a user's own."""

    number: int


assert_type(Order(1).number, int)
assert_type(Invoice(1), Invoice)

request = InferRequest("auto", messages=[ChatMessage("user", "hi")], params={"t": 0.5})
assert_type(request.messages, list[ChatMessage])
assert_type(request.meta, dict[str, str])

message = Message.new(Source.MATCHSPEC, MessageType.INFER_REQUEST, request)
assert_type(message, Message)
assert_type(Message.new("acme", "acme.order", {"number": 1}), Message)
assert_type(message.payload, msgspec.Raw)
assert_type(message.timestamp_ns, int)
assert_type(message.checksum, int)
assert_type(message.marshal(), bytes)
assert_type(message.with_checksum(), Message)
assert_type(message.verify_checksum(), bool)

assert_type(message.decode(InferResponse), InferResponse)
assert_type(message.decode(Invoice), Invoice)
assert_type(message.decode(list[int]), list[int])
any_payload: Any = message.decode()

for data in (b"", bytearray(), memoryview(b"")):
    assert_type(Message.unmarshal(data), Message)
    assert_type(unmarshal_lines(data), list[Message])
assert_type(Message.unmarshal(""), Message)
assert_type(marshal_lines(iter([message])), bytes)

assert_type(negotiate_version(CURRENT_VERSION, "1-2"), str)
assert_type(payload_class("acme.order"), type[Any] | None)
limit: int = MAX_MESSAGE_SIZE

try:
    message.validate()
except MessageTooLarge as too_large:
    assert_type(too_large.size, int)
except ProtocolError as error:
    assert_type(error.code, str)
