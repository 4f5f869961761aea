"""structlog's own logger on the same stream."""

import asyncio

import pytest
import structlog

import mist.logging
from mist import trace


def test_it_writes_the_same_lines(log):
    """Level, order, bound fields and exceptions."""
    bound = log.logger.bind(a=1)
    bound.info("m", b=2)
    bound.structlog().info("m", b=2)
    first, second = log.text.splitlines()
    assert first == second


@pytest.mark.parametrize(
    ("call", "level"),
    [
        ("debug", "DEBUG"),
        ("info", "INFO"),
        ("msg", "INFO"),
        ("warning", "WARN"),
        ("warn", "WARN"),
        ("error", "ERROR"),
        ("critical", "ERROR"),
        ("fatal", "ERROR"),
        ("exception", "ERROR"),
    ],
)
def test_it_has_structlogs_interface(make_log, call, level):
    """All methods, with positional arguments."""
    log = make_log("t", "debug")
    getattr(log.logger.structlog(), call)("%d of %d", 1, 2)
    assert (log.record["level"], log.record["msg"]) == (level, "1 of 2")


def test_it_follows_the_level(log):
    """The class that structlog makes for a level could not."""
    inner = log.logger.structlog()
    assert not inner.is_enabled_for(10)
    inner.debug("m")
    log.logger.set_level("debug")
    assert inner.is_enabled_for(10)
    inner.debug("m")
    assert len(log.records) == 1


def test_it_binds_and_unbinds(log):
    """As any structlog logger."""
    inner = log.logger.bind(a=1).structlog().bind(b=2)
    inner.unbind("a").info("m")
    assert log.fields == {"b": 2}


def test_both_kinds_of_contextual_fields(log):
    """Those of structlog and ours."""
    with structlog.contextvars.bound_contextvars(a=1), mist.logging.bound(b=2):
        log.logger.structlog().info("m")
    assert log.fields == {"a": 1, "b": 2}


async def test_the_methods_that_wait(log, fail):
    """They log in another thread, with the trace ids and exception of the task."""
    inner = log.logger.structlog()
    with trace.start("op") as span:
        try:
            fail(ValueError("boom"))
        except ValueError:
            await inner.aexception("m")
    assert log.fields["error"] == "boom"
    assert log.fields["span_id"] == span.span_id
    await asyncio.sleep(0)


def test_bad_values_and_bad_writers_do_no_harm():
    """The same guarantees as the logger's own."""

    class Broken:
        def write(self, _):
            raise OSError("full")

        def __str__(self):
            raise ValueError("no text")

    log = mist.logging.new("t", writer=Broken())
    log.structlog().info("m", x=Broken())
    assert log.dropped == 1


def test_the_logger_itself_is_a_structlog_logger(log):
    """Whatever works with structlog's loggers works with it."""
    assert isinstance(log.logger, structlog.BoundLoggerBase)
    assert structlog.get_context(log.logger.bind(a=1)) == {"a": 1}
