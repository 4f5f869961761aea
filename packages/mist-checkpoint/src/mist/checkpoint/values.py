"""Results and inputs as JSON, and back."""

import math
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from mist.checkpoint.errors import CheckpointError, InvalidValue

_encode = msgspec.json.Encoder().encode
_encode_ordered = msgspec.json.Encoder(order="deterministic").encode


def encode(value: object, what: str) -> bytes:
    """Return a value's JSON, in one line.

    Args:
        value: Anything that msgspec encodes.
        what: What to call it in an error.

    Raises:
        InvalidValue: It does not encode, or would not come back: NaN is `null` in JSON.
    """
    try:
        encoded = _encode(value)
        if b"null" in encoded:
            _refuse_non_numbers(value)
        if b"\n" in encoded:  # only a msgspec.Raw can bring it along
            encoded = msgspec.json.format(encoded, indent=-1)
        msgspec.json.decode(encoded, type=msgspec.Raw)
    except Exception as exc:
        raise InvalidValue(f"{what} does not encode as JSON: {exc}") from exc
    return encoded


def decode(encoded: bytes | msgspec.Raw, T: Any, what: str) -> Any:  # noqa: N803  # the contract's
    """Return the value of some JSON, of type `T` unless that is None.

    Raises:
        InvalidValue: It is no `T`.
        CheckpointError: It is no JSON, which only damage to the file can bring about.
    """
    try:
        return msgspec.json.decode(encoded, type=Any if T is None else T)
    except (msgspec.ValidationError, TypeError) as exc:
        raise InvalidValue(f"{what} is no {_name(T)}: {exc}") from exc
    except (msgspec.MsgspecError, UnicodeError) as exc:
        raise CheckpointError(f"{what} is damaged: {exc}") from exc


def fingerprint(inputs: object) -> str:
    """Return the SHA-256 of some inputs, in hexadecimal: the order of keys does not matter.

    Raises:
        InvalidValue: They do not encode.
    """
    try:
        encoded = _encode_ordered(inputs)
    except Exception as exc:
        raise InvalidValue(f"inputs do not encode as JSON: {exc}") from exc
    import hashlib  # noqa: PLC0415  # for runs that use inputs

    return hashlib.sha256(encoded).hexdigest()


def _name(T: Any) -> str:  # noqa: N803  # the contract's
    return getattr(T, "__qualname__", None) or str(T)


def _refuse_non_numbers(value: object) -> None:
    """Raise ValueError where a `null` in the JSON is a float that JSON has no number for."""
    builtins = msgspec.to_builtins(value, enc_hook=lambda _: None)
    path = _non_number(builtins)
    if path is not None:
        raise ValueError(f"${path} is NaN or infinite, for which JSON has no number")


def _non_number(value: object) -> str | None:
    if isinstance(value, float):
        return None if math.isfinite(value) else ""
    if isinstance(value, Mapping):
        children = [
            (f".{key}", child) for key, child in cast("Mapping[object, object]", value).items()
        ]
    elif isinstance(value, (list, tuple)):
        items = cast("list[object]", value)
        children = [(f"[{index}]", child) for index, child in enumerate(items)]
    else:
        return None
    for step, child in children:
        path = _non_number(child)
        if path is not None:
            return step + path
    return None
