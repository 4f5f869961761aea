"""What holds for any value and any text."""

import datetime as dt
import enum
import json
import string
import tempfile
import warnings
from pathlib import Path
from typing import Any, Literal

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mist.config import (
    ByteSize,
    ConfigError,
    Duration,
    Secret,
    decode,
    explain,
    load,
    parse_toml,
    validate,
)


class Color(enum.Enum):
    """An enum."""

    RED = "red"
    BLUE = "blue"


class Inner(msgspec.Struct):
    """A section."""

    number: int = 0
    text: str = ""
    tags: list[str] = []


class Settings(msgspec.Struct):
    """A field of each kind."""

    number: int
    ratio: float
    flag: bool
    text: str
    when: dt.datetime
    color: Color
    level: Literal["debug", "info"]
    numbers: list[int]
    table: dict[str, int]
    inner: Inner
    rows: list[Inner]
    maybe: int | None = None


text = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.integers(-(1 << 63), (1 << 63) - 1)
inners = st.builds(Inner, numbers, text, st.lists(text, max_size=3))
all_settings = st.builds(
    Settings,
    number=numbers,
    ratio=st.floats(allow_nan=False),
    flag=st.booleans(),
    text=text,
    when=st.datetimes(timezones=st.sampled_from([None, dt.UTC])),
    color=st.sampled_from(Color),
    level=st.sampled_from(["debug", "info"]),
    numbers=st.lists(numbers, max_size=4),
    table=st.dictionaries(text, numbers, max_size=3),
    inner=inners,
    rows=st.lists(inners, max_size=2),
    maybe=st.none() | numbers,
)


def quoted(value: str) -> str:
    """Text as TOML writes it."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def inline(value: Any) -> str:
    """A value as TOML writes it."""
    match value:
        case str():
            text = quoted(value)
        case dt.datetime():
            text = value.isoformat()
        case enum.Enum():
            text = inline(value.value)
        case list():
            text = f"[{', '.join(map(inline, value))}]"
        case dict():
            pairs = (f"{quoted(key)} = {inline(each)}" for key, each in value.items())
            text = f"{{ {', '.join(pairs)} }}"
        case msgspec.Struct():
            text = inline(msgspec.structs.asdict(value))
        case _:
            text = repr(value).lower()
    return text


@given(all_settings)
def test_what_is_written_as_toml_is_loaded_again(written):
    """No value changes on the way through a file."""
    document = "".join(
        f"{name} = {inline(value)}\n"
        for name, value in msgspec.structs.asdict(written).items()
        if value is not None
    )
    made = decode(parse_toml(document), Settings)
    assert made == written
    validate(made)
    explain(made)


@given(all_settings)
def test_what_is_written_into_variables_is_loaded_again(written):
    """No value changes on the way through the environment, nested names and JSON alike."""
    encode = msgspec.json.Encoder().encode
    env = {
        "APP_NUMBER": str(written.number),
        "APP_RATIO": repr(written.ratio),
        "APP_FLAG": str(written.flag),
        "APP_TEXT": written.text,
        "APP_WHEN": written.when.isoformat(),
        "APP_COLOR": written.color.value,
        "APP_LEVEL": written.level,
        "APP_NUMBERS": ",".join(map(str, written.numbers)),
        "APP_TABLE": encode(written.table).decode(),
        "APP_INNER__NUMBER": str(written.inner.number),
        "APP_INNER__TEXT": written.inner.text,
        "APP_INNER__TAGS": encode(written.inner.tags).decode(),
        "APP_ROWS": encode(written.rows).decode(),
        "APP_MAYBE": "null" if written.maybe is None else str(written.maybe),
    }
    made = load(None, "APP", Settings, env=env)
    assert made == written
    assert {each.origin.kind for each in explain(made)} == {"variable"}


class Everything(msgspec.Struct):
    """What hostile documents are loaded as."""

    a: int = 0
    b: "Everything | None" = None
    c: dict[str, "Everything"] = {}
    d: list["Everything"] = []
    e: Any = None
    f: Duration | Literal["never"] = 0.0
    g: ByteSize = 0
    h: Path = Path()
    i: dict[int, list[Path]] = {}
    j: Secret | None = None
    k: dt.timedelta = dt.timedelta()
    l: tuple[int, str] = (0, "")  # noqa: E741  # the twelfth


def outcome(file: Path | None, env: dict[str, str]) -> None:
    """Load, and look at what comes of it."""
    try:
        made = load(file, "APP", Everything, env=env)
    except ConfigError as error:
        problems = error.problems
    else:
        explain(made)
        return
    assert problems
    assert all(str(problem).isprintable() for problem in problems)


HOSTILE = [
    "1", "-1", "true", "nan", "inf", "1e400", "2024-01-01", "'x'", "'1h'", "'9e9w'", '"\\u0000"',
    "[]", "{}", "[{a=1}]", "{a={a={}}}", "[1, 'x']", f"0x{'f' * 4000}", f"'{'9' * 90}w'",
]  # fmt: skip
hostile = st.one_of(
    st.text(),
    st.text("abcdefghijkl=[]{}.,\"'\\\n# 1-:TZ"),
    st.lists(
        st.tuples(
            st.sampled_from("abcdefghijkl"),
            st.sampled_from([" = ", ".b = ", ".x = ", ".a = ", ".0 = "]),
            st.sampled_from(HOSTILE),
        ).map("".join),
        max_size=8,
    ).map("\n".join),
)


@settings(deadline=None)  # depth costs
@given(hostile)
@example("b." * 3000 + "a = 1")
@example("e." * 3000 + "a = 1")
@example("e." * 150 + "a = 1")
@example("e." * 90 + "a = 1")
@example("b." * 150 + "a = 'x'")
@example("b." * 90 + "a = 'x'")
@example("e = " + "[" * 3000 + "]" * 3000)
@example("x = " + "{x=" * 3000 + "}" * 3000)
@example("[[d]]\n" * 500 + "a = 'x'")
def test_no_document_raises_anything_but_a_config_error(document):
    """A file is input; no input crashes the program, and every message fits on a line."""
    with tempfile.TemporaryDirectory() as directory, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(directory) / "app.toml"
        file.write_bytes(document.encode("utf-8", "surrogatepass"))
        outcome(file, {})


names = st.text(string.ascii_uppercase[:12] + "_", max_size=8).map("APP_{}".format)
values = st.one_of(
    st.text(),
    st.sampled_from(
        ["1", "[1,", '{"a": 1}', '{"a": "x"}', "[]", "null", "[" * 5000, '{"b":' * 500]
    ),
)


@settings(deadline=None)  # depth costs
@given(st.dictionaries(names, values, max_size=6))
@example({"APP_E": '{"a":' * 400 + "1" + "}" * 400})
@example({"APP_B": '{"b":' * 400 + "{}" + "}" * 400})
@example({"APP" + "_B_" * 3000 + "_A": "1"})
@example({"APP_" + "B__" * 3000 + "A": "1"})
@example({"APP_" + "C__" * 3000 + "A": "1"})
def test_no_environment_raises_anything_but_a_config_error(env):
    """Variables are input, too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcome(None, env)
