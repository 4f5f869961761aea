"""Which form a client gets by its Accept header."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.health.accept import HEALTH_JSON, JSON, preferred


@pytest.mark.parametrize(
    "accept",
    [
        "application/health+json",
        "APPLICATION/Health+JSON",
        " application/health+json ; charset=utf-8",
        "application/health+json, application/json",
        "application/json, application/health+json",
        "application/health+json, */*",
        "application/health+json;q=0.5, */*;q=0.1",
        "text/html, application/health+json;q=0.9, application/json;q=0.8",
        "application/health+json; q=0.001",
        "application/health+json;Q = 1.000",
        "application/*, application/json;q=0",
        "*/*, application/json;q=0.9",
        'text/plain;p="a, b;q=0\\"", application/health+json',
    ],
)
def test_clients_that_prefer_the_draft_get_it(accept):
    """The draft's form goes to those that rank it higher, or as high and by its name."""
    assert preferred(accept) == HEALTH_JSON


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/*",
        "application/json",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
        "application/health+json;q=0",
        "application/health+json;q=0, */*",
        "application/health+json;q=0.3, application/json;q=0.4",
        "application/health+json;q=0.3, */*;q=0.4",
        "application/health+jsonp, application/vnd.health+json",
        "application/health+json;q=nan",
        "application/health+json;q=2",
        "application/health+json;q=",
        'text/plain;p="application/health+json, application/health+json',
        'text/plain;p=", application/health+json, "',
        "text/plain",
        ",;,;q=;=,",
    ],
)
def test_everyone_else_gets_plain_json(accept):
    """So do clients that accept neither: a probe that is told 406 takes a service for dead."""
    assert preferred(accept) == JSON


@given(st.text(st.sampled_from('application/health+json;q=01.9,*" \\x')))
def test_any_header_has_an_answer(accept):
    """No header, however malformed, is an error."""
    assert preferred(accept) in (JSON, HEALTH_JSON)


@pytest.mark.parametrize("part", ['"', '\\"', ",", ";", "a", "a,", "a;q=0,", '"\\'])
def test_a_long_header_takes_no_long_time(part):
    """100 kB of anything are read in linear time, far below a second."""
    accept = part * (100_000 // len(part))
    started = time.perf_counter()
    preferred(accept)
    assert time.perf_counter() - started < 1.0
