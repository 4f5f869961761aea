"""The payload classes: which fields are always written, in which order, by which name."""

import json

import msgspec
import pytest

from mist.protocol import (
    ChatMessage,
    DataEntities,
    DataSchema,
    EvalResult,
    EvalRun,
    HealthPing,
    HealthPong,
    InferRequest,
    InferResponse,
    Message,
    SchemaField,
    TraceAlert,
    TraceSpan,
)

# As in the wire format: "?" is left out when empty, everything else is always written.
FIELDS = {
    InferRequest: "model provider? messages params? meta?",
    ChatMessage: "role content",
    InferResponse: (
        "model provider content tokens_in tokens_out cost_usd latency_ms finish_reason"
    ),
    EvalRun: "suite tasks? baseline infer_url? tags?",
    EvalResult: "suite task passed score baseline_score delta duration_ms error?",
    TraceSpan: "trace_id span_id parent_id? operation start_ns end_ns status attrs?",
    TraceAlert: "level metric value threshold message",
    DataEntities: "count format path schema? checksum?",
    DataSchema: "name fields",
    SchemaField: "name type required",
    HealthPing: "from",
    HealthPong: "from version uptime_s",
}
FULL = {
    InferRequest: InferRequest("m", "p", [ChatMessage("user", "hi")], {"t": 0.5}, {"k": "v"}),
    ChatMessage: ChatMessage("user", "hi"),
    InferResponse: InferResponse("m", "p", "c", 1, 2, 0.25, 3, "stop"),
    EvalRun: EvalRun("s", ["t"], True, "http://x", {"k": "v"}),
    EvalResult: EvalResult("s", "t", True, 0.5, 0.25, 0.25, 7, "e"),
    TraceSpan: TraceSpan("t", "s", "p", "op", 1, 2, "ok", {"k": [1]}),
    TraceAlert: TraceAlert("critical", "m", 1.5, 0.5, "text"),
    DataEntities: DataEntities(1, "jsonl", "/p", "s", "c"),
    DataSchema: DataSchema("n", [SchemaField("id", "int", True)]),
    SchemaField: SchemaField("id", "int", True),
    HealthPing: HealthPing("m"),
    HealthPong: HealthPong("m", "1.0", 5),
}
every_class = pytest.mark.parametrize("cls", FIELDS, ids=lambda cls: cls.__name__)


def written(payload):
    """Return what is written for a payload, keys in order."""
    return json.loads(bytes(Message.new("s", "t", payload).payload))


@every_class
def test_every_field_is_written_in_order(cls):
    """A payload with all its fields set writes them in the wire format's order."""
    assert list(written(FULL[cls])) == FIELDS[cls].replace("?", "").split()


@every_class
def test_at_its_zero_value_only_what_must_be_is_written(cls):
    """A payload without arguments writes exactly the fields that Go does not omit."""
    fields = [name for name in FIELDS[cls].split() if not name.endswith("?")]
    assert list(written(cls())) == fields
    for name in getattr(cls, "NIL_SLICES", ()):
        assert written(cls())[name] is None
    zeros = ("", 0, False, None)
    assert all(value in zeros for value in written(cls()).values())


@every_class
def test_each_field_is_omitted_or_not_by_itself(cls):
    """One field put to its zero value is left out if it is optional, and written if not."""
    names = FIELDS[cls].split()
    for attribute, name in zip(cls.__struct_fields__, names, strict=True):
        zero = getattr(cls(), attribute)
        changed = msgspec.structs.replace(FULL[cls], **{attribute: zero})
        expected = [n.removesuffix("?") for n in names if n != name or not n.endswith("?")]
        assert list(written(changed)) == expected


@every_class
def test_a_full_payload_makes_the_round_trip(cls):
    """What is written is read as an equal instance."""
    assert Message.new("s", "t", FULL[cls]).decode(cls) == FULL[cls]
    assert Message.new("s", "t", cls()).decode(cls) == cls()


def test_attributes_that_are_named_otherwise_on_the_wire():
    """`baseline`, `from_` and `uptime` have the wire's names on the wire."""
    assert written(EvalResult(baseline=0.5))["baseline_score"] == 0.5
    assert written(HealthPing(from_="m")) == {"from": "m"}
    assert written(HealthPong(from_="m", uptime=5)) == {"from": "m", "version": "", "uptime_s": 5}
    assert EvalRun(baseline=True).baseline is True


def test_defaults_are_not_shared():
    """Two payloads made without arguments do not share their lists and objects."""
    first, second = InferRequest(), InferRequest()
    first.messages.append(ChatMessage())
    first.meta["k"] = "v"
    first.params["k"] = 1
    assert second == InferRequest()


def test_an_empty_list_that_is_no_nil_slice_is_omitted():
    """An empty optional list or object is left out, not written as null."""
    assert "tasks" not in written(EvalRun(tasks=[]))
    assert "params" not in written(InferRequest(params={}))
