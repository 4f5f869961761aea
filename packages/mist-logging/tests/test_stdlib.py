"""The standard library's logging, in the same stream."""

import asyncio
import io
import json
import logging
import logging.config
import warnings

import pytest

import mist.logging

UVICORN = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(message)s"}},
    "handlers": {
        "default": {"formatter": "plain", "class": "logging.StreamHandler", "stream": "ext://sys.stderr"},
        "access": {"formatter": "plain", "class": "logging.StreamHandler", "stream": "ext://sys.stdout"},
    },
    "loggers": {
        "uvicorn": {"handlers": ["default"], "level": "INFO", "propagate": False},
        "uvicorn.error": {"level": "INFO"},
        "uvicorn.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def untouched():
    """Leave the standard library's loggers as they were, whatever a test did."""
    root = logging.root
    before = (root.level, root.handlers[:], warnings.showwarning)
    yield
    for name in [name for name in root.manager.loggerDict if name.startswith(("lib", "uvicorn"))]:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    assert (root.level, root.handlers, warnings.showwarning) == before


def test_stdlib_is_a_logger_of_the_standard_library(log):
    """Its lines are those of the logger, bound fields included."""
    stdlib = log.logger.bind(a=1).stdlib()
    assert isinstance(stdlib, logging.Logger)
    stdlib.info("%s of %d", "one", 2, extra={"z": 1, "y": [2]})
    assert list(log.record) == ["time", "level", "msg", "tool", "a", "z", "y"]
    assert log.record["msg"] == "one of 2"


def test_levels_of_the_standard_library(make_log):
    """All numbers have one of the four levels."""
    log = make_log("t", "debug")
    stdlib = log.logger.stdlib()
    for number in (1, 10, 15, 20, 25, 30, 35, 40, 50, 60):
        stdlib.log(number, "m")
    levels = [record["level"] for record in log.records]
    assert levels == ["DEBUG"] * 2 + ["INFO"] * 2 + ["WARN"] * 2 + ["ERROR"] * 3


def test_stdlib_follows_the_level(log):
    """Also where the standard library would remember what it was."""
    stdlib = log.logger.stdlib()
    child = stdlib.getChild("child")
    assert not stdlib.isEnabledFor(logging.DEBUG)
    log.logger.set_level("debug")
    assert stdlib.isEnabledFor(logging.DEBUG)
    child.debug("m")
    log.logger.set_level("error")
    child.warning("m")
    assert stdlib.getEffectiveLevel() == logging.ERROR
    assert [(record["msg"], record["logger"]) for record in log.records] == [("m", "tool.child")]


def test_exceptions_and_stacks(log, fail):
    """Structured as the logger's own."""
    stdlib = log.logger.stdlib()
    try:
        fail(ValueError("boom"))
    except ValueError:
        stdlib.exception("failed", stack_info=True)
    assert list(log.fields) == ["stack_info", "error", "error_type", "stack"]
    assert log.fields["error"] == "boom"


@pytest.mark.parametrize(
    ("args", "msg"),
    [
        (("%d items", "many"), "%d items"),
        (("%s and %s", 1), "%s and %s"),
        (("nothing", 1), "nothing"),
        (("%(a)s", {"b": 1}), "%(a)s"),
    ],
)
def test_arguments_that_do_not_fit(log, capsys, args, msg):
    """The line comes out, with the arguments, and nothing is printed elsewhere."""
    log.logger.stdlib().warning(*args)
    assert log.record["msg"] == msg
    assert "args" in log.fields
    assert "Error" in log.fields["error_type"]
    assert capsys.readouterr().err == ""


def test_extra_of_any_name(log):
    """Names that the line or JSON has no place for."""
    log.logger.stdlib().info("m", extra={"level": 1, "time": 2, 5: 3})
    assert log.fields == {"level_": 1, "time_": 2, "5": 3}


def test_capture_takes_what_libraries_log(log):
    """With the name of the logger and the fields of `extra`."""
    with log.logger.bind(a=1).capture_stdlib():
        logging.getLogger("lib.inner").info("hello %s", "you", extra={"n": 1})
        logging.getLogger("lib").debug("too fine")
    logging.getLogger("lib").warning("elsewhere")
    assert list(log.record.items())[1:] == [
        ("level", "INFO"),
        ("msg", "hello you"),
        ("tool", "tool"),
        ("a", 1),
        ("logger", "lib.inner"),
        ("n", 1),
    ]


def test_capture_follows_the_level(log):
    """As all that write to the stream do."""
    library = logging.getLogger("lib")
    with log.logger.capture_stdlib():
        library.debug("1")
        log.logger.set_level("debug")
        library.debug("2")
        log.logger.set_level("error")
        library.warning("3")
    assert [record["msg"] for record in log.records] == ["2"]


def test_capture_has_a_level_of_its_own(log):
    """For libraries that say more than one wants to read."""
    with log.logger.capture_stdlib(level="warn"):
        logging.getLogger("lib").info("too fine")
        log.logger.info("ours")
        logging.getLogger("lib").warning("theirs")
    assert [record["msg"] for record in log.records] == ["ours", "theirs"]


def test_capture_takes_over_from_a_server(log, capfd):
    """The loggers of uvicorn, with handlers and propagation as it sets them, are seen once."""
    logging.config.dictConfig(UVICORN)
    access = logging.getLogger("uvicorn.access")
    with log.logger.capture_stdlib():
        logging.getLogger("uvicorn.error").info(
            "Started", extra={"color_message": "\x1b[32mStarted\x1b[0m"}
        )
        access.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", "/", "1.1", 200)
        assert capfd.readouterr() == ("", "")
    assert [(record["logger"], record["msg"]) for record in log.records] == [
        ("uvicorn.error", "Started"),
        ("uvicorn.access", '127.0.0.1:5 - "GET / HTTP/1.1" 200'),
    ]
    assert "color_message" not in log.records[0]
    access.info("back")
    assert capfd.readouterr().out == "back\n"
    assert not access.propagate


def test_capture_leaves_other_handlers(log):
    """A handler that writes to a file, or collects, goes on as it did."""
    library = logging.getLogger("lib")
    other = logging.StreamHandler(io.StringIO())
    library.addHandler(other)
    with log.logger.capture_stdlib():
        library.warning("m")
    assert other.stream.getvalue() == "m\n"
    assert log.record["msg"] == "m"


def test_removing_twice_is_removing_once(log):
    """And two captures do not get into each other's way."""
    first = log.logger.capture_stdlib()
    second = log.logger.capture_stdlib()
    second.remove()
    second.remove()
    logging.getLogger("lib").info("m")
    first.remove()
    first.remove()
    logging.getLogger("lib").info("m")
    assert len(log.records) == 1


def test_two_captures_write_one_line(log):
    """As where a module captures when it is imported, and once more when the server starts."""
    with log.logger.capture_stdlib(), log.logger.bind(a=1).capture_stdlib():
        logging.getLogger("lib").info("inner")
    with log.logger.capture_stdlib():
        with log.logger.capture_stdlib():
            pass
        logging.getLogger("lib").info("outer")
    assert [(record["msg"], record.get("a")) for record in log.records] == [
        ("inner", 1),
        ("outer", None),
    ]


def test_two_loggers_on_standard_error_write_one_line(make_log, capsys):
    """Handlers of captures count like all others: one that writes to a file stays."""
    elsewhere = make_log("elsewhere")
    with (
        elsewhere.logger.capture_stdlib(),
        mist.logging.new("first").capture_stdlib(),
        mist.logging.new("second").capture_stdlib(),
    ):
        logging.getLogger("lib").warning("m")
    assert '"tool":"second"' in capsys.readouterr().err
    assert elsewhere.record["msg"] == "m"


def test_captures_removed_in_any_order_leave_nothing(log):
    """The one that was made first is not put back by the one that was made last."""
    before = (logging.root.handlers[:], logging.root.level)
    with warnings.catch_warnings(record=True) as elsewhere:
        warnings.simplefilter("always")
        first = log.logger.capture_stdlib()
        second = log.logger.capture_stdlib()
        first.remove()
        second.remove()
        warnings.warn("m", UserWarning, stacklevel=1)
    assert (logging.root.handlers, logging.root.level) == before
    assert [str(each.message) for each in elsewhere] == ["m"]
    assert log.text == ""


def test_warnings_are_lines(log):
    """With their category and place; `filterwarnings` decides about them as before."""
    with warnings.catch_warnings(), log.logger.capture_stdlib():
        warnings.simplefilter("always")
        warnings.warn("old\nnews", DeprecationWarning, stacklevel=1)
        log.logger.set_level("error")
        warnings.warn("more", UserWarning, stacklevel=1)
    assert log.record["level"] == "WARN"
    assert log.record["msg"] == "old\nnews"
    assert log.fields["logger"] == "py.warnings"
    assert log.fields["category"] == "DeprecationWarning"
    assert log.fields["file"].rpartition(":")[0] == __file__


def test_a_warning_for_a_file_goes_there(run):
    """Whoever asks for a warning in a place of his own has it."""
    ran = run(
        """
import sys, warnings
import mist.logging
with mist.logging.new("t").capture_stdlib():
    warnings.showwarning(UserWarning("m"), UserWarning, "x.py", 1, sys.stdout)
"""
    )
    assert (ran.stdout, ran.stderr) == ("x.py:1: UserWarning: m\n", "")


def test_warnings_can_be_left_alone(log):
    """By choice."""
    with log.logger.capture_stdlib(warnings=False), pytest.warns(UserWarning, match="m"):
        warnings.warn("m", UserWarning, stacklevel=1)
    assert log.text == ""


def test_what_a_library_logs_while_it_is_asked_for_its_text(log):
    """A value whose text logs through the standard library does not loop."""
    library = logging.getLogger("lib")

    class Chatty:
        def __str__(self):
            library.info("asked", extra={"x": self})
            return "chatty"

    with log.logger.capture_stdlib():
        log.logger.info("m", x=Chatty())
    assert log.records[-1]["msg"] == "m"
    assert len(log.records) < 10


async def test_asyncio_reports_reach_the_stream(log, monkeypatch):
    """The event loop's own complaints, with their exception."""
    # Whoever else listens, as development mode does, must not take this one for a real one.
    monkeypatch.setattr(logging.getLogger("asyncio"), "handlers", [])

    def fail():
        raise ValueError("boom")

    with log.logger.capture_stdlib():
        asyncio.get_running_loop().call_soon(fail)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert log.fields["logger"] == "asyncio"
    assert log.fields["error"] == "boom"


def test_basic_config_is_not_needed(run):
    """In a process of its own: one stream, nothing twice, nothing left out."""
    ran = run(
        """
import logging, warnings
logging.basicConfig(level=logging.INFO)
import mist.logging
log = mist.logging.new("t")
capture = log.capture_stdlib()
logging.info("root")
logging.getLogger("a.b").warning("named")
warnings.warn("careful")
log.info("ours")
capture.remove()
logging.info("as before")
"""
    )
    *lines, last = ran.stderr.splitlines()
    assert [json.loads(line)["msg"] for line in lines] == ["root", "named", "careful", "ours"]
    assert last == "INFO:root:as before"
