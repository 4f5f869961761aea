"""JSON as Go's encoder writes it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.health.go_json import go_json


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("<a href='x'>&", "\"\\u003ca href='x'\\u003e\\u0026\""),
        ("\u2028\u2029", r'"\u2028\u2029"'),
        ('"\\/', r'"\"\\/"'),
        ("\b\f\n\r\t", r'"\b\f\n\r\t"'),
        ("\x00\x1b\x1f", r'"\u0000\u001b\u001f"'),
        ("\x7fé日本🎉", '"\x7fé日本🎉"'),
        ("half \ud800 a pair", r'"half \ufffd a pair"'),
    ],
)
def test_text_is_escaped_as_go_escapes_it(text, written):
    """As encoding/json does since Go 1.22: HTML and line separators too, the rest as UTF-8."""
    assert go_json(text) == written.encode() + b"\n"


def test_what_mist_go_wrote_is_written_the_same_way(golden):
    """Each string in the golden envelopes comes out as mist-go wrote it."""
    strings = 0
    for line in (golden / "wire.jsonl").read_text("utf-8").splitlines():
        for written in re.findall(r'"(?:[^"\\]|\\.)*"', json.loads(line)["wire"]):
            assert go_json(json.loads(written)) == written.encode() + b"\n"
            strings += 1
    assert strings > 100


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_is_lost(text):
    """Whatever is written reads back, and is one line without HTML."""
    written = go_json({text: text})
    assert json.loads(written) == {text: text}
    assert written.count(b"\n") == 1
    assert not set(written) & set(b"<>&")
