"""Plain tables, as a pipe or a file gets them."""

import dataclasses
import datetime as dt
import io
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mist.output import OutputError, Writer


def table_of(headers: object, rows: object) -> list[str]:
    """The lines of the table the writer writes."""
    stream = io.StringIO()
    Writer("table", stream).table(headers, rows)
    return stream.getvalue().split("\n")[:-1]


def written(value: object, form: str = "table") -> str:
    """What `write` writes."""
    stream = io.StringIO()
    Writer(form, stream).write(value)
    return stream.getvalue()


def test_bytes_are_those_of_mist_go(golden):
    """Two tables and a JSON line are byte for byte what mist-go wrote."""
    stream = io.StringIO()
    writer = Writer(stream=stream)
    writer.table(
        ["SUITE", "SCORE", "STATUS"],
        [["swe-bench-verified", "0.594", "PASS"], ["swe-bench-lite", "0.621", "PASS"]],
    )
    writer.table(["A"], [["x"], [""], ["longer value"]])
    writer.json({"html": "<b>&", "n": 1})
    assert stream.getvalue().encode() == (golden / "output.txt").read_bytes()


@pytest.mark.parametrize(
    "cell",
    [
        "日本語",
        "e\u0301te\u0301",
        "👨‍👩‍👧‍👦",
        "🇫🇷🇯🇵",
        "❤️",
        "👍🏽",
        "1️⃣",
        "한글",
        "नमस्ते",
        "a\u200bb",
        "\uff57\uff49\uff44\uff45",
    ],
)
def test_the_next_column_starts_where_it_starts_in_every_line(cell):
    """Wide, combining and emoji characters take the columns that a terminal gives them."""
    lines = table_of(["H", "NEXT"], [[cell, "|"], ["x" * 12, "|"]])
    assert cell_len(lines[2].partition("|")[0]) == lines[3].index("|") == lines[0].index("NEXT")


def test_widths_of_known_sequences():
    """A family of four is one emoji of two columns, a flag is two, an accent none."""
    lines = table_of(["A", "B"], [["👨‍👩‍👧‍👦", "x"], ["🇫🇷", "x"], ["日", "x"], ["e\u0301", "x"]])
    assert lines[2:] == ["👨‍👩‍👧‍👦  x", "🇫🇷  x", "日  x", "e\u0301   x"]


def test_controls_in_cells_are_shown_and_not_obeyed():
    """Line ends, tabs, escape sequences and direction overrides can neither break nor forge rows."""
    lines = table_of(["A\x07", "B"], [["a\nb\tc\r", "\x1b[2J\x9b1m\u202e"], ["caf\udce9", ""]])
    assert lines[0].startswith(r"A\x07")
    assert lines[2] == r"a\nb\tc\r  \x1b[2J\x9b1m\u202e"
    assert lines[3] == "caf\ufffd       "
    assert len(lines) == 4


def test_short_and_long_rows_keep_every_cell():
    """A row that is shorter or longer than the headers loses nothing."""
    assert table_of(["A", "B"], [["1"], ["1", "2", "3"], []]) == [
        "A  B",
        "-  -  ",
        "1",
        "1  2  3",
        "",
    ]


def test_cells_of_any_kind_become_text():
    """None is empty, numbers and dates are text, what is nested is JSON."""
    row = [None, True, 1.5, float("nan"), dt.date(2026, 1, 2), {"a": [1]}, object]
    lines = table_of("abcdefg", [row])
    assert lines[2].split() == [
        "true",
        "1.5",
        "nan",
        "2026-01-02",
        '{"a":[1]}',
        "<class",
        "'object'>",
    ]


@pytest.mark.parametrize("row", ["text", 7], ids=["string", "number"])
def test_a_row_that_is_no_sequence_of_cells_is_named(row):
    """A string is not taken for a row of characters."""
    with pytest.raises(OutputError, match=r"rows\[1\]: a row is a sequence of cells"):
        table_of(["A"], [["fine"], row])


def test_an_unencodable_character_is_escaped():
    """A stream in an old encoding gets escapes, aligned, not an exception."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    Writer("table", stream).table("AB", [["é", "x"]])
    assert raw.getvalue() == b"A     B\n-     -  \n\\xe9  x\n"


@given(st.lists(st.lists(st.text(), min_size=2, max_size=3)))
def test_a_row_is_always_one_line(rows):
    """Whatever the cells hold, there are as many lines as rows, and nothing controls a terminal."""
    lines = table_of(["A", "B"], rows)
    assert len(lines) == len(rows) + 2
    assert not any("\x1b" in line or len(line.splitlines()) > 1 for line in lines)


@dataclasses.dataclass
class Result:
    """A record with named fields."""

    suite: str
    score: float


@pytest.mark.parametrize(
    "value",
    [{"suite": "a", "score": 0.5}, Result("a", 0.5), SimpleNamespace(suite="a", score=0.5)],
    ids=["mapping", "dataclass", "object"],
)
def test_a_record_is_written_field_by_field(value):
    """Mappings, dataclasses and objects are a table of fields; in JSON format an object."""
    assert written(value) == "field  value\n-      -  \nsuite  a\nscore  0.5\n"
    assert written(value, "json") == '{"suite":"a","score":0.5}\n'
    assert written([value, value]) == "suite  score\n-      -  \na      0.5\na      0.5\n"


def test_records_with_different_keys_share_one_table():
    """Columns are all keys, in the order they first appear; what a record lacks is empty."""
    assert written([{"a": 1}, {"b": 2, "a": 3}]) == "a  b\n-  -  \n1  \n3  2\n"


@pytest.mark.parametrize("value", ["text", 1, None, [1, 2], [], [{"a": 1}, 2], b"x"])
def test_what_is_no_record_is_a_json_line_in_both_formats(value):
    """Scalars and lists of scalars have no columns."""
    assert written(value) == written(value, "json")
