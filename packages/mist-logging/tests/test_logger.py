"""What a logger does with levels, fields and names."""

import copy
import sys

import pytest
import structlog

import mist.logging
from mist.logging import DEBUG, ERROR, INFO, WARN, LoggingError


def test_fields_follow_in_their_order(log):
    """Time, level, msg, tool, bound fields, call fields."""
    log.logger.bind(b=1, a=2).info("m", z=3, y=4)
    assert list(log.record) == ["time", "level", "msg", "tool", "b", "a", "z", "y"]


@pytest.mark.parametrize("level", [DEBUG, INFO, WARN, ERROR])
def test_only_the_level_and_above_are_written(make_log, level):
    """Each level holds back those below it."""
    log = make_log("t", level)
    for call in ("debug", "info", "warning", "error", "exception"):
        getattr(log.logger, call)("m")
    written = [each for each in (DEBUG, INFO, WARN, ERROR, ERROR) if each >= level]
    assert [record["level"] for record in log.records] == [each.name for each in written]


def test_a_change_of_level_reaches_parents_and_children(log):
    """The level belongs to all that were bound from one logger, whoever changes it."""
    child = log.logger.bind(a=1)
    grandchild = child.bind(b=2)
    child.set_level("debug")
    assert log.logger.level is grandchild.level is DEBUG
    grandchild.debug("m")
    log.logger.set_level(ERROR)
    child.warning("m")
    assert [record["level"] for record in log.records] == ["DEBUG"]


@pytest.mark.parametrize("given", [WARN, 30, "warn", "WARNING", " Warn "])
def test_levels_have_numbers_and_names(make_log, given):
    """A level may come from code, from the standard library or from a configuration file."""
    assert make_log("t", given).logger.level is WARN


@pytest.mark.parametrize("given", ["verbose", "", 25, 0, True, None, 1.5])
def test_a_wrong_level_is_an_error_that_names_the_right_ones(log, given):
    """Everywhere that takes a level refuses others alike."""
    for call in (
        lambda: mist.logging.new("t", given),
        lambda: log.logger.set_level(given),
        lambda: log.logger.log(given, "m"),
        lambda: (
            log.logger.capture_stdlib(level=given) if given is not None else log.logger.log(0, "")
        ),
    ):
        with pytest.raises(LoggingError, match="choose debug, info, warn") as caught:
            call()
        assert caught.value.code == "validation"


def test_log_takes_any_level(log):
    """`log` is for levels that are not known when the program is written."""
    log.logger.log("error", "a", n=1)
    log.logger.log(DEBUG, "b")
    assert [(record["level"], record["msg"]) for record in log.records] == [("ERROR", "a")]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"tool": 5}, "a tool's name is text"),
        ({"format": "xml"}, "choose json or text"),
        ({"writer": "app.log"}, "open a file"),
        ({"mask": "session"}, r"pass \['session'\]"),
        ({"mask": [5]}, "mask takes names"),
        ({"mask": ["-"]}, "mask takes names"),
    ],
)
def test_what_cannot_make_a_logger_is_refused(options, problem):
    """The error says what to pass instead."""
    with pytest.raises(LoggingError, match=problem):
        mist.logging.new(**{"tool": "t"} | options)


def test_fields_may_have_any_name(log):
    """No name is taken by a parameter."""
    names = [
        "self",
        "event",
        "fields",
        "method_name",
        "name",
        "args",
        "stream",
        "context",
        "level_",
    ]
    log.logger.info("m", **dict.fromkeys(names, 1))
    log.logger.bind(**dict.fromkeys(names, 1)).info("m")
    with mist.logging.bound(**dict.fromkeys(names, 1)):
        log.logger.warning("m")
    for record in log.records:
        assert list(record)[4:] == names


@pytest.mark.parametrize("how", ["call", "bind", "bound", "stdlib", "structlog"])
def test_a_field_with_a_name_of_the_line_gets_an_underscore(log, how):
    """Nothing is lost, nothing stands twice, and the order stays."""
    fields = {"level": 1, "x": 2, "time": 3, "msg": 4, "tool": 5, "msg_": 6}
    match how:
        case "call":
            log.logger.info("m", **fields)
        case "bind":
            log.logger.bind(**fields).info("m")
        case "bound":
            with mist.logging.bound(**fields):
                log.logger.info("m")
        case "stdlib":
            log.logger.bind(**fields).stdlib().info("m")
        case "structlog":
            log.logger.structlog().info("m", **fields)
    assert list(log.fields.items()) == [
        ("level_", 1),
        ("x", 2),
        ("time_", 3),
        ("msg__", 4),
        ("tool_", 5),
        ("msg_", 6),
    ]
    assert log.record["msg"] == "m"


def test_a_nearer_field_replaces_a_farther_one(log):
    """Call before bound, bound before contextual; the place is the farther one's."""
    with mist.logging.bound(a="context", b="context", c="context"):
        log.logger.bind(b="bound", c="bound").info("m", c="call", d="call")
    assert log.fields == {"a": "context", "b": "bound", "c": "call", "d": "call"}


def test_binding_changes_nothing_but_the_result(log):
    """A logger never changes; `unbind` and `new` make others, too."""
    child = log.logger.bind(a=1, b=2)
    child.unbind("a").info("m")
    child.new(c=3).info("m")
    child.info("m")
    log.logger.info("m")
    assert [list(record)[4:] for record in log.records] == [["b"], ["c"], ["a", "b"], []]
    assert structlog.get_context(child) == {"a": 1, "b": 2}


def test_loggers_are_told_apart_by_identity(log):
    """Two loggers with equal fields may write to two places."""
    one, other = log.logger.bind(a=1), log.logger.bind(a=1)
    assert one != other
    assert len({one, other, one}) == 2


def test_repr_shows_names_of_fields_but_no_values(log):
    """What is bound may be a secret."""
    text = repr(log.logger.bind(password="hunter2"))
    assert "password" in text
    assert "tool" in text
    assert "hunter2" not in text


def test_a_message_may_be_anything(log):
    """What is not text is shown as its text."""
    for msg in (5, None, ValueError("boom"), b"abc", {"a": 1}):
        log.logger.info(msg)
    assert [record["msg"] for record in log.records] == ["5", "None", "boom", "YWJj", "{'a': 1}"]


def test_the_message_has_no_name(log):
    """A wrong signature is the program's fault and is not hidden."""
    with pytest.raises(TypeError):
        log.logger.info(msg="m")
    with pytest.raises(TypeError):
        log.logger.info("m", "argument")  # noqa: PLE1205  # the subject


def test_the_default_writer_is_standard_error_as_it_is(capsys):
    """A logger made before the stream was replaced writes to its replacement."""
    logger = mist.logging.new("t")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", sys.stdout)
        logger.info("to stdout")
    logger.info("to stderr")
    out, err = capsys.readouterr()
    assert '"to stdout"' in out
    assert '"to stderr"' in err


def test_loggers_in_settings_can_be_copied(log):
    """A deep copy of an object that holds a logger holds the same stream."""
    settings = {"log": log.logger}
    copy.deepcopy(settings)["log"].info("m")
    assert log.record["msg"] == "m"
