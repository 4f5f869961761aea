"""Every type that a field may have, from the file and from a variable."""

import datetime as dt
import enum
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from decimal import Decimal, Inexact, localcontext
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, NewType, Optional, TypeVar

import msgspec
import pytest
from msgspec import Meta, Struct

from mist.config import ByteSize, ConfigError, Duration, Secret, decode, explain, load, validate


class Color(enum.Enum):
    """An enum of text."""

    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    """An enum of numbers."""

    LOW = 1
    HIGH = 2


class Point(Struct, frozen=True):
    """A section."""

    x: int
    y: int = 0


Port = Annotated[int, Meta(ge=1, le=65535)]
UserId = NewType("UserId", int)
UTC = dt.UTC

TOML_VALUES = [
    (int, "1_000", 1000),
    (int, "0xff", 255),
    (float, "3", 3.0),
    (float, "1e3", 1000.0),
    (bool, "true", True),
    (str, "'text'", "text"),
    (str, '"""\nline\nline"""', "line\nline"),
    (Port, "8080", 8080),
    (UserId, "7", 7),
    (Annotated[str, Meta(min_length=1, max_length=3, pattern="^a")], "'abc'", "abc"),
    (Annotated[int, Meta(multiple_of=5)], "15", 15),
    (Annotated[float, Meta(gt=0, lt=1)], "0.5", 0.5),
    (Literal["debug", "info"], "'info'", "info"),
    (Literal[1, 2], "2", 2),
    (Color, "'blue'", Color.BLUE),
    (Level, "2", Level.HIGH),
    (Duration, "'1h30m'", 5400.0),
    (Duration, "'250ms'", 0.25),
    (Duration, "90", 90.0),
    (Duration | None, "'30s'", 30.0),
    (Duration | Literal["never"], "'never'", "never"),
    (Duration | Literal["never"], "'2m'", 120.0),
    (Annotated[Duration, Meta(le=60)], "'1m'", 60.0),
    (ByteSize, "'512MB'", 512_000_000),
    (ByteSize, "'10MiB'", 10 << 20),
    (ByteSize, "42", 42),
    (dt.timedelta, "'90s'", dt.timedelta(seconds=90)),
    (dt.timedelta, "1.5", dt.timedelta(seconds=1.5)),
    (dt.timedelta, "'PT1M'", dt.timedelta(minutes=1)),
    (dt.datetime, "2024-05-06 07:08:09Z", dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
    (dt.datetime, "2024-05-06T07:08:09", dt.datetime(2024, 5, 6, 7, 8, 9)),
    (dt.datetime, "'2024-05-06T07:08:09Z'", dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
    (dt.date, "2024-05-06", dt.date(2024, 5, 6)),
    (dt.time, "07:08:09", dt.time(7, 8, 9)),
    (uuid.UUID, "'12345678123456781234567812345678'", uuid.UUID("12345678" * 4)),
    (Decimal, "'1.10'", Decimal("1.10")),
    (bytes, "'AAE='", b"\x00\x01"),
    (Secret, "'hunter2'", Secret("hunter2")),
    (list[int], "[1, 2]", [1, 2]),
    (list[Duration], "['1s', 2]", [1.0, 2.0]),
    (Sequence[int], "[1]", [1]),
    (set[str], "['a', 'a']", {"a"}),
    (frozenset[int], "[1]", frozenset({1})),
    (tuple[int, ...], "[1, 2]", (1, 2)),
    (tuple[str, Duration], "['a', '1s']", ("a", 1.0)),
    (list, "[1, 'a']", [1, "a"]),
    (dict[str, int], "{a = 1}", {"a": 1}),
    (dict[int, str], "{1 = 'a'}", {1: "a"}),
    (Mapping[str, Duration], "{a = '1m'}", {"a": 60.0}),
    (dict, "{a = [1]}", {"a": [1]}),
    (dict[str, Point], "{a = {x = 1}}", {"a": Point(1)}),
    (list[Point], "[{x = 1}, {x = 2, y = 3}]", [Point(1), Point(2, 3)]),
    (Point, "{x = 1}", Point(1)),
    (Optional[int], "3", 3),  # noqa: UP045  # the old spelling is as good
    (int | str, "'a'", "a"),
    (int | list[int], "[1]", [1]),
    (Point | None, "{x = 1}", Point(1)),
    (Any, "{a = 2024-05-06}", {"a": dt.date(2024, 5, 6)}),
    (object, "[1]", [1]),
]


@pytest.mark.parametrize(("hint", "text", "value"), TOML_VALUES, ids=str)
def test_a_toml_value_becomes_what_the_field_says(loaded, hint, text, value):
    """Each type takes what TOML has for it, and is exactly that type afterwards."""
    target = msgspec.defstruct("Target", [("field", hint)])
    got = loaded(target, f"field = {text}").field
    assert got == value
    assert type(got) is type(value)


ENV_VALUES = [
    (int, "1_000", 1000),
    (int, " 0x1F ", 31),
    (int, "-5", -5),
    (float, "1e3", 1000.0),
    (float, "inf", float("inf")),
    *((bool, word, True) for word in ("true", "1", "yes", "on", "TRUE", "Yes")),
    *((bool, word, False) for word in ("false", "0", "no", "off", "OFF")),
    (str, " as it is ", " as it is "),
    (str, "", ""),
    (str, "null", "null"),
    (Port, "8080", 8080),
    (Literal["debug", "info"], "info", "info"),
    (Literal[1, 2], "2", 2),
    (Color, "blue", Color.BLUE),
    (Level, "2", Level.HIGH),
    (Duration, "1h30m", 5400.0),
    (Duration, "90", 90.0),
    (ByteSize, "10MiB", 10 << 20),
    (dt.timedelta, "90s", dt.timedelta(seconds=90)),
    (dt.datetime, "2024-05-06T07:08:09Z", dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
    (dt.date, "2024-05-06", dt.date(2024, 5, 6)),
    (uuid.UUID, "12345678123456781234567812345678", uuid.UUID("12345678" * 4)),
    (Decimal, "1.10", Decimal("1.10")),
    (Path, "data", Path("data")),
    (Secret, "hunter2", Secret("hunter2")),
    (list[str], "a, b,c", ["a", "b", "c"]),
    (list[int], "1,2,", [1, 2]),
    (list[int], "", []),
    (list[str], '["a,b", "c"]', ["a,b", "c"]),
    (list[Duration], "1s,2m", [1.0, 120.0]),
    (list[Point], '[{"x": 1}]', [Point(1)]),
    (set[int], "1,1,2", {1, 2}),
    (tuple[str, int], "a,1", ("a", 1)),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (Point, '{"x": 1}', Point(1)),
    (int | None, "null", None),
    (int | None, "", None),
    (int | None, "3", 3),
    (str | None, "null", None),
    (str | None, "", ""),
    (Duration | None, "", None),
    (list[int] | None, "1,2", [1, 2]),
    (int | str, "3", 3),
    (int | str, "three", "three"),
    (bool | str, "maybe", "maybe"),
    (Duration | Literal["never"], "never", "never"),
    (Duration | Literal["never"], "2m", 120.0),
    (int | list[int], "[1]", [1]),
    (str | list[str], "a,b", "a,b"),
    (Any, "7", "7"),
]


@pytest.mark.parametrize(("hint", "text", "value"), ENV_VALUES, ids=str)
def test_the_text_of_a_variable_becomes_what_the_field_says(loaded, hint, text, value):
    """Each type has a form in the environment."""
    target = msgspec.defstruct("Target", [("field", hint)])
    got = loaded(target, env={"APP_FIELD": text}).field
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize("trapped", [[], [Inexact]])
def test_quantities_are_exact_whatever_the_programs_own_precision(loaded, trapped):
    """A thread that does its accounts with six digits still gets all bytes and milliseconds."""
    target = msgspec.defstruct("Target", [("size", ByteSize), ("wait", Duration)])
    with localcontext(prec=6, traps=trapped):
        got = loaded(target, "size = '512MiB'\nwait = '2000000s1ms'")
    assert (got.size, got.wait) == (512 << 20, 2_000_000.001)


WRONG_TEXTS = [
    (int, "eighty", "a whole number"),
    (int, "", "a whole number"),
    (int, "1.0", "a whole number"),
    (int, "08", "a whole number"),
    (int, "9" * 5000, "a whole number"),
    (float, "fast", "a number"),
    (bool, "maybe", "true or false"),
    (Port, "0", "a whole number from 1 to 65535"),
    (Literal["debug", "info"], "inof", 'one of "debug", "info"'),
    (Level, "3", "one of 1, 2"),
    (Duration, "1 fortnight", 'a duration ("30s", "1h30m", or seconds)'),
    (Duration, "-5", 'a duration ("30s", "1h30m", or seconds)'),
    (ByteSize, "512M", 'a size ("512MB", "10MiB", or bytes)'),
    (ByteSize, "1.0001kB", 'a size ("512MB", "10MiB", or bytes)'),
    (dt.date, "yesterday", "a date"),
    (list[int], "1,two", "a list, each item a whole number"),
    (list[int], "[1,", "a list, each item a whole number"),
    (list[Point], "a,b", "a list of tables"),
    (dict[str, int], "a", "a table, each value a whole number"),
    (Point, "a", "a table"),
    (int | None, "x", "a whole number or nothing"),
    (tuple[int, int], "1", "a list of 2: a whole number, a whole number"),
    (str, "\udcff", "text"),
]


@pytest.mark.parametrize(("hint", "text", "expected"), WRONG_TEXTS, ids=ascii)
def test_a_wrong_variable_is_an_error_that_names_it_and_the_field(problems, hint, text, expected):
    """Nothing is ignored silently; the text says what belongs there."""
    target = msgspec.defstruct("Target", [("field", hint)])
    (problem,) = problems(target, env={"APP_FIELD": text})
    assert problem.origin.kind == "variable"
    assert problem.expected == expected
    assert str(problem).startswith(f"APP_FIELD: field: expected {expected}, got ")
    assert str(problem).isprintable()


def test_a_float_is_no_int_and_an_int_is_no_bool(problems):
    """TOML's types are kept apart."""
    target = msgspec.defstruct("Target", [("a", int), ("b", bool), ("c", str), ("d", int)])
    found = problems(target, "a = 3.0\nb = 1\nc = 1\nd = true")
    assert [problem.got for problem in found] == ["3.0", "1", "1", "true"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Frozen:
    """A dataclass in its strictest form."""

    name: str
    tags: list[str] = field(default_factory=list)


@dataclass
class Derived:
    """A dataclass with a field that is not for the user to set."""

    limit: int
    half: int = field(init=False, default=0)
    constant: ClassVar[int] = 7
    _: KW_ONLY
    inner: Frozen = field(default_factory=lambda: Frozen(name="default"))

    def __post_init__(self):
        self.half = self.limit // 2


def test_dataclasses_keep_their_meaning(loaded):
    """Defaults are made anew, `init=False` is the class's own, `__post_init__` runs."""
    first = loaded(Derived, "limit = 8")
    assert (first.half, first.inner) == (4, Frozen(name="default"))
    assert first.inner.tags is not loaded(Derived, "limit = 8").inner.tags
    assert loaded(Derived, "limit = 8\n[inner]\nname = 'x'").inner == Frozen(name="x")


def test_a_field_that_cannot_be_set_is_no_key(problems):
    """`init=False` and ClassVar fields are unknown to the file."""
    found = problems(Derived, "limit = 8\nhalf = 1\nconstant = 2", unknown="error")
    assert [problem.path for problem in found] == ["half", "constant"]


T = TypeVar("T")


class Box(Struct, Generic[T]):
    """A generic section."""

    item: T


class Boxes(Struct):
    """Two of them."""

    number: Box[int]
    text: Box[str]


def test_generic_structs_are_checked_by_what_they_are_applied_to(loaded, problems):
    """`Box[int]` and `Box[str]` are two sections."""
    made = loaded(Boxes, "number.item = 1\ntext.item = 'a'")
    assert (made.number.item, made.text.item) == (1, "a")
    assert [p.path for p in problems(Boxes, "number.item = 'a'\ntext.item = 1")] == [
        "number.item",
        "text.item",
    ]


def test_a_generic_struct_can_be_the_whole(toml):
    """What it was applied to is remembered where only the object is given."""
    made = load(toml("item = 'x'"), "APP", Box[Secret], env={})
    assert made.item == Secret("x")
    assert explain(made)["item"].value == "***"
    validate(Box(3))


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type X = ...` is newer")
def test_a_type_alias_is_what_it_stands_for(problems):
    """`type Port = Annotated[int, Meta(ge=1)]` keeps its constraints."""
    namespace = {"Annotated": Annotated, "Meta": Meta}
    exec("type Port = Annotated[int, Meta(ge=1)]", namespace)
    target = msgspec.defstruct("Target", [("field", namespace["Port"])])
    assert problems(target, "field = 0")[0].expected == "a whole number >= 1"


class Tree(Struct):
    """A section within itself."""

    name: str
    children: list["Tree"] = []
    left: Optional["Tree"] = None


def test_recursive_sections_load_and_are_diagnosed(loaded, problems):
    """A type may contain itself, and problems are found at any depth."""
    made = loaded(Tree, "name = 'a'\n[left]\nname = 'b'\n[left.left]\nname = 'c'")
    assert made.left.left.name == "c"
    assert loaded(Tree, "name = 'a'", {"APP_LEFT__LEFT__NAME": "c", "APP_LEFT__NAME": "b"}) == made
    (problem,) = problems(Tree, "name = 'a'\n[[children]]\nname = 'b'\n[[children]]\nname = 3")
    assert (problem.path, problem.origin.line) == ("children[1].name", 5)


class Disk(Struct, tag="disk"):
    """One kind of store."""

    path: Path
    timeout: Duration = 1.0


class Bucket(Struct, tag="bucket"):
    """Another."""

    name: str
    timeout: int = 1


class Storing(Struct):
    """A union that a tag decides."""

    store: Disk | Bucket


def test_a_tag_decides_which_section_is_meant(loaded, tmp_path):
    """The tag may come from the file, and the rest from variables, or both from variables."""
    assert loaded(Storing, "[store]\ntype = 'bucket'\nname = 'b'").store == Bucket("b")
    assert loaded(Storing, "store = {type = 'disk', path = 'd'}").store == Disk(tmp_path / "d")
    env = {"APP_STORE__TIMEOUT": "30s", "APP_STORE__TYPE": "disk", "APP_STORE__PATH": "/d"}
    assert loaded(Storing, env=env).store == Disk(Path("/d"), 30.0)
    by_json = {"APP_STORE": '{"timeout": "1m"}'}
    assert loaded(Storing, "[store]\ntype = 'disk'\npath = '/d'", by_json).store.timeout == 60.0


def test_a_wrong_tag_names_the_right_ones(problems):
    """A tag that is missing or unknown is a problem of its own line."""
    (problem,) = problems(Storing, "[store]\ntype = 'discs'\nname = 'b'")
    assert str(problem).endswith(
        'app.toml:2: store.type: expected one of "disk", "bucket", got "discs"; '
        'did you mean "disk"?'
    )
    (problem,) = problems(Storing, "[store]\nname = 'b'")
    assert problem.message.startswith('missing, expected one of "disk", "bucket"; set type in')


class Renamed(Struct, rename="kebab", forbid_unknown_fields=True):
    """Keys that are not the attributes' names."""

    max_retries: int = 1
    class_: str = msgspec.field(default="x", name="class")


class Camel(Struct, rename="camel"):
    """Keys as JavaScript has them."""

    max_retries: int = 1


def test_keys_are_those_that_msgspec_renames_to(loaded, problems):
    """`rename=` and `field(name=...)` hold for the file; variables follow the key."""
    made = loaded(Renamed, "max-retries = 2\nclass = 'y'")
    assert (made.max_retries, made.class_) == (2, "y")
    assert loaded(Renamed, env={"APP_MAX_RETRIES": "3", "APP_CLASS": "z"}).class_ == "z"
    assert loaded(Camel, "maxRetries = 4", {"APP_MAX_RETRIES": "5"}).max_retries == 5
    (problem,) = problems(Renamed, "maxretries = 2")  # the type itself forbids it
    assert problem.suggestion == "max-retries"


def test_a_dash_and_an_underscore_are_one_in_a_key(loaded, problems):
    """Both spellings are understood, and giving both is an error that names both lines."""
    target = msgspec.defstruct("Target", [("max_retries", int, 1)])
    assert loaded(target, "max-retries = 2").max_retries == 2
    (problem,) = problems(target, "max-retries = 'x'")
    assert problem.origin.line == 1
    (problem,) = problems(target, "max_retries = 2\n\nmax-retries = 3")
    assert problem.origin.line == 3
    assert "app.toml:1" in problem.message


def test_paths_are_relative_to_the_file_and_from_elsewhere_to_the_working_directory(
    toml, monkeypatch, in_directory
):
    """A file can be loaded from anywhere; what a person types means what it does in a shell."""
    monkeypatch.setenv("HOME", "/users/ada")
    target = msgspec.defstruct("Target", [("a", Path), ("b", Path), ("c", Path), ("d", list[Path])])
    file = toml("a = 'x/y'\nb = '/abs'\nc = '~/z'\nd = ['w']")
    in_directory(file.parent.parent)
    made = load(f"{file.parent.name}/app.toml", "APP", target, env={})
    assert made.a == file.parent / "x/y"
    assert (made.b, made.c, made.d) == (Path("/abs"), Path("/users/ada/z"), [file.parent / "w"])
    made = load(file, "APP", target, env={"APP_A": "x", "APP_C": "~"})
    assert (made.a, made.c) == (Path("x"), Path("/users/ada"))


@pytest.mark.parametrize("text", ["", "a\0b", "~no-such-user-here/x"])
def test_what_is_no_path_is_refused(problems, text):
    """An empty path would silently be the directory itself."""
    target = msgspec.defstruct("Target", [("field", Path)])
    (problem,) = problems(target, overrides={"field": text})
    assert problem.expected == "a path"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0), ("1.1s", 1.1), ("7us", 7e-6), ("7µs", 7e-6), ("100ns", 1e-7), ("1.5h", 5400.0),
        ("1h 30m", 5400.0), ("2d", 172_800.0), ("1w", 604_800.0), (" 3s ", 3.0),
    ],
)  # fmt: skip
def test_durations_are_exact(text, seconds):
    """A duration is the float that is nearest to what was written."""
    target = msgspec.defstruct("Target", [("field", Duration)])
    assert decode({"field": text}, target).field == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "1", "1x", "1h-30m", "1,5s", "1e3s", "1" * 200 + "s", "٣s"]
)
def test_what_is_no_duration_is_refused(text):
    """Only a plain number may lack its unit."""
    target = msgspec.defstruct("Target", [("field", Duration)])
    if text == "1":
        assert decode({"field": text}, target).field == 1.0
        return
    with pytest.raises(ConfigError):
        decode({"field": text}, target)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0), ("512", 512), ("512B", 512), ("1kB", 1000), ("1KB", 1000), ("1 MB", 10**6),
        ("1.5GiB", 3 << 29), ("1Mi", 1 << 20), ("2tb", 2 * 10**12), ("1PiB", 1 << 50), ("1EB", 10**18),
    ],
)  # fmt: skip
def test_sizes_are_decimal_or_binary_as_their_units_say(text, size):
    """MB is 1000**2 bytes and MiB is 1024**2."""
    target = msgspec.defstruct("Target", [("field", ByteSize)])
    assert decode({"field": text}, target).field == size
