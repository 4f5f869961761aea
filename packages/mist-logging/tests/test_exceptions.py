"""Exceptions, structured."""

import sys

import pytest


class Coded(Exception):
    """Has a code, as mist's own errors have."""

    code = "rate_limit"


def test_exception_writes_what_is_being_handled(log, fail):
    """Text, type and stack, after the call's own fields."""
    try:
        fail(ValueError("boom"))
    except ValueError:
        log.logger.exception("failed", task=3)
    fields = log.fields
    assert list(fields) == ["task", "error", "error_type", "stack"]
    assert fields["error"] == "boom"
    assert fields["error_type"] == "ValueError"
    assert fields["stack"].startswith("Traceback (most recent call last):\n")
    assert 'fail(ValueError("boom"))' in fields["stack"]
    assert fields["stack"].endswith("\nValueError: boom")
    assert log.record["level"] == "ERROR"


def test_exception_without_one_is_an_error(log):
    """No `NoneType: None`."""
    log.logger.exception("failed", task=3)  # noqa: LOG004  # the subject
    assert log.fields == {"task": 3}


@pytest.mark.parametrize("form", ["exception", "tuple", "true"])
def test_exc_info_takes_all_forms_of_the_standard_library(log, form, raised, fail):
    """At any level."""
    exc = raised(ValueError("boom"))
    match form:
        case "exception":
            log.logger.info("m", exc_info=exc)
        case "tuple":
            log.logger.info("m", exc_info=(type(exc), exc, exc.__traceback__))
        case "true":
            try:
                fail(exc)
            except ValueError:
                log.logger.info("m", exc_info=True)
    assert list(log.fields) == ["error", "error_type", "stack"]


@pytest.mark.parametrize("value", [None, False, (None, None, None), True])
def test_exc_info_that_means_none(log, value):
    """Nothing is added."""
    log.logger.info("m", exc_info=value, a=1)
    assert log.fields == {"a": 1}


@pytest.mark.parametrize("value", ["text", 5, (1, 2), (1, 2, 3)])
def test_exc_info_of_another_type_is_a_field(log, value):
    """Nothing is lost."""
    log.logger.info("m", exc_info=value)
    assert log.fields == {"exc_info": list(value) if isinstance(value, tuple) else value}


def test_an_exception_as_a_value_is_its_text(log, raised):
    """And one that was raised adds its type and stack, whatever the field is called."""
    log.logger.error("m", err=raised(KeyError("k")), n=1)
    assert list(log.fields) == ["err", "n", "error_type", "stack"]
    assert log.fields["err"] == "'k'"
    assert log.fields["error_type"] == "KeyError"


def test_the_field_error_always_tells_the_type(log):
    """Also of an exception that was never raised, which has no stack."""
    log.logger.error("m", error=TimeoutError())
    assert log.fields == {"error": "TimeoutError", "error_type": "TimeoutError"}


def test_the_field_error_comes_first(log, raised):
    """Of several exceptions the one in `error` gives type and stack."""
    log.logger.error("m", other=raised(OSError("o")), error=raised(ValueError("v")))
    assert log.fields["error_type"] == "ValueError"


def test_a_code_is_shown(log, raised):
    """That of any exception with a text as `code`."""
    log.logger.error("m", error=raised(Coded("slow down")))
    assert log.fields["code"] == "rate_limit"
    assert log.fields["error_type"].endswith(".Coded")
    assert list(log.fields) == ["error", "error_type", "code", "stack"]


def test_a_code_that_is_no_text_is_not_shown(log):
    """SystemExit has a number, others a property that raises."""

    class Odd(Exception):
        @property
        def code(self):
            raise RuntimeError

    log.logger.error("m", error=SystemExit(3))
    log.logger.error("m", error=Odd())
    assert not any("code" in record for record in log.records)


def test_own_fields_of_these_names_are_kept(log, raised):
    """Nothing is lost on either side."""
    exc = raised(Coded("boom"))
    log.logger.error("m", error="mine", error_type="my type", code=500, stack=1, exc_info=exc)
    assert log.fields["error"] == "mine"
    assert log.fields["error_"] == "boom"
    assert log.fields["code"] == 500
    assert log.fields["code_"] == "rate_limit"
    assert log.fields["error_type"] == "my type"
    assert log.fields["stack"] == 1
    assert log.fields["stack_"].startswith("Traceback")


def test_the_same_exception_twice_is_shown_once(log, fail):
    """`exception(..., error=exc)` is a common way to write it."""
    try:
        fail(ValueError("boom"))
    except ValueError as exc:
        log.logger.exception("m", error=exc)
    assert list(log.fields) == ["error", "error_type", "stack"]


def test_causes_notes_and_groups_are_in_the_stack(log, raised):
    """As the interpreter prints them."""
    inner = raised(OSError("disk"))
    inner.add_note("on /dev/sda")
    group = ExceptionGroup("several", [inner, ValueError("other")])
    log.logger.error("m", error=raised(group, cause=raised(KeyError("first"))))
    stack = log.fields["stack"]
    for part in ("KeyError: 'first'", "direct cause", "OSError: disk", "on /dev/sda", "several"):
        assert part in stack


def test_a_long_stack_is_bounded(log, raised):
    """The beginning and the end stay."""
    first = raised(ValueError("the first " + "x" * 100_000))
    log.logger.error("m", error=raised(ValueError("the last"), cause=first))
    stack = log.fields["stack"]
    assert len(stack) < 17_000
    assert "the first" in stack
    assert "characters left out" in stack
    assert stack.endswith("ValueError: the last")


def test_a_deep_stack_is_bounded(log):
    """Only the innermost frames of a runaway recursion are shown."""
    sys.setrecursionlimit(5_000)

    def odd(n):
        return even(n - 1)

    def even(n):
        if n <= 0:
            raise ValueError("bottom")
        return odd(n - 1)

    try:
        even(2000)
    except ValueError as exc:
        log.logger.error("m", error=exc)  # noqa: TRY400  # the subject
    finally:
        sys.setrecursionlimit(1_000)
    assert log.fields["stack"].count("File ") == 50
    assert log.fields["stack"].endswith("ValueError: bottom")


def test_a_long_chain_is_bounded(log, raised):
    """A thousand causes take no more time than one."""
    exc = raised(ValueError("0"))
    for n in range(1, 1000):
        exc = raised(ValueError(str(n)), cause=exc)
    log.logger.error("m", error=exc)
    assert "ValueError: 999" in log.fields["stack"]
    assert log.fields["stack"].count("Traceback") == 1


def test_causes_that_run_in_a_circle_end(log, raised):
    """Two exceptions may each be the other's cause."""
    one, other = raised(ValueError("one")), raised(ValueError("other"))
    one.__cause__, other.__cause__ = other, one
    log.logger.error("m", error=one)
    assert log.fields["stack"].endswith("ValueError: one")


def test_an_exception_whose_text_raises_is_named(log, raised):
    """The line comes out with what can be known."""

    class Broken(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    log.logger.error("m", error=raised(Broken()))
    assert log.fields["error"] == "Broken (its text raised RuntimeError)"
    assert log.fields["error_type"].endswith("Broken")


def test_an_interrupt_is_not_held_back(log):
    """Whoever wants to stop the program while an exception tells its text is heard."""

    class Interrupting(Exception):
        def __str__(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        log.logger.error("m", error=Interrupting())


def test_urls_in_exceptions_do_not_show_passwords(log, raised):
    """A failed connection tends to name its URL."""
    log.logger.error("m", error=raised(OSError("cannot reach postgres://app:hunter2@db:5432/x")))
    assert "hunter2" not in log.fields["error"]
    assert log.fields["error"] == "cannot reach postgres://app:***@db:5432/x"
