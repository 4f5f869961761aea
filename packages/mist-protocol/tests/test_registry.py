"""Which class a message type decodes to."""

import dataclasses

import msgspec
import pytest

from mist.protocol import (
    InferRequest,
    Message,
    MessageType,
    PayloadTypeError,
    ProtocolError,
    payload_class,
    payload_type,
)


@payload_type("test.order")
class Order(msgspec.Struct):
    """An order of somebody's own."""

    number: int
    note: str = ""


@payload_type("test.invoice")
@dataclasses.dataclass
class Invoice:
    """An invoice as a dataclass."""

    number: int
    paid: bool = False


@pytest.mark.parametrize(("kind", "cls"), [("test.order", Order), ("test.invoice", Invoice)])
def test_a_registered_class_is_decoded_to(kind, cls):
    """A user's own Struct or dataclass travels and comes back as an instance."""
    assert payload_class(kind) is cls
    message = Message.unmarshal(Message.new("acme", kind, cls(7)).marshal())
    assert message.decode() == cls(7)
    with pytest.raises(ProtocolError, match=rf"payload of {kind}: Expected `int`"):
        Message.new("acme", kind, {"number": "7"}).decode()


def test_every_type_of_the_stack_has_its_class():
    """Each member of MessageType has a payload class, which its plain text finds too."""
    classes = [payload_class(kind) for kind in MessageType]
    assert all(isinstance(cls, type) for cls in classes)
    assert len(set(classes)) == len(MessageType) == 10
    assert (
        payload_class("infer.request") is payload_class(MessageType.INFER_REQUEST) is InferRequest
    )


def test_an_unknown_type_has_no_class():
    """A type that nobody registered has no class."""
    assert payload_class("nobody.knows") is None


def test_a_type_that_is_taken_is_refused():
    """A second class for a type is an error that names both classes."""
    with pytest.raises(PayloadTypeError, match=r"registered for .*Order; choose .*Other") as caught:

        @payload_type("test.order")
        class Other(msgspec.Struct):
            pass

    assert caught.value.code == "conflict"
    with pytest.raises(PayloadTypeError, match=r"already registered for .*InferRequest"):
        payload_type(MessageType.INFER_REQUEST)(Invoice)
    assert payload_class("test.order") is Order


def test_a_reloaded_class_takes_its_own_place():
    """The same class defined again, as by a module's reload, replaces the former."""

    def define():
        @payload_type("test.reloaded")
        class Reloaded(msgspec.Struct):
            pass

        return Reloaded

    first, second = define(), define()
    assert first is not second
    assert payload_class("test.reloaded") is second


def test_one_class_may_serve_several_types():
    """A class can be registered for more than one type."""
    payload_type("test.order.copy")(Order)
    assert Message.new("s", "test.order.copy", Order(1)).decode() == Order(1)


def test_an_empty_type_is_refused():
    """A type without a name cannot be registered."""
    with pytest.raises(PayloadTypeError, match="must not be empty") as caught:
        payload_type("")
    assert caught.value.code == "validation"
    assert isinstance(caught.value, ValueError)
