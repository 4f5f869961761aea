"""JSON lines: what encodes, how, and what an error says."""

import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import io
import json
import math
import pickle
import uuid
from collections import ChainMap, OrderedDict, deque, namedtuple
from pathlib import PurePosixPath
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.output import OutputError, Writer


def line_of(value: object) -> str:
    """What the writer writes for `value`."""
    stream = io.StringIO()
    Writer(stream=stream).json(value)
    assert stream.getvalue().endswith("\n")
    return stream.getvalue()[:-1]


def test_line_is_compact_unsorted_and_unescaped():
    """Keys keep their order, HTML and other scripts stay as they are, as in mist-go."""
    assert line_of({"z": "<b>&", "a": ["日本", 1, 1.5, None, True]}) == (
        '{"z":"<b>&","a":["日本",1,1.5,null,true]}'
    )


class Colour(enum.Enum):
    """An enum of strings."""

    RED = "red"


class Level(enum.IntEnum):
    """An enum of ints."""

    HIGH = 3


class Kind(enum.StrEnum):
    """An enum whose members are strings."""

    EVAL = "eval"


@dataclasses.dataclass(slots=True)
class Inner:
    """A dataclass with slots."""

    path: PurePosixPath


@dataclasses.dataclass
class Outer:
    """A dataclass of dataclasses."""

    name: str
    inner: list[Inner]


class Wire:
    """An object that knows its wire form."""

    def to_dict(self):
        """Return the wire form."""
        return {"on": "wire"}


class Bag:
    """An object with attributes only."""

    def __init__(self):
        self.shown = 1
        self._hidden = 2


Point = namedtuple("Point", "x y")

UTC = dt.UTC
CASES = [
    (Colour.RED, '"red"'),
    (Level.HIGH, "3"),
    (Kind.EVAL, '"eval"'),
    (Outer("o", [Inner(PurePosixPath("/tmp/x"))]), '{"name":"o","inner":[{"path":"/tmp/x"}]}'),
    (PurePosixPath("a/b"), '"a/b"'),
    (dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), '"2026-01-02T03:04:05Z"'),
    (
        dt.datetime(2026, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2))),
        '"2026-01-02T00:00:00+02:00"',
    ),
    (dt.date(2026, 1, 2), '"2026-01-02"'),
    (dt.time(1, 2), '"01:02:00"'),
    (dt.timedelta(minutes=1.5), "90.0"),
    (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
    (decimal.Decimal("1.10"), '"1.10"'),
    (fractions.Fraction(1, 4), "0.25"),
    (b"\x00\xff", '"AP8="'),
    (bytearray(b"a"), '"YQ=="'),
    (memoryview(b"a"), '"YQ=="'),
    (deque([1, 2]), "[1,2]"),
    (range(3), "[0,1,2]"),
    (OrderedDict(a=1), '{"a":1}'),
    (ChainMap({"a": 1}), '{"a":1}'),
    (SimpleNamespace(a=1), '{"a":1}'),
    (Wire(), '{"on":"wire"}'),
    (Bag(), '{"shown":1}'),
    (Point(1, 2), "[1,2]"),
    ({1: "int"}, '{"1":"int"}'),
]


@pytest.mark.parametrize(("value", "line"), CASES, ids=[type(value).__name__ for value, _ in CASES])
def test_common_values_encode(value, line):
    """Enums, dates, paths, numbers, bytes and records of the standard library encode."""
    assert line_of(value) == line


def test_a_struct_encodes_as_msgspec_encodes_it():
    """Renamed, tagged, with defaults and unset fields left out, raw JSON and paths inside."""
    msgspec = pytest.importorskip("msgspec", reason="msgspec is no dependency of this package")

    class Step(msgspec.Struct, rename="camel", tag="step", omit_defaults=True):
        step_no: int
        where: object = None
        raw: msgspec.Raw = msgspec.Raw(b"")
        never: int | msgspec.UnsetType = msgspec.UNSET

    line = line_of([Step(1, PurePosixPath("p"), msgspec.Raw(b'{"x":1}'))])
    assert line == '[{"type":"step","stepNo":1,"where":"p","raw":{"x":1}}]'
    with pytest.raises(OutputError, match=r"no JSON form for object"):
        line_of(Step(1, object()))


def cyclic() -> dict[str, object]:
    """A mapping that contains itself."""
    value: dict[str, object] = {}
    value["self"] = [value]
    return value


def deep() -> list[object]:
    """A list of a list of a list, too many times."""
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    return value


class Broken:
    """An object whose wire form does not encode."""

    def to_dict(self):
        """Return the wire form."""
        return {"score": math.nan}


FAULTS = [
    ({"a": [1, {"b c": math.nan}]}, "$.a[1]['b c']: nan is not a JSON number"),
    ({"a": -math.inf}, "$.a: -inf is not a JSON number"),
    ({"tags": {1}}, "$.tags: a set has no order: pass sorted(...) or list(...)"),
    (
        [object()],
        "$[0]: no JSON form for object: make it a dataclass or give it a to_dict() method",
    ),
    ({"f": print}, "$.f: no JSON form for builtin_function_or_method"),
    ({"k": {(1, 2): 3}}, "$.k[(1, 2)]: a key must be a string, not tuple"),
    ({math.nan: 1}, "$[nan]: not a JSON key"),
    ((1, Outer("x", [{2}])), "$[1].inner[0]: a set has no order"),
    ([Broken()], "$[0].score: nan is not a JSON number"),
    (cyclic(), "$.self[0]: contains itself"),
    (deep(), "$: nested too deeply"),
    ([Wire], "$[0]: no JSON form for type"),
    ((step for step in "ab"), "$: no JSON form for generator"),
]


@pytest.mark.parametrize(("value", "message"), FAULTS, ids=[message for _, message in FAULTS])
def test_what_does_not_encode_is_named_by_its_path(value, message):
    """The error says where in the value the trouble is, and nothing is written."""
    stream = io.StringIO()
    with pytest.raises(OutputError) as caught:
        Writer(stream=stream).json(value)
    assert str(caught.value).startswith(message)
    assert caught.value.code == "validation"
    assert stream.getvalue() == ""


def test_a_fault_behind_sound_parts_is_found():
    """Sound numbers, lists and objects before it do not hide it."""
    with pytest.raises(OutputError) as caught:
        Writer().json([1.5, [2.5, "a"], {"b": [3]}, object()])
    assert caught.value.path == "$[3]"


def test_an_error_survives_pickling():
    """What another process raised arrives with its path and its text."""
    error = OutputError("wrong", "$.a")
    again = pickle.loads(pickle.dumps(error))
    assert (again.path, str(again), again.code) == ("$.a", "$.a: wrong", "validation")


def test_lines_are_safe_to_show_on_a_terminal():
    """Controls beyond C0, line separators and direction overrides are escaped, losing nothing."""
    text = "\x1b\x7f\x9b31m\u2028\u202e"
    line = line_of(text)
    assert line.isprintable()
    assert json.loads(line) == text


def test_a_lone_surrogate_becomes_the_replacement_character():
    """A file name that is not UTF-8 can be written."""
    assert line_of("caf\udce9") == '"caf\ufffd"'


def test_a_stream_without_unicode_gets_ascii_escapes():
    """On a stream that cannot carry UTF-8 the JSON is the same value in ASCII."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="cp1252")
    Writer(stream=stream).json({"日": "😀"})
    assert raw.getvalue().isascii()
    assert json.loads(raw.getvalue()) == {"日": "😀"}


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
)


@given(json_values)
def test_any_json_value_survives(value):
    """One line, and reading it back gives the value."""
    line = line_of(value)
    assert len(line.splitlines()) == 1
    assert json.loads(line) == value
