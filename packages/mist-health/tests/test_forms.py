"""The two forms in which a report is told."""

import json
import time
from datetime import UTC, datetime

import pytest

from mist.health import Handler, Unhealthy

HEALTH = "application/health+json"


def fails(text="connection refused"):
    """Return a check that fails in its own words, as a check in Go does."""

    async def check():
        raise Unhealthy(text)

    return check


async def works():
    """Find nothing."""


async def test_liveness_is_what_mist_go_writes(clock, ask):
    """Byte for byte, with no check run, however many there are."""
    handler = Handler("matchspec", "1.0.0", clock=clock)
    handler.add_check("database", fails())
    clock.now += 3 * 3600 + 42 * 60 + 17.6
    answer = await ask(handler.liveness())
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.body == (
        b'{"status":"ok","tool":"matchspec","version":"1.0.0","uptime":"3h42m18s"}\n'
    )


async def test_readiness_is_what_mist_go_writes(clock, ask):
    """Names sorted, HTML escaped, 200 while all is well and 503 when it is not."""
    handler = Handler("a<b>&c", "1.0.0", clock=clock)
    answer = await ask(handler.readiness())
    assert answer.body == (
        rb'{"status":"ok","tool":"a\u003cb\u003e\u0026c","version":"1.0.0","uptime":"0s"}' + b"\n"
    )
    handler.add_check("db", works)
    handler.add_check("cache", works)
    answer = await ask(handler.readiness())
    assert answer.status == 200
    assert answer.body.endswith(b'"uptime":"0s","checks":{"cache":"ok","db":"ok"}}\n')
    handler.add_check("cache", fails())
    answer = await ask(handler.readiness())
    assert answer.status == 503
    assert answer.body.startswith(b'{"status":"degraded","tool":')
    assert answer.body.endswith(b'"checks":{"cache":"connection refused","db":"ok"}}\n')


async def test_not_ready_is_what_mist_go_writes(clock, ask):
    """Without checks."""
    handler = Handler("matchspec", "1.0.0", clock=clock)
    handler.add_check("db", works)
    handler.set_ready(False)
    answer = await ask(handler.readiness())
    assert answer.status == 503
    assert answer.body == (
        b'{"status":"not_ready","tool":"matchspec","version":"1.0.0","uptime":"0s"}\n'
    )


async def test_the_drafts_form_has_the_drafts_names(clock, ask):
    """Status, version and release; an array for each check; its time, and output if it fails."""
    handler = Handler("matchspec", "1.0.0", release_id="c0ffee", clock=clock)
    handler.add_check("db", fails())
    handler.add_check("cache", fails("cold"), critical=False)
    handler.add_check("queue", works)
    clock.now += 0.25
    before = time.time()
    answer = await ask(handler.readiness(), accept=HEALTH)
    after = time.time()
    assert (answer.status, answer.headers["content-type"]) == (503, HEALTH)
    told = json.loads(answer.body)
    for name in ("cache", "db", "queue"):
        told_time = told["checks"][name][0].pop("time")
        assert told_time.endswith("Z")
        assert before - 0.001 <= datetime.fromisoformat(told_time).timestamp() <= after
    assert told == {
        "status": "fail",
        "version": "1.0.0",
        "releaseId": "c0ffee",
        "serviceId": "matchspec",
        "checks": {
            "cache": [
                {
                    "componentId": "cache",
                    "componentType": "component",
                    "status": "warn",
                    "output": "cold",
                }
            ],
            "db": [
                {
                    "componentId": "db",
                    "componentType": "component",
                    "status": "fail",
                    "output": "connection refused",
                }
            ],
            "queue": [
                {"componentId": "queue", "componentType": "component", "status": "pass"},
            ],
            "uptime": [
                {
                    "componentType": "system",
                    "observedValue": 0.25,
                    "observedUnit": "s",
                    "status": "pass",
                }
            ],
        },
    }
    assert list(told)[:4] == ["status", "version", "releaseId", "serviceId"]


@pytest.mark.parametrize(
    ("checks", "ready", "status", "http"),
    [
        ([], True, "pass", 200),
        ([(works, True)], True, "pass", 200),
        ([(fails(), False)], True, "warn", 200),
        ([(fails(), False), (fails(), True)], True, "fail", 503),
        ([(works, True)], False, "fail", 503),
    ],
)
async def test_the_drafts_status_agrees_with_that_of_http(ask, checks, ready, status, http):
    """The draft wants 2xx or 3xx for pass and warn, 4xx or 5xx for fail."""
    handler = Handler("matchspec", "1.0.0")
    for number, (check, critical) in enumerate(checks):
        handler.add_check(str(number), check, critical=critical)
    handler.set_ready(ready)
    answer = await ask(handler.readiness(), accept=HEALTH)
    told = json.loads(answer.body)
    assert (told["status"], answer.status) == (status, http)
    assert told.get("output") == (None if ready else "not ready")


async def test_liveness_has_the_drafts_form_too(ask):
    """It passes, and tells the uptime."""
    told = json.loads((await ask(Handler("m", "1").liveness(), accept=HEALTH)).body)
    assert told["status"] == "pass"
    assert list(told["checks"]) == ["uptime"]
    assert "releaseId" not in told


async def test_the_time_of_a_cached_result_is_when_it_was_found(clock, ask):
    """Not when it was asked for."""
    handler = Handler("matchspec", "1.0.0", cache=60, clock=clock)
    handler.add_check("db", works)

    async def found():
        body = (await ask(handler.readiness(), accept=HEALTH)).body
        return json.loads(body)["checks"]["db"][0]["time"]

    first = await found()
    while datetime.now(UTC).isoformat(timespec="milliseconds")[:23] == first[:23]:
        pass  # until the wall clock shows another millisecond
    assert await found() == first


async def test_a_check_named_uptime_keeps_its_place():
    """It shares the array with the uptime that the draft defines."""
    handler = Handler("matchspec", "1.0.0")
    handler.add_check("uptime", works)
    told = (await handler.check()).to_health_dict()["checks"]["uptime"]
    assert [each["componentType"] for each in told] == ["component", "system"]


@pytest.mark.parametrize("accept", ["application/json", HEALTH])
async def test_details_can_be_withheld_from_strangers(ask, accept):
    """Then no text of an exception is shown; the report in the program has it all the same."""

    async def leaks():
        raise ConnectionError("password 'hunter2' refused at 10.0.0.7")

    handler = Handler("matchspec", "1.0.0", details=False)
    handler.add_check("leaks", leaks)
    handler.add_check("speaks", fails("replica lags"))
    answer = await ask(handler.readiness(), accept=accept)
    assert b"hunter2" not in answer.body
    assert b"ConnectionError" not in answer.body
    assert b'"failed"' in answer.body
    assert b'"replica lags"' in answer.body
    assert "hunter2" in (await handler.check()).checks["leaks"].problem


async def test_reports_and_results_say_what_they_are():
    """In a log or a debugger."""
    handler = Handler("matchspec", "1.0.0")
    handler.add_check("cache", fails("cold"), critical=False)
    handler.add_check("db", works)
    report = await handler.check()
    assert repr(report) == "<Report 'matchspec': degraded, ready>"
    assert [repr(each) for each in report.checks.values()] == [
        "<CheckResult 'cache': cold>",
        "<CheckResult 'db': ok>",
    ]
