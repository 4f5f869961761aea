"""The picture of `mist demo` is of a terminal, and complete in itself."""

import os
import re
from xml.etree import ElementTree as ET

import pytest

from tools.picture import record, settled


def test_what_a_bar_draws_over_is_not_in_the_picture():
    """Of a live bar its last state is left, and what was written above it."""
    written = (
        "first\r\n\x1b[?25ltasks 1/3\r\n\x1b[?25h\r\x1b[1A\x1b[2Kabove\r\n"
        "\x1b[?25ltasks 2/3\r\x1b[2Ktasks 3/3\r\n\x1b[?25h\r\nlast\r\n"
    )
    assert settled(written) == "first\nabove\ntasks 3/3\n\nlast\n"


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX's")
def test_the_demo_on_a_terminal_has_borders_and_one_bar():
    """On a real pseudo-terminal tables are drawn, and nothing of the bar's past is left."""
    shown = settled(record("demo", "--tasks", "30", "--latency", "0.01"))
    assert "╭──" in shown
    assert shown.count("30/30 (100%)") == 1
    assert not re.search(r"\x1b\[(?!\d*(;\d+)*m)", shown)


def test_the_picture_in_the_repository_stands_alone(root):
    """It is well-formed, refers to nothing elsewhere, and shows the whole report."""
    text = (root / "docs" / "demo.svg").read_text(encoding="utf-8")
    svg = ET.fromstring(text)
    shown = "".join(svg.itertext()).replace("\xa0", " ")
    for words in ("$ mist demo", "Results of sage-1", "matchspec.evaluate", "Alerts"):
        assert words in shown
    assert not re.search(r"url\(\W*http|href=|@font-face", text)
