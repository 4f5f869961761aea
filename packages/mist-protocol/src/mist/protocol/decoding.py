"""From payload bytes to a typed value, as lenient about absent fields as Go's decoder.

Go gives a field that is missing or null its zero value. A missing field is msgspec's own
business; null is seen to on a second try, so that ordinary payloads do not pay for it.
"""

from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from mist.protocol.errors import ProtocolError
from mist.protocol.nulls import fill_nulls

T = TypeVar("T")

UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What decoding raises for bytes that cannot be read, or read as what they should be."""


def decode_payload(payload: msgspec.Raw, target: type[T]) -> T:
    """Return the payload as an instance of `target`.

    Raises:
        ProtocolError: It is not JSON, or does not fit; the text names the field's path.
    """
    hashable: Any = target  # as every class is
    decoder: msgspec.json.Decoder[T] = payload_decoder(hashable)
    try:
        try:
            return decoder.decode(payload)
        except msgspec.ValidationError:
            if b"null" not in bytes(payload):
                raise
            return decoder.decode(_with_zeros(payload, target))
    except UNREADABLE as exc:
        raise ProtocolError(explain_malformed(exc) if payload else "there is none") from exc


def explain_malformed(exc: Exception) -> str:
    """Return one line on why bytes were not JSON that can be read."""
    if isinstance(exc, RecursionError):
        return "JSON is nested too deeply"
    return str(exc)


@lru_cache(maxsize=256)
def payload_decoder(target: Any) -> Any:
    """Return the decoder to `target`, made once."""
    return msgspec.json.Decoder(target)


def _with_zeros(payload: msgspec.Raw, target: Any) -> bytes:
    """Return the payload with zero values for the nulls that do not fit."""
    return msgspec.json.encode(fill_nulls(msgspec.json.decode(payload), target))
