"""Values that JSON has no form for, and values that do harm."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import math
import pathlib
import threading
import types
import uuid

import msgspec
import pytest


class Colour(enum.Enum):
    """Not an int."""

    RED = "red"


class Number(enum.IntEnum):
    """An int."""

    TWO = 2


class Endless(int):
    """An int that claims to be in no range, and whose methods raise."""

    def __str__(self):
        raise RuntimeError("str")

    __repr__ = __int__ = __index__ = __eq__ = __hash__ = __str__


class Raises:
    """Its text raises, in many ways."""

    def __init__(self, exception):
        self.exception = exception

    def __str__(self):
        raise self.exception


class Struct(msgspec.Struct, rename="camel", kw_only=True):
    """Renamed, with a field that is not set."""

    first_name: str
    left_out: object = msgspec.UNSET


@dataclasses.dataclass
class Node:
    """Contains what it likes."""

    child: object = None


Named = collections.namedtuple("Named", "a b")


def cycle_of_list():
    """Build a list in itself."""
    items = []
    items.append(items)
    return items


def cycle_of_dict():
    """Build a dict in a dict in itself."""
    members = {}
    members["me"] = {"again": members}
    return members


def cycle_of_object():
    """Build an object in a list in itself."""
    node = Node()
    node.child = [node]
    return node


def deep(levels):
    """Build lists in lists."""
    value = 0
    for _ in range(levels):
        value = [value]
    return value


def depth_of(value):
    """Return how many lists are around a value, and the value."""
    depth = 0
    while isinstance(value, list):
        value, depth = value[0], depth + 1
    return depth, value


class Lying:
    """Its class is not to be asked for."""

    @property
    def __class__(self):
        raise RuntimeError("no class")


class BadMapping(collections.abc.Mapping):
    """A mapping that breaks while it is read."""

    def __getitem__(self, key):
        raise OSError("gone")

    def __iter__(self):
        return iter(["a"])

    def __len__(self):
        return 1


CASES = {
    "nan": (math.nan, "NaN"),
    "infinity": (math.inf, "+Inf"),
    "minus infinity": (-math.inf, "-Inf"),
    "nan inside": ([math.nan, {"a": -math.inf}], ["NaN", {"a": "-Inf"}]),
    "largest integers": ([2**64 - 1, -(2**63)], [2**64 - 1, -(2**63)]),
    "65 bits": (2**64, 2**64),
    "negative 65 bits": (-(2**64), -(2**64)),
    "integer inside": ([2**70, {1}], [2**70, [1]]),
    "int that raises": (Endless(3), 3),
    "bytes": (b"\xff\x00", "/wA="),
    "bytearray": (bytearray(b"a"), "YQ=="),
    "memoryview": (memoryview(b"abc")[::2], "YWM="),
    "set": ({1}, [1]),
    "frozenset": (frozenset(), []),
    "tuple": ((1, (2,)), [1, [2]]),
    "deque": (collections.deque([1]), [1]),
    "range": (range(3), [0, 1, 2]),
    "surrogate": ("a\ud800b", "a\ufffdb"),
    "surrogate pair": ("\ud83d\ude00", "\U0001f600"),
    "surrogate in a name": ({"\udfff": 1}, {"\ufffd": 1}),
    "struct": (Struct(first_name="Ada"), {"firstName": "Ada"}),
    "dataclass": (Node(1), {"child": 1}),
    "named tuple": (Named(1, 2), {"a": 1, "b": 2}),
    "enum": (Colour.RED, "red"),
    "int enum": (Number.TWO, 2),
    "path": (pathlib.PurePosixPath("/srv/x"), "/srv/x"),
    "uuid": (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "decimal": (decimal.Decimal("1.10"), "1.10"),
    "fraction": (fractions.Fraction(1, 2), 0.5),
    "date": (dt.date(2026, 1, 2), "2026-01-02"),
    "time": (dt.time(3, 4), "03:04:00"),
    "moment": (dt.datetime(2026, 1, 2, 3, 4, 5, 600, dt.UTC), "2026-01-02T03:04:05.0006Z"),
    "whole second": (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "2026-01-02T00:00:00Z"),
    "naive moment": (dt.datetime(2026, 1, 2, 3, 4, 10), "2026-01-02T03:04:10"),
    "duration": (dt.timedelta(microseconds=1), 1000),
    "exception": (ValueError("boom"), "boom"),
    "exception without text": (TimeoutError(), "TimeoutError"),
    "exception inside": ([KeyError("k")], ["'k'"]),
    "names of other types": (
        {2: "a", None: "b", True: "c", Colour.RED: "d", b"x": "e", 1.5: "f", (1,): "g"},
        {"2": "a", "null": "b", "true": "c", "red": "d", "x": "e", "1.5": "f", "(1,)": "g"},
    ),
    "names that become one": ({1: "a", "1": "b"}, {"1": "a", "1_": "b"}),
    "mapping": (types.MappingProxyType({"a": 1}), {"a": 1}),
    "default dict": (collections.defaultdict(list, a=[1]), {"a": [1]}),
    "list in itself": (cycle_of_list(), ["!ERROR: this list contains itself"]),
    "dict in itself": (cycle_of_dict(), {"me": {"again": "!ERROR: this dict contains itself"}}),
    "object in itself": (cycle_of_object(), {"child": ["!ERROR: this Node contains itself"]}),
    "text that raises": (Raises(ValueError("no")), "!ERROR: Raises raised ValueError: no"),
    "text that exits": (Raises(SystemExit(3)), "!ERROR: Raises raised SystemExit: 3"),
    "text that recurses": (Raises(RecursionError()), "!ERROR: nested too deeply"),
    "error whose text raises": (
        Raises(Raises(ValueError)),
        "!ERROR: Raises raised TypeError: exceptions must derive from BaseException",
    ),
    "mapping that breaks": (BadMapping(), "!ERROR: BadMapping raised OSError: gone"),
    "name that raises": (
        {Raises(ValueError("no")): 1},
        {"!ERROR: Raises raised ValueError: no": 1},
    ),
    "shared, but no cycle": ([[x := [1]], x], [[[1]], [1]]),
}


@pytest.mark.parametrize(("value", "shown"), CASES.values(), ids=CASES)
def test_each_value_has_a_form_or_a_note_in_its_place(log, value, shown):
    """One line comes out, and the other fields are there."""
    log.logger.info("m", before=1, x=value, after=2)
    assert list(log.fields) == ["before", "x", "after"]
    assert log.fields["x"] == shown


@pytest.mark.parametrize("value", [case[0] for case in CASES.values()], ids=CASES)
def test_each_value_is_one_line_of_text(make_log, value):
    """The text form loses no line either."""
    log = make_log("t", format="text")
    log.logger.info("m", before=1, x=value, after=2)
    assert log.text.count("\n") == 1
    assert " before=1 x=" in log.text
    assert log.text.endswith(" after=2\n")


def test_an_object_that_does_not_tell_its_class(log):
    """Looking at a value is enough to make it raise."""
    log.logger.info("m", x=Lying())
    assert log.fields == {"x": "!ERROR: Lying raised RuntimeError: no class"}


@pytest.mark.parametrize("levels", [10, 100, 100_000])
def test_depth_has_an_end(log, levels):
    """What lies too deep is replaced by a note."""
    value = deep(levels)
    log.logger.info("m", x=value)
    depth, inner = depth_of(log.fields["x"])
    assert (depth, inner) == (
        (levels, 0) if levels == 10 else (32, "!ERROR: nested deeper than 32")
    )
    while value:  # the interpreter would free a deep list recursively
        value = value[0]


def test_keyboard_interrupt_is_not_a_bad_value(log):
    """Whoever wants to stop the program is heard."""
    with pytest.raises(KeyboardInterrupt):
        log.logger.info("m", x=Raises(KeyboardInterrupt()))


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10_000_000,
        ["x" * 100_000] * 100,
        list(range(1_000_000)),
        "\x1b" * 1_000_000,
        "日" * 10**6,
        {str(n): n for n in range(100_000)},
        b"x" * 10**7,
        10**5000,
        ValueError("x" * 10**6),
    ],
    ids=["text", "texts", "list", "escapes", "wide", "mapping", "bytes", "integer", "error"],
)
@pytest.mark.parametrize("form", ["json", "text"])
def test_huge_values_are_cut(make_log, value, form):
    """A line stays below 256 KiB, and what follows the huge value is there."""
    log = make_log("t", format=form)
    log.logger.info("m", x=value, after="here")
    assert len(log.text.encode()) <= 262_144
    assert log.text.count("\n") == 1
    assert "here" in log.text[-40:]


@pytest.mark.parametrize("form", ["json", "text"])
def test_many_fields_are_cut(make_log, form):
    """A line of a hundred thousand fields has as many of them as fit."""
    log = make_log("t", format=form)
    log.logger.info("m", **{f"field{n}": n for n in range(100_000)})
    assert len(log.text.encode()) <= 262_144
    assert "more left out" in log.text


def test_cut_values_say_what_is_missing(log):
    """A reader sees that there was more, and how much."""
    log.logger.info("m", x="x" * 1_000_000, y=[0] * 100_000)
    assert log.fields["x"].endswith("... (1000000 characters)")
    *items, note = log.fields["y"]
    assert note == f"!ERROR: {100_000 - len(items)} more left out"


def test_many_references_to_one_value_take_bounded_time(log):
    """Ten levels of ten references each are ten thousand million values."""
    value = ["x"]
    for _ in range(10):
        value = [value] * 10
    log.logger.info("m", x=value)
    assert len(log.text) < 262_144


def test_a_value_that_logs_itself_ends(log):
    """Its text is asked for in the line that its text writes, and so on."""

    class Chatty:
        def __str__(self):
            log.logger.info("asked", x=self)
            return "chatty"

    log.logger.info("m", x=Chatty())
    assert log.records[-1]["x"] == "chatty"
    assert len(log.records) < 10


def test_a_mapping_that_changes_meanwhile_is_shown(log):
    """Another thread that fills a mapping cannot cost the line."""
    members = {}
    stop = threading.Event()

    def fill():
        n = 0
        while not stop.is_set():
            members[n % 1000] = n
            members.pop((n * 7) % 1000, None)
            n += 1

    thread = threading.Thread(target=fill)
    thread.start()
    try:
        for _ in range(300):
            log.logger.info("m", x=members)
    finally:
        stop.set()
        thread.join()
    assert all(isinstance(record["x"], dict) for record in log.records)


def test_an_attrs_class_shows_its_members(log):
    """By the attribute that marks one."""

    class Attrs:
        __attrs_attrs__ = (types.SimpleNamespace(name="secret"), types.SimpleNamespace(name="x"))
        secret = "y"
        x = 1

    log.logger.info("m", x=Attrs())
    assert log.fields["x"] == {"secret": "***", "x": 1}


def test_a_list_of_many_scalars_is_checked_like_any(log):
    """Also what is too long for a quick look."""
    log.logger.info("m", x=[1.0] * 1000 + [math.nan])
    assert log.fields["x"] == [1.0] * 1000 + ["NaN"]


def test_a_pydantic_model_shows_its_members(log):
    """By the method that marks one; secrets in it are masked."""

    class Model:
        model_fields = ()

        def model_dump(self):
            return {"name": "x", "password": "y"}

    log.logger.info("m", x=Model())
    assert log.fields["x"] == {"name": "x", "password": "***"}
