"""Attribute names of MIST beside those of OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from mist.trace.payload import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.util.types import AttributeValue

SCOPE = "mist.trace"
"""The instrumentation scope of what comes from here, by which it is known on its way back."""

# The conventions are still moving, so the names are our own constants: the one that is written,
# then older ones that instrumentations in use still write.
_GEN_AI: dict[str, tuple[str, ...]] = {
    "model": ("gen_ai.request.model",),
    "provider": ("gen_ai.provider.name", "gen_ai.system"),
    "tokens_in": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "tokens_out": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
}


def to_otel(attrs: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """Return the attributes of a MIST span as OpenTelemetry has them, under both names.

    What OpenTelemetry has no form for becomes JSON text; None has none at all.
    """
    found = {key: _value(value) for key, value in plain(attrs).items() if value is not None}
    for name, (conventional, *_) in _GEN_AI.items():
        if name in found:
            found.setdefault(conventional, found[name])
    return found


def to_mist(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of an OpenTelemetry span as JSON has them, under both names."""
    found: dict[str, Any] = plain(dict(attrs))
    for name, conventional in _GEN_AI.items():
        for each in conventional:
            if each in found:
                found.setdefault(name, found[each])
    return found


def _value(value: object) -> AttributeValue:
    if isinstance(value, dict) or not _is_uniform(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return cast("AttributeValue", value)


def _is_uniform(value: object) -> bool:
    """Tell whether a value, if it is a list, is one of texts or numbers of one kind."""
    if not isinstance(value, list):
        return True
    kinds = {type(each) for each in cast("list[object]", value)}
    return len(kinds) <= 1 and kinds <= {str, bool, int, float}
