"""TOML documents, right and wrong."""

import datetime as dt

import pytest
from msgspec import defstruct

from mist.config import ConfigError, load, parse_toml


def test_a_document_is_parsed_from_text_and_from_bytes():
    """Both give the tables, with TOML's own types."""
    document = "a = 1\nd = 2024-05-06\n[t]\nx = [1.5, true]\n"
    expected = {"a": 1, "d": dt.date(2024, 5, 6), "t": {"x": [1.5, True]}}
    assert parse_toml(document) == parse_toml(document.encode()) == expected
    assert parse_toml(b"\xef\xbb\xbfa = 1") == parse_toml("\ufeffa = 1") == {"a": 1}


@pytest.mark.parametrize(
    ("document", "message", "line", "column"),
    [
        ("a = 1\nb = \n", "not TOML: Invalid value", 2, 5),
        ("a = 1\n\nb = 'x", "not TOML: ", 3, None),
        ("a = 1\na = 2", 'duplicate key "a", first defined on line 1', 2, None),
        ("[a]\nb = 1\n[c]\n[a]\n", 'duplicate key "a", first defined on line 1', 4, None),
        ("[a.b]\n[a]\n[a]\n", 'duplicate key "a", first defined on line 2', 3, None),
        ("t = {\n x = 1, x = 2 }", "not TOML: ", 1, None),
        ("t = { x = 1, x = 2 }", 'duplicate key "t.x", first defined on line 1', 1, None),
        ("[[a]]\nx.y = 1\n[[a]]\nx.y = 1\nx.y = 2", "first defined on line 4", 5, None),
        ("'a' = 1\n\"\\u0061\" = 2", 'duplicate key "a", first defined on line 1', 2, None),
        ("a = 1\r\nb = ?", "not TOML: Invalid value", 2, 5),
        ("a = 2024-13-45", "not TOML: ", 1, None),
        ("a.b = 1\n[a]\n", "not TOML: Cannot declare", 2, None),
        ("x = " + "9" * 5000, "not TOML: Exceeds the limit", None, None),
        ("x = " + "[" * 5000, "", None, None),
        (b"a = 1\nb = '\xff'", "not UTF-8: byte 0xff", 2, None),
        (b"a = 1\x00", "not TOML: ", 1, None),
    ],
)
def test_what_is_not_toml_is_placed(document, message, line, column):
    """Line and column are told as far as they are known; of a duplicate key both lines."""
    with pytest.raises(ConfigError) as caught:
        parse_toml(document)
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.origin.line == line or line is None
    assert problem.origin.column == column or column is None
    assert str(problem).startswith("TOML")


@pytest.mark.parametrize("key", ["a", "'a'", '"a"', "a ", "' b c '", '"\\""'])
@pytest.mark.parametrize("form", ["{} = 1", "[{}]", "[[{}]]", "x = {{ {} = 1 }}"])
def test_a_key_of_very_many_parts_is_refused_before_it_takes_the_memory(key, form):
    """200 kB of it would take 40 GB, as its parser keeps each of its beginnings."""
    document = "x.y = 1\n" + form.format(".".join([key] * 100_000)) + "\n"
    with pytest.raises(ConfigError, match="more than 64 parts is nested too deeply") as caught:
        parse_toml(document)
    assert caught.value.problems[0].origin.line == 2


def test_dots_in_text_are_no_key():
    """What is long and has dots may stand in values and comments."""
    name = ".".join("0123456789abcdef" * 2) + ".ip6.arpa"
    sentence = "One sentence, example.org and 1.5. " * 200 + "..." * 200
    document = f'# {sentence}\na = \'{name}\'\nb = """{sentence}"""\nc = [{"1.5, " * 200}]\n'
    assert parse_toml(document)["a"] == name


def test_a_configuration_without_end_is_refused(tmp_path):
    """A device, or somebody else's file, is not read until memory is full."""
    file = tmp_path / "long.toml"
    with file.open("wb") as stream:
        stream.truncate(1 << 30)
    with pytest.raises(ConfigError, match="at most 4 MiB"):
        load(file, "APP", defstruct("Target", []))
