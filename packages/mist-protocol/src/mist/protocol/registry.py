"""Which class a message type's payload decodes to."""

from collections.abc import Callable
from typing import Any, TypeVar

from mist.protocol.errors import PayloadTypeError

C = TypeVar("C", bound=type)

_classes: dict[str, type[Any]] = {}


def payload_type(message_type: str) -> Callable[[C], C]:
    """Register the decorated class as the payload of a message type.

    `Message.decode()` without an argument then returns an instance of it.

    Args:
        message_type: The envelope's `type`, such as `"acme.order"`.

    Raises:
        PayloadTypeError: Another class holds that type already, or the type is empty.
    """
    if not message_type:
        raise PayloadTypeError("message_type must not be empty")

    def register(cls: C) -> C:
        holder = _classes.get(message_type)
        # The same class defined again is a module being reloaded, not a conflict.
        if holder is not None and _name(holder) != _name(cls):
            taken = PayloadTypeError(
                f"message type {message_type!r} is already registered for {_name(holder)};"
                f" choose another type for {_name(cls)}"
            )
            taken.code = "conflict"
            raise taken
        _classes[str(message_type)] = cls
        return cls

    return register


def payload_class(message_type: str) -> type[Any] | None:
    """Return the class registered for a message type, or None."""
    return _classes.get(message_type)


def payload_types() -> dict[str, type[Any]]:
    """Return the class of every message type that has one, in the order of registration."""
    return dict(_classes)


def _name(cls: type[Any]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
