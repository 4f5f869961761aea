"""The text form, by the rules of Go's slog and strconv."""

import dataclasses
import datetime as dt
import math

import msgspec
import pytest


class Point(msgspec.Struct):
    """A Struct."""

    x: int
    y: list[str]


@dataclasses.dataclass
class Pair:
    """A dataclass."""

    a: object
    b: object


CASES = {
    "plain": ("word", "word"),
    "empty": ("", '""'),
    "space": ("a b", '"a b"'),
    "equals": ("a=b", '"a=b"'),
    "quote": ('a"b', r'"a\"b"'),
    "backslash alone": ("a\\b", r"a\b"),
    "backslash in quotes": ("a\\ b", r'"a\\ b"'),
    "controls": ("\a\b\f\n\r\t\v\0\x1b\x7f", r'"\a\b\f\n\r\t\v\x00\x1b\x7f"'),
    "accents": ("héllo", "héllo"),
    "wide": ("日本語", "日本語"),
    "emoji": ("\U0001f600", "\U0001f600"),
    "no-break space": ("a\xa0b", r'"a\u00a0b"'),
    "C1 control": ("\x9b31m", r'"\u009b31m"'),
    "line separator": ("a\u2028b", r'"a\u2028b"'),
    "direction override": ("a\u202eb", r'"a\u202eb"'),
    "private plane": ("\U000f0000", r'"\U000f0000"'),
    "html": ("<html>&", "<html>&"),
    "true": (True, "true"),
    "false": (False, "false"),
    "none": (None, "<nil>"),
    "integer": (-5, "-5"),
    "large integer": (10**30, "1" + "0" * 30),
    "whole float": (3.0, "3"),
    "float": (0.1, "0.1"),
    "six digits": (123456.7, "123456.7"),
    "seven digits": (1234567.0, "1.234567e+06"),
    "million": (1e6, "1e+06"),
    "huge": (1e21, "1e+21"),
    "largest": (1.7976931348623157e308, "1.7976931348623157e+308"),
    "small": (0.0001, "0.0001"),
    "smaller": (0.00001, "1e-05"),
    "smallest": (5e-324, "5e-324"),
    "negative zero": (-0.0, "-0"),
    "nan": (math.nan, "NaN"),
    "infinite": (math.inf, "+Inf"),
    "minus infinite": (-math.inf, "-Inf"),
    "list": ([1, 2], '"[1 2]"'),
    "list of one": (["a"], "[a]"),
    "empty list": ([], "[]"),
    "tuple": ((1, None, True), '"[1 <nil> true]"'),
    "mapping, sorted": ({"b": 1, "a": {"c": "x"}}, '"map[a:map[c:x] b:1]"'),
    "struct": (Point(1, ["a"]), '"{x:1 y:[a]}"'),
    "dataclass": (Pair(1.0, None), '"{a:1 b:<nil>}"'),
    "bytes": (b"abc", '"abc"'),
    "bytes that are no text": (b"\xff\x00", r'"\xff\x00"'),
    "exception": (ValueError("no such thing"), '"no such thing"'),
    "time": (dt.datetime(2026, 1, 2, 3, 4, 5, 678912, dt.UTC), "2026-01-02T03:04:05.678Z"),
    "no time": (dt.timedelta(), "0s"),
    "microseconds": (dt.timedelta(microseconds=12), "12µs"),
    "milliseconds": (dt.timedelta(microseconds=1500), "1.5ms"),
    "seconds": (dt.timedelta(seconds=1.5), "1.5s"),
    "minutes": (dt.timedelta(minutes=1), "1m0s"),
    "hours": (dt.timedelta(hours=25, seconds=1), "25h0m1s"),
    "negative duration": (dt.timedelta(seconds=-90), "-1m30s"),
    "list of durations": ([dt.timedelta(seconds=2)], "[2s]"),
}


@pytest.mark.parametrize(("value", "shown"), CASES.values(), ids=CASES)
def test_values(make_log, value, shown):
    """Each kind of value looks as in Go."""
    log = make_log("t", format="text")
    log.logger.info("m", x=value)
    assert log.text.partition(" x=")[2] == f"{shown}\n"


def test_messages_and_names_are_quoted_alike(make_log):
    """A name with a space cannot make two fields of one."""
    log = make_log("a tool", format="text")
    log.logger.error("two words", **{"a b": 1, "": 2, "x\n": 3})
    assert log.text.partition("level=")[2] == (
        'ERROR msg="two words" tool="a tool" "a b"=1 ""=2 "x\\n"=3\n'
    )


@pytest.mark.parametrize(
    ("call", "shown"),
    [("debug", "DEBUG"), ("info", "INFO"), ("warning", "WARN"), ("warn", "WARN")],
)
def test_levels(make_log, call, shown):
    """Levels have Go's names."""
    log = make_log("t", "debug", format="text")
    getattr(log.logger, call)("m")
    assert f" level={shown} " in log.text
