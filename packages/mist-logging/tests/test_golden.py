"""Byte for byte what mist-go writes."""

import datetime as dt
import io
import re

import pytest

import mist.logging
from mist import trace

SPAN = "dd92cd1259a3414c90a3588e6146e539"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def clock_of(lines):
    """A clock that shows the times of golden lines, one after the other."""
    moments = []
    for line in lines:
        found = re.search(r'time"?[:=]"?([0-9T:-]+)\.([0-9]+)Z', line)
        second = dt.datetime.fromisoformat(f"{found[1]}+00:00")
        moments.append(int(second.timestamp()) * 10**9 + int(found[2].ljust(9, "0")))
    return iter(moments).__next__


@pytest.fixture
def span():
    """The span of the golden lines, current."""
    started = trace.start_with_trace_id(TRACE, "op")
    started.span_id = SPAN
    return started


def test_json_is_what_mist_go_writes(golden, zone, span):
    """Key order, trace ids, durations, errors and escapes are those of Go's slog."""
    zone("UTC")
    expected = (golden / "logging_json.txt").read_text("utf-8")
    out = io.StringIO()
    log = mist.logging.new("matchspec", writer=out, clock=clock_of(expected.splitlines()))
    log.info("eval started", suite="swe-bench", tasks=300)
    with span:
        log.info(
            "with trace",
            ratio=0.5,
            ok=True,
            list=[1, 2],
            err=Exception("boom"),
            dur=dt.timedelta(seconds=1.5),
        )
    log.bind(request_id="r1").warn('multi\nline "quoted" <html>')
    assert out.getvalue() == expected


def test_text_is_what_mist_go_writes(golden, zone, span):
    """Quotes, milliseconds and trace ids are those of Go's slog."""
    zone("UTC")
    expected = (golden / "logging_text.txt").read_text("utf-8")
    out = io.StringIO()
    clock = clock_of(expected.splitlines())
    log = mist.logging.new("matchspec", "debug", format="text", writer=out, clock=clock)
    log.info("eval started", suite="swe bench", tasks=300)
    with span:
        log.debug("dbg", x="")
    assert out.getvalue() == expected
