"""The picture says what the table says, and needs nothing but itself."""

import re
from xml.etree import ElementTree as ET

import pytest

from tools.bench.chart import HALF, chart
from tools.bench.record import Record
from tools.bench.result import Result
from tools.bench.row import Comparison, Unit, at_least, at_most

SVG = "{http://www.w3.org/2000/svg}"


def result(name, target, ours, peer, unit=Unit.SECONDS, *, group="fake"):
    """Give what came of one row that measured the same in each of three rounds."""
    row = Comparison(group=group, name=name, target=target, against="the peer", peers=(), unit=unit)
    return Result.of(row, [(ours, peer)] * 3)


def record(*results):
    """Give a record of results from nowhere in particular."""
    return Record("3.11.7", "Linux x86_64", 2, {}, results)


def drawn(*results):
    """Draw results, and read the picture again."""
    return ET.fromstring(chart(record(*results)))


def of_class(svg, tag, name):
    """Give the elements of a kind that have a class."""
    return [e for e in svg.iter(f"{SVG}{tag}") if name in e.get("class", "").split()]


def marks(svg):
    """Give the places of the full circles and of the hollow diamonds, without the legend's."""
    circles = [float(e.get("cx")) for e in of_class(svg, "circle", "met")][1:]
    diamonds = [
        float(re.match(r"M([\d.]+) ", e.get("d"))[1]) + HALF
        for e in of_class(svg, "path", "missed")
    ][1:]
    return circles, diamonds


def test_a_missed_target_differs_in_more_than_colour():
    """What is met is a full circle, what is missed a hollow diamond with its ratio in bold."""
    svg = drawn(
        result("good", at_least(2), 1.0, 3.0),
        result("slow", at_most(2), 3.0, 1.0),
    )
    circles, diamonds = marks(svg)
    assert (len(circles), len(diamonds)) == (1, 1)
    assert [e.text for e in of_class(svg, "text", "no")] == ["3.00x"]
    assert svg.find(f"{SVG}title").text == "mist against its peers: 1 of 2 targets met"


@pytest.mark.parametrize(
    "good",
    [
        result("faster", at_least(2), 1.0, 4.0),
        result("cheaper", at_most(0.5), 1.0, 4.0),
        result("more", at_least(2), 4.0, 1.0, Unit.PER_SECOND),
    ],
    ids=lambda good: good.row.name,
)
def test_farther_to_the_right_is_better(good):
    """Whatever the target is one of: four times as good is right of its target, which is twice."""
    svg = drawn(good, result("even", at_least(1), 1.0, 1.0), result("bad", at_most(1), 4.0, 1.0))
    circles, diamonds = marks(svg)
    ours, even = circles
    wanted = float(of_class(svg, "line", "target")[1].get("x1"))
    assert diamonds[0] < even < wanted < ours
    assert ours - even == pytest.approx(2 * (wanted - even), abs=0.2)
    assert ours - even == pytest.approx(even - diamonds[0], abs=0.2)


def test_a_row_without_figures_says_so():
    """It has its line and no mark."""
    row = result("lacking", at_most(1), 1.0, 1.0).row
    svg = drawn(Result(row=row, rounds=[], note="no peer"))
    assert marks(svg) == ([], [])
    assert "not run" in [e.text for e in svg.iter(f"{SVG}text")]


def test_it_is_the_same_each_time_and_asks_for_nothing():
    """The same record gives the same bytes; there is no script, font or picture to fetch."""
    results = [result("a < b & c", at_most(2), 1.0, 3.0), result("d", at_most(2), 3.0, 1.0)]
    text = chart(record(*results))
    assert text == chart(record(*results))
    assert "a &lt; b &amp; c" in text
    assert not re.search(
        r"<script|<image|<foreignObject|url\(|@import|href|https?://(?!www\.w3\.org)", text
    )
    assert "prefers-color-scheme: dark" in text


def test_nothing_is_drawn_outside():
    """Ratios of any size, and names of every group, stay within the picture."""
    svg = drawn(
        result("far", at_least(5), 1e-6, 1.0, group="one"),
        result("near", at_most(1.5), 1.0, 1e-6, group="two"),
    )
    _, _, width, height = map(float, svg.get("viewBox").split())
    for element in svg.iter():
        for name, value in element.items():
            if name in {"x", "x1", "x2", "cx"}:
                assert 0 <= float(value) <= width
            if name in {"y", "y1", "y2", "cy"}:
                assert 0 <= float(value) <= height


def test_an_empty_record_is_a_picture_too():
    """A run that measured nothing does not fail in the end."""
    assert drawn().find(f"{SVG}title").text == "mist against its peers: 0 of 0 targets met"
