"""Which representation a client gets."""

import pytest

from mist.metrics.accept import preferred

JSON = "application/json"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
OLD_PROMETHEUS = (
    "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        (BROWSER, JSON),
        ("application/json", JSON),
        ("application/*", JSON),
        ("APPLICATION/JSON", JSON),
        ("text/plain", TEXT),
        ("text/*", TEXT),
        ("text/plain; version=0.0.4", TEXT),
        ("text/plain; charset=utf-8", TEXT),
        ("text/plain; version=1.0.0", None),
        ("application/openmetrics-text", OPENMETRICS),
        ('application/openmetrics-text; version="1.0.0"', OPENMETRICS),
        ("application/openmetrics-text; version=0.0.1", None),
        (PROMETHEUS_2, OPENMETRICS),
        (PROMETHEUS_3, OPENMETRICS),
        (OLD_PROMETHEUS, TEXT),
        ("application/json;q=0, */*", OPENMETRICS),
        ("application/json;q=0.1, text/plain;q=0.2", TEXT),
        ("text/*;q=0.9, text/plain;q=0.1, application/json;q=0.5", JSON),
        ("image/png", None),
        ("*/*;q=0", None),
        ("text/plain;q=nonsense, application/json;q=0.1", JSON),
        ("text/plain;q=nan, application/json;q=0.1", JSON),
        ("text/plain;q=7, application/json;q=0.1", JSON),
        (",;,=;q", None),
    ],
)
def test_the_header_decides(accept, expected):
    """Qualities, wildcards, versions and what browsers and Prometheus servers really send."""
    assert preferred(accept, (JSON, OPENMETRICS, TEXT)) == expected


def test_a_header_of_100_kilobytes_is_read_at_once():
    """Its length costs no more than reading it."""
    assert preferred("text/html;q=0.1," * 6000 + "text/plain", (JSON, TEXT)) == TEXT
