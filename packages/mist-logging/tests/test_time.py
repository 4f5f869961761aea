"""The time of a line."""

import pytest

SECOND = 1_795_176_034 * 10**9  # 2026-11-20T12:00:34Z


@pytest.mark.parametrize(
    ("rest", "json", "text"),
    [
        (292_676_996, "34.292676996Z", "34.292Z"),
        (292_676_900, "34.2926769Z", "34.292Z"),
        (999_999_999, "34.999999999Z", "34.999Z"),
        (5, "34.000000005Z", "34.000Z"),
        (0, "34Z", "34.000Z"),
    ],
)
def test_zeros_at_the_end_are_trimmed_and_milliseconds_are_cut(make_log, zone, rest, json, text):
    """JSON has as many digits as there are, text always three, as in Go."""
    zone("UTC")
    log = make_log("t", clock=lambda: SECOND + rest)
    log.logger.info("m")
    assert log.record["time"] == f"2026-11-20T12:00:{json}"
    log = make_log("t", format="text", clock=lambda: SECOND + rest)
    log.logger.info("m")
    assert log.text.startswith(f"time=2026-11-20T12:00:{text} level=INFO")


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("GMT0BST,M3.5.0/1,M10.5.0", "2026-11-20T12:00:34Z"),
        ("IST-5:30", "2026-11-20T17:30:34+05:30"),
        ("NST+3:30", "2026-11-20T08:30:34-03:30"),
    ],
)
def test_local_time_has_its_offset(make_log, zone, name, time):
    """An offset of zero is Z, whatever the zone is called."""
    zone(name)
    log = make_log("t", clock=lambda: SECOND)
    log.logger.info("m")
    assert log.record["time"] == time


def test_each_second_is_a_new_one(make_log, zone):
    """What is kept from the last line never shows in a line of another second."""
    zone("UTC")
    moments = iter([SECOND, SECOND + 999_999_999, SECOND + 10**9, SECOND - 1])
    log = make_log("t", clock=lambda: next(moments))
    for _ in range(4):
        log.logger.info("m")
    assert [record["time"][17:] for record in log.records] == [
        "34Z",
        "34.999999999Z",
        "35Z",
        "33.999999999Z",
    ]


def test_a_clock_that_fails_does_not_cost_the_line(make_log):
    """The line has the system's time then, and says what is wrong."""

    def broken():
        raise OSError("no clock")

    log = make_log("t", clock=broken)
    log.logger.info("m", a=1)
    assert log.record["msg"] == "m"
    assert log.record["error"] == "!ERROR: OSError: no clock"
