"""The tools and the message types that the MIST stack itself uses."""

from enum import StrEnum


class Source(StrEnum):
    """The tools of the MIST stack; any other non-empty string is a valid source too."""

    SCHEMAFLUX = "schemaflux"
    INFERMUX = "infermux"
    MATCHSPEC = "matchspec"
    TOKENTRACE = "tokentrace"


class MessageType(StrEnum):
    """The message types of the MIST stack; any other non-empty string is a valid type too."""

    INFER_REQUEST = "infer.request"
    INFER_RESPONSE = "infer.response"
    EVAL_RUN = "eval.run"
    EVAL_RESULT = "eval.result"
    TRACE_SPAN = "trace.span"
    TRACE_ALERT = "trace.alert"
    DATA_ENTITIES = "data.entities"
    DATA_SCHEMA = "data.schema"
    HEALTH_PING = "health.ping"
    HEALTH_PONG = "health.pong"
