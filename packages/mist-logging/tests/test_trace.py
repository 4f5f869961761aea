"""Trace ids in lines."""

import asyncio

import pytest

from mist import trace


def test_a_current_span_gives_its_ids_at_the_end(log):
    """After all fields, those of an exception included."""
    with trace.start("op") as span:
        log.logger.bind(b=1).info("m", z=1, error=ValueError("boom"))
    log.logger.info("after")
    record, after = log.records
    assert list(record)[4:] == ["b", "z", "error", "error_type", "trace_id", "span_id"]
    assert (record["trace_id"], record["span_id"]) == (span.trace_id, span.span_id)
    assert "trace_id" not in after


def test_ids_that_are_given_stay(log):
    """They are fields as others where there is no span, come last, and are renamed where there is."""
    log.logger.info("m", trace_id="mine", span_id="mine", a=1)
    with trace.start("op") as span:
        log.logger.info("m", trace_id="mine", a=1)
        log.logger.info("m", trace_id=span.trace_id, a=1)
    fields = [list(record.items())[4:] for record in log.records]
    ids = [("trace_id", span.trace_id), ("span_id", span.span_id)]
    assert dict(fields[0]) == {"trace_id": "mine", "span_id": "mine", "a": 1}
    assert fields[1] == [("trace_id_", "mine"), ("a", 1), *ids]
    assert fields[2] == [("a", 1), *ids]


@pytest.mark.parametrize("form", ["json", "text"])
def test_an_id_with_a_line_end_cannot_forge_a_line(make_log, form):
    """Whoever sets the attribute to something else harms only the id."""
    log = make_log("t", format=form)
    with trace.start("op") as span:
        span.trace_id = "a\nb"
        log.logger.info("m")
        span.trace_id = object()
        log.logger.info("m")
    assert log.text.count("\n") == 2


async def test_tasks_log_with_their_own_spans(log):
    """Each line has the ids of the task that wrote it."""
    seen = {}

    async def work(n):
        with trace.start("op") as span:
            seen[n] = span.span_id
            await asyncio.sleep(0)
            log.logger.info("m", n=n)

    await asyncio.gather(*(work(n) for n in range(50)))
    assert {record["n"]: record["span_id"] for record in log.records} == seen


def test_the_ids_reach_all_doors(log):
    """The standard library's and structlog's loggers write the same line."""
    with trace.start("op") as span:
        log.logger.stdlib().info("m")
        log.logger.structlog().info("m")
        with log.logger.capture_stdlib():
            __import__("logging").getLogger("lib").warning("m")
    assert {record["span_id"] for record in log.records} == {span.span_id}
    assert len(log.records) == 3
