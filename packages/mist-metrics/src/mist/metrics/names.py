"""What metrics and labels may be called, and what Prometheus calls them."""

from __future__ import annotations

from mist.metrics.errors import MetricError

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal, TypeAlias

    Kind: TypeAlias = Literal["counter", "gauge", "histogram"]
    Labels: TypeAlias = tuple[tuple[str, str], ...]

_TO_UNDERSCORE = str.maketrans(".-/:", "____")

# The series of one metric, and so what no other metric may be called, by OpenMetrics 1.0.
_SUFFIXES = {
    "counter": ("", "_total", "_created"),
    "gauge": ("",),
    "histogram": ("", "_bucket", "_count", "_sum", "_created"),
}


def check_name(name: object) -> str:
    """Return the name of a metric.

    Raises:
        MetricError: it breaks a rule.
    """
    if isinstance(name, str) and _is_identifier(name.translate(_TO_UNDERSCORE)):
        return str.__str__(name)
    raise MetricError(
        f"{name!r} is no name of a metric: it takes ASCII letters, digits and _ . - / : "
        "and does not begin with a digit"
    )


def check_labels(kind: Kind, name: str, labels: Mapping[str, object]) -> Labels:
    """Return the labels in their order, with every value as text.

    Raises:
        MetricError: a label's name breaks a rule.
    """
    for label in labels:
        if not _is_identifier(label):
            raise MetricError(
                f"{label!r} is no label of {kind} {name!r}: a label's name takes ASCII letters, "
                "digits and _ and does not begin with a digit"
            )
        if label.startswith("__") or (label == "le" and kind == "histogram"):
            raise MetricError(f"the label {label!r} of {kind} {name!r} is reserved by Prometheus")
    return tuple((label, _as_text(value)) for label, value in labels.items())


def prometheus_name(kind: Kind, name: str) -> tuple[str, int]:
    """Return the name of a metric's family in Prometheus, and what its values are divided by.

    Prometheus wants base units: what is recorded in milliseconds is exposed in seconds. A
    counter's `_total` belongs to its series, not to its family (OpenMetrics 1.0).
    """
    exposed = name.translate(_TO_UNDERSCORE)
    if kind == "counter":
        exposed = exposed.removesuffix("_total") or exposed
    if exposed.endswith("_ms"):
        return exposed.removesuffix("_ms") + "_seconds", 1000
    return exposed, 1


def prometheus_series(kind: Kind, name: str) -> list[str]:
    """List every name that a metric takes up in Prometheus."""
    exposed, _ = prometheus_name(kind, name)
    return [exposed + suffix for suffix in _SUFFIXES[kind]]


def _is_identifier(text: str) -> bool:
    return text.isascii() and text.isidentifier()


def _as_text(value: object) -> str:
    """Return a label's value as text that has a form in UTF-8."""
    # The characters of an enum's member that is also a str, whatever its class makes of str().
    text = str.__str__(value) if isinstance(value, str) else str(value)
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
