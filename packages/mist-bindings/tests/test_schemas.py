"""The schemas are valid, and agree with mist about what a message is."""

import gzip
import json
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from mist.bindings import asyncapi, describe, schema
from mist.bindings.inspection import OWN_TYPES
from mist.protocol import Message, ProtocolError, payload_type

ASYNCAPI = Path(__file__).parent / "asyncapi" / "3.0.0.json.gz"


@pytest.fixture(scope="module")
def validator():
    """A validator of messages with the stack's own payloads."""
    return Draft202012Validator(schema(describe(OWN_TYPES)))


def envelope(message_type, payload):
    """Return a message as JSON values."""
    return {"version": "1", "id": "a", "source": "s", "type": message_type, "payload": payload}


def test_the_schema_is_one():
    """It satisfies the metaschema of its dialect, and names each payload."""
    made = schema(describe(OWN_TYPES))
    Draft202012Validator.check_schema(made)
    assert made["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert {"InferRequest", "ChatMessage", "HealthPong"} <= set(made["$defs"])
    assert made["$defs"]["InferResponse"]["properties"]["latency_ms"]["description"] == (
        "Time to the complete answer, in milliseconds."
    )


def test_golden_messages_are_valid(validator, wire):
    """Whatever mist-go wrote validates, with a checksum and without."""
    for record in wire:
        for form in ("wire", "wire_with_checksum"):
            validator.validate(json.loads(record[form]))


def test_envelopes_are_judged_as_by_mist(validator, golden):
    """Of every golden envelope that is JSON, the schema's verdict is mist-go's."""
    verdicts = [json.loads(line) for line in (golden / "envelope.jsonl").read_bytes().splitlines()]
    judged = 0
    for verdict in verdicts:
        try:
            value = json.loads(verdict["input"])
        except ValueError:
            continue
        assert validator.is_valid(value) is verdict["accept"], verdict["input"]
        judged += 1
    assert judged > 10


@pytest.mark.parametrize(
    ("message_type", "payload", "path"),
    [
        ("infer.request", {"model": 7}, "$.payload.model"),
        ("infer.request", {"messages": [{"role": "user"}, {"role": 7}]}, "$.payload.messages[1]"),
        ("infer.request", {"meta": {"a": 1}}, "$.payload.meta.a"),
        ("infer.request", [], "$.payload"),
        ("infer.response", {"tokens_in": 1.5}, "$.payload.tokens_in"),
        ("infer.response", {"tokens_in": 1 << 63}, "$.payload.tokens_in"),
        ("eval.run", {"baseline": "yes"}, "$.payload.baseline"),
        ("health.ping", {"from": False}, "$.payload.from"),
    ],
)
def test_wrong_payloads_are_not_valid(validator, message_type, payload, path):
    """A payload that does not fit its type is refused at its path."""

    def deepest(error):
        return max([error, *map(deepest, error.context)], key=lambda each: len(each.absolute_path))

    errors = [deepest(error) for error in validator.iter_errors(envelope(message_type, payload))]
    assert any(error.json_path.startswith(path) for error in errors)
    assert validator.is_valid(envelope("acme.other", payload)), "of another type it may be so"


@pytest.mark.parametrize(
    "payload",
    [None, {}, {"messages": None}, {"messages": [None], "meta": {"a": None}}, {"more": 1}],
)
def test_null_stands_for_absent(validator, payload):
    """Where mist reads null as the zero value, the schema allows it."""
    message = envelope("infer.request", payload)
    validator.validate(message)
    Message.unmarshal(json.dumps(message)).decode()


def test_the_schema_of_a_payload_that_mist_refuses(validator):
    """What the schema refuses of a payload, mist's own decoder refuses too."""
    message = envelope("infer.request", {"params": []})
    assert not validator.is_valid(message)
    with pytest.raises(ProtocolError, match=r"\$\.params"):
        Message.unmarshal(json.dumps(message)).decode()


class Parcel(msgspec.Struct, forbid_unknown_fields=True):  # noqa: D101  # one without a docstring
    code: str
    size: Literal[1, 2] = 1
    sent: bool | None = None
    blob: bytes = b""


@pytest.mark.usefixtures("payload_types")
@pytest.mark.parametrize(
    ("payload", "is_valid"),
    [
        ({"code": "a"}, True),
        ({"code": "a", "size": 2, "sent": True, "blob": "aGk="}, True),
        ({"code": "a", "size": None, "sent": None, "blob": None}, True),
        ({}, False),
        ({"code": "a", "size": 3}, False),
        ({"code": "a", "sent": "yes"}, False),
        ({"code": "a", "blob": 1}, False),
        ({"code": "a", "more": 1}, False),
    ],
)
def test_a_payload_of_ones_own_is_judged_as_by_mist(payload, is_valid):
    """What the schema takes, mist's own decoder takes, and what one refuses the other does."""
    payload_type("acme.parcel")(Parcel)
    made = schema(describe(["acme.parcel"]))
    assert "description" not in made["$defs"]["Parcel"]
    assert made["$defs"]["Parcel"]["properties"]["blob"]["contentEncoding"] == "base64"
    message = envelope("acme.parcel", payload)
    assert Draft202012Validator(made).is_valid(message) is is_valid
    read = Message.unmarshal(json.dumps(message))
    if is_valid:
        assert isinstance(read.decode(), Parcel)
    else:
        with pytest.raises(ProtocolError):
            read.decode()


# A class whose name does not stand in a URI as it is.
SIZE = msgspec.defstruct("Größe", [("steps", list[Annotated[int, msgspec.Meta(ge=1)]], [])])


@pytest.mark.usefixtures("payload_types")
def test_null_is_no_zero_where_zero_does_not_fit():
    """An item of at least 1 is not null, and neither is a payload that needs a field."""
    payload_type("acme.size")(SIZE)
    payload_type("acme.parcel")(Parcel)
    validator = Draft202012Validator(schema(describe(["acme.size", "acme.parcel"])))
    assert validator.is_valid(envelope("acme.size", None))
    assert validator.is_valid(envelope("acme.size", {"steps": [1]}))
    assert not validator.is_valid(envelope("acme.size", {"steps": [None]}))
    assert not validator.is_valid(envelope("acme.parcel", None))


@pytest.mark.usefixtures("payload_types")
def test_names_that_do_not_stand_in_a_reference():
    """A class's name is encoded in a URI; a message is called by its constant, if need be."""
    payload_type("acme/size v2")(SIZE)
    protocol = describe(["acme/size v2"])
    Draft202012Validator.check_schema(schema(protocol))
    document = asyncapi(protocol)
    official = Draft7Validator(json.loads(gzip.decompress(ASYNCAPI.read_bytes())))
    assert official.is_valid(document)
    assert list(document["components"]["messages"]) == ["ACME_SIZE_V2"]
    assert document["components"]["messages"]["ACME_SIZE_V2"]["name"] == "acme/size v2"
    assert "#/components/schemas/Gr%C3%B6%C3%9Fe" in json.dumps(document)


def test_the_asyncapi_document_is_one():
    """It satisfies the AsyncAPI Initiative's schema, which is not satisfied by just anything."""
    document = asyncapi(describe(OWN_TYPES))
    official = Draft7Validator(json.loads(gzip.decompress(ASYNCAPI.read_bytes())))
    assert [error.message for error in official.iter_errors(document)] == []
    document["channels"]["mist"]["adress"] = "/mist"
    assert not official.is_valid(document)


def test_the_asyncapi_document_describes_every_message(wire):
    """Each golden message fits the payload of its message in the document."""
    document = asyncapi(describe(OWN_TYPES))
    messages = document["components"]["messages"]
    assert set(messages) == set(OWN_TYPES)
    for record in wire:
        if record["type"] in messages:
            whole = {
                **messages[record["type"]]["payload"]["schema"],
                "components": document["components"],
            }
            Draft202012Validator(whole).validate(json.loads(record["wire"]))


def test_every_reference_leads_somewhere():
    """No `$ref` of either document points at nothing."""

    def references(value):
        if isinstance(value, dict):
            yield from [value["$ref"]] if "$ref" in value else []
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    for document in (schema(), asyncapi()):
        found = set(references(document))
        assert found
        for reference in found:
            place = document
            for step in reference.removeprefix("#/").split("/"):
                place = place[step]
