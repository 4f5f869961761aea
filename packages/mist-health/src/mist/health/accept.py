"""Which of two JSON forms a client prefers (RFC 9110, section 12.5.1)."""

import re
from typing import Final

JSON: Final = "application/json"
HEALTH_JSON: Final = "application/health+json"

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_WEIGHT = re.compile(r"0(?:\.[0-9]*)?|1(?:\.0*)?")


def preferred(accept: str) -> str:
    """Return `JSON` or `HEALTH_JSON`.

    The former unless the client ranks the latter higher, or as high and by its name: only clients
    that know the draft name it. A client that accepts neither gets JSON, for a probe that is told
    406 takes the service for dead.
    """
    qualities = _qualities(accept)
    plain, health = (
        next((qualities[each] for each in (name, "application/*", "*/*") if each in qualities), 0.0)
        for name in (JSON, HEALTH_JSON)
    )
    named = HEALTH_JSON in qualities
    return HEALTH_JSON if health > plain or (named and health == plain > 0) else JSON


def _qualities(accept: str) -> dict[str, float]:
    """Return the quality of each media range, parameters aside; drop what is malformed."""
    qualities: dict[str, float] = {}
    for each in _QUOTED.sub("", accept).lower().split(","):
        media_range, *parameters = (part.strip() for part in each.split(";"))
        weight = "1"
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                weight = value.strip()
        if _WEIGHT.fullmatch(weight):
            qualities[media_range] = float(weight)
    return qualities
