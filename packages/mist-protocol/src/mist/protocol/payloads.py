"""The typed payloads of the MIST stack's own messages.

Every field has a zero value, and a field that is missing or null takes it. A field whose
default is a plain value is left out while it holds that value; one declared with `always()`
is written in any case, as the wire format wants it.
"""

from typing import Any, ClassVar, TypeVar

import msgspec

from mist.protocol.names import MessageType
from mist.protocol.registry import payload_type

T = TypeVar("T")


def always(zero: type[T], name: str | None = None) -> T:
    """Declare a field that is written also at its zero value.

    msgspec leaves out only defaults it can recognise: a factory of a scalar is not one.
    """
    declared: T = msgspec.field(default_factory=zero, name=name)
    return declared


class ChatMessage(msgspec.Struct, omit_defaults=True):
    """One turn of a conversation.

    Attributes:
        role: Who speaks: `system`, `user`, `assistant` or `tool`.
        content: What is said.
    """

    role: str = always(str)
    content: str = always(str)


@payload_type(MessageType.INFER_REQUEST)
class InferRequest(msgspec.Struct, omit_defaults=True):
    """A request for one completion.

    Attributes:
        model: The model's name, or `auto` for the router's choice.
        provider: The provider to use; empty for any.
        messages: The conversation so far. Empty is written as null, like Go's nil slice.
        params: Sampling parameters, passed through to the provider.
        meta: Free-form labels.
    """

    NIL_SLICES: ClassVar[tuple[str, ...]] = ("messages",)
    """The fields that are written as null where they are empty."""

    model: str = always(str)
    provider: str = ""
    messages: list[ChatMessage] = always(list[ChatMessage])
    params: dict[str, Any] = {}
    meta: dict[str, str] = {}


@payload_type(MessageType.INFER_RESPONSE)
class InferResponse(msgspec.Struct, omit_defaults=True):
    """The answer to an `InferRequest`.

    Attributes:
        model: The model that answered.
        provider: The provider that ran it.
        content: The completion.
        tokens_in: Tokens read.
        tokens_out: Tokens written.
        cost_usd: Price, in US dollars.
        latency_ms: Time to the complete answer, in milliseconds.
        finish_reason: Why the model stopped, in the provider's word.
    """

    model: str = always(str)
    provider: str = always(str)
    content: str = always(str)
    tokens_in: int = always(int)
    tokens_out: int = always(int)
    cost_usd: float = always(float)
    latency_ms: int = always(int)
    finish_reason: str = always(str)


@payload_type(MessageType.EVAL_RUN)
class EvalRun(msgspec.Struct, omit_defaults=True):
    """An order to run an evaluation suite.

    Attributes:
        suite: The suite's name.
        tasks: The tasks to run; empty for all.
        baseline: Whether this run sets the baseline.
        infer_url: Where to send inference requests.
        tags: Free-form labels.
    """

    suite: str = always(str)
    tasks: list[str] = []
    baseline: bool = always(bool)
    infer_url: str = ""
    tags: dict[str, str] = {}


@payload_type(MessageType.EVAL_RESULT)
class EvalResult(msgspec.Struct, omit_defaults=True):
    """The outcome of one task of an evaluation.

    Attributes:
        suite: The suite's name.
        task: The task's name.
        passed: Whether the task passed.
        score: The score reached, usually 0 to 1.
        baseline: The score to compare with (`baseline_score` on the wire).
        delta: `score` less `baseline`.
        duration_ms: Time the task took, in milliseconds.
        error: Why the task could not be scored; empty when it was.
    """

    suite: str = always(str)
    task: str = always(str)
    passed: bool = always(bool)
    score: float = always(float)
    baseline: float = always(float, name="baseline_score")
    delta: float = always(float)
    duration_ms: int = always(int)
    error: str = ""


@payload_type(MessageType.TRACE_SPAN)
class TraceSpan(msgspec.Struct, omit_defaults=True):
    """One timed operation of a trace.

    Attributes:
        trace_id: 32 hexadecimal digits shared by all spans of the trace.
        span_id: 32 hexadecimal digits of this span.
        parent_id: The span that this one is part of; empty for the root.
        operation: What was done.
        start_ns: Start, in nanoseconds since the Unix epoch.
        end_ns: End, in nanoseconds since the Unix epoch.
        status: `ok` or `error`.
        attrs: Free-form attributes.
    """

    trace_id: str = always(str)
    span_id: str = always(str)
    parent_id: str = ""
    operation: str = always(str)
    start_ns: int = always(int)
    end_ns: int = always(int)
    status: str = always(str)
    attrs: dict[str, Any] = {}


@payload_type(MessageType.TRACE_ALERT)
class TraceAlert(msgspec.Struct, omit_defaults=True):
    """A metric that crossed its threshold.

    Attributes:
        level: How grave: `warning` or `critical`.
        metric: The metric's name.
        value: The value seen.
        threshold: The threshold that it crossed.
        message: The same for a human reader.
    """

    level: str = always(str)
    metric: str = always(str)
    value: float = always(float)
    threshold: float = always(float)
    message: str = always(str)


@payload_type(MessageType.DATA_ENTITIES)
class DataEntities(msgspec.Struct, omit_defaults=True):
    """A compiled data set that is ready to be read.

    Attributes:
        count: Number of entities.
        format: Their file format, such as `jsonl`.
        path: Where they are.
        schema: Name of their `DataSchema`.
        checksum: Checksum of the file, in the producer's form.
    """

    count: int = always(int)
    format: str = always(str)
    path: str = always(str)
    schema: str = ""
    checksum: str = ""


class SchemaField(msgspec.Struct, omit_defaults=True):
    """One field of a `DataSchema`.

    Attributes:
        name: The field's name.
        type: The field's type, in the producer's terms.
        required: Whether every entity has it.
    """

    name: str = always(str)
    type: str = always(str)
    required: bool = always(bool)


@payload_type(MessageType.DATA_SCHEMA)
class DataSchema(msgspec.Struct, omit_defaults=True):
    """The shape of a data set's entities.

    Attributes:
        name: The schema's name.
        fields: Its fields, in order. Empty is written as null, like Go's nil slice.
    """

    NIL_SLICES: ClassVar[tuple[str, ...]] = ("fields",)
    """The fields that are written as null where they are empty."""

    name: str = always(str)
    fields: list[SchemaField] = always(list[SchemaField])


@payload_type(MessageType.HEALTH_PING)
class HealthPing(msgspec.Struct, omit_defaults=True):
    """A question whether a tool is there.

    Attributes:
        from_: Who asks (`from` on the wire).
    """

    from_: str = always(str, name="from")


@payload_type(MessageType.HEALTH_PONG)
class HealthPong(msgspec.Struct, omit_defaults=True):
    """The answer to a `HealthPing`.

    Attributes:
        from_: Who answers (`from` on the wire).
        version: The version of the tool that answers.
        uptime: How long it has been up, in seconds (`uptime_s` on the wire).
    """

    from_: str = always(str, name="from")
    version: str = always(str)
    uptime: int = always(int, name="uptime_s")
