"""Metrics as mist-go's JSON, byte for byte."""

import json
import math
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring
from typing import Any

from mist.metrics.errors import MetricError
from mist.metrics.snapshot import (
    CounterSnapshot,
    GaugeSnapshot,
    HistogramSnapshot,
    Snapshot,
    keyed,
)

# What Go escapes beyond JSON's own rules.
_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)

# Where strconv and encoding/json change from digits alone to an exponent.
_G_EXPONENTS = range(-4, 6)
_JSON_EXPONENTS = range(-6, 21)


def encode(snapshot: Snapshot) -> str:
    """Return a registry's JSON: sorted keys, empty groups left out."""
    groups = {
        "counters": {key: _counter(each) for key, each in snapshot.counters.items()},
        "gauges": {key: _gauge(each) for key, each in snapshot.gauges.items()},
        "histograms": {key: _histogram(each) for key, each in snapshot.histograms.items()},
    }
    return _object((f'"{name}"', _sorted_object(group)) for name, group in groups.items() if group)


def decode(data: bytes | str) -> Snapshot:
    """Read a registry's JSON.

    Raises:
        MetricError: it is something else.
    """
    try:
        groups = json.loads(data)
        return Snapshot(
            keyed(
                CounterSnapshot(_text(each["name"]), _labels(each), _whole(each["value"]))
                for each in _members(groups, "counters")
            ),
            keyed(
                GaugeSnapshot(_text(each["name"]), _labels(each), _finite(each["value"]))
                for each in _members(groups, "gauges")
            ),
            keyed(_read_histogram(each) for each in _members(groups, "histograms")),
        )
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as exc:
        raise MetricError(f"this is not the JSON of metrics: {exc!r}") from exc


def quoted(text: str) -> str:
    """Return a JSON string as Go writes it."""
    return encode_basestring(text).translate(_ESCAPES)


def number(value: float) -> str:
    """Return a float as Go's encoding/json writes it: `1`, `0.000001`, `1e+21`, `1e-7`."""
    text = _shortest(value, _JSON_EXPONENTS)
    return text.replace("e-0", "e-")


def bound(value: float) -> str:
    """Return a float as Go's `%g` writes it: `1000`, `1e+06`, `1e-05`."""
    return _shortest(value, _G_EXPONENTS)


def _shortest(value: float, plain: range) -> str:
    """Return the fewest digits that are this float, without an exponent if it is in `plain`."""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The decimal point is behind so many of the digits.
    point = int(exponent or 0) + len(whole) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    sign = "-" if math.copysign(1, value) < 0 else ""
    if not digits:
        return sign + "0"
    if point - 1 not in plain:
        rest = f".{digits[1:]}" if digits[1:] else ""
        return f"{sign}{digits[0]}{rest}e{point - 1:+03d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[point:]}" if digits[point:] else ""
    return f"{sign}{digits[:point].ljust(point, '0')}{rest}"


def _object(members: Iterable[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{key}:{value}" for key, value in members) + "}"


def _sorted_object(members: Mapping[str, str]) -> str:
    """Return an object with its keys sorted, as Go encodes a map."""
    return _object((quoted(key), members[key]) for key in sorted(members))


def _head(each: CounterSnapshot | GaugeSnapshot | HistogramSnapshot) -> list[tuple[str, str]]:
    head = [('"name"', quoted(each.name))]
    if each.labels:
        flat = (quoted(part) for pair in each.labels.items() for part in pair)
        head.append(('"labels"', f"[{','.join(flat)}]"))
    return head


def _counter(each: CounterSnapshot) -> str:
    return _object([*_head(each), ('"value"', str(each.value))])


def _gauge(each: GaugeSnapshot) -> str:
    return _object([*_head(each), ('"value"', number(each.value))])


def _histogram(each: HistogramSnapshot) -> str:
    buckets = {bound(upper): str(count) for upper, count in each.buckets.items()}
    return _object(
        [
            *_head(each),
            ('"count"', str(each.count)),
            ('"sum"', number(each.sum)),
            ('"min"', number(each.min)),
            ('"max"', number(each.max)),
            ('"buckets"', _sorted_object(buckets)),
        ]
    )


def _members(groups: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    members: Mapping[str, Mapping[str, Any]] = groups.get(name, {})
    return members.values()


def _read_histogram(each: Mapping[str, Any]) -> HistogramSnapshot:
    buckets = sorted((_finite(upper), _whole(below)) for upper, below in each["buckets"].items())
    return HistogramSnapshot(
        _text(each["name"]),
        _labels(each),
        count=_whole(each["count"]),
        sum=_finite(each["sum"]),
        min=_finite(each["min"]),
        max=_finite(each["max"]),
        buckets=dict(buckets),
    )


def _labels(each: Mapping[str, Any]) -> dict[str, str]:
    flat = [_text(part) for part in each.get("labels", [])]
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r} is no text")


def _whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError(f"{value!r} is no whole number")


def _finite(value: Any) -> float:
    number = float(value)
    if math.isfinite(number):
        return number
    raise ValueError(f"{number} is not finite")
