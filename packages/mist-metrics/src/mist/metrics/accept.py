"""Which of several media types a client wants (RFC 9110, section 12.5.1)."""

from collections.abc import Sequence

_IGNORED = ("charset", "escaping")  # they change nothing about whether a client can read it


def preferred(accept: str, offers: Sequence[str]) -> str | None:
    """Return the offer that an `Accept` header prefers, the first of equals; None if it takes none.

    Args:
        accept: The header; empty if there is none, which takes anything.
        offers: Media types, best first. A `version` counts where the header names one.
    """
    if not accept.strip():
        return offers[0]
    ranges = [_parse(part) for part in accept.split(",")]
    best, best_quality = None, 0.0
    for offer in offers:
        kind, parameters, _ = _parse(offer)
        matches = [
            (_specificity(wanted, needed), quality)
            for wanted, needed, quality in ranges
            if _covers(wanted, kind) and needed.items() <= parameters.items()
        ]
        quality = max(matches)[1] if matches else 0.0
        if quality > best_quality:
            best, best_quality = offer, quality
    return best


def _parse(part: str) -> tuple[str, dict[str, str], float]:
    """Return a range's type, the parameters that count, and its quality."""
    kind, *rest = part.split(";")
    parameters: dict[str, str] = {}
    quality = 1.0
    for each in rest:
        name, _, value = each.partition("=")
        name, value = name.strip().lower(), value.strip().strip('"').lower()
        if name == "q":
            quality = _quality(value)
        elif name and name not in _IGNORED:
            parameters[name] = value
    return kind.strip().lower(), parameters, quality


def _quality(value: str) -> float:
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0


def _covers(wanted: str, kind: str) -> bool:
    return wanted in (kind, "*/*") or wanted == kind.partition("/")[0] + "/*"


def _specificity(wanted: str, needed: dict[str, str]) -> tuple[bool, bool, int]:
    return wanted != "*/*", not wanted.endswith("/*"), len(needed)
