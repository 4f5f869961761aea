"""The code of any exception, and whether another attempt may help."""

import asyncio
import concurrent.futures
import email.message
import itertools
import time
import urllib.error
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.errors import Code, MistError, code_of, exit_code, http_status, is_retryable


class CodedError(Exception):
    """A foreign exception with a code of the kind it is given."""

    def __init__(self, code: object) -> None:
        super().__init__("coded")
        self.code = code


class WarningError(Exception):
    """A foreign exception whose code warns of itself, which raises where warnings are errors."""

    @property
    def code(self) -> int:
        """The HTTP status."""
        warnings.warn("use status", DeprecationWarning, stacklevel=2)
        return 503


def _from(exc: BaseException, cause: BaseException | None) -> BaseException:
    exc.__cause__ = cause
    return exc


@pytest.mark.parametrize(
    ("exc", "code"),
    [
        (MistError(Code.CONFLICT, "x"), "conflict"),
        (MistError("acme.broken", "x"), "acme.broken"),
        (CodedError("not_found"), "not_found"),
        (CodedError(Code.AUTH), "auth"),
        (CodedError("e3q8"), "internal"),
        (CodedError(404), "internal"),
        (CodedError(lambda: "timeout"), "internal"),
        (CodedError([]), "internal"),
        (WarningError(), "internal"),
        (SystemExit(3), "internal"),
        (urllib.error.HTTPError("http://h", 404, "x", email.message.Message(), None), "internal"),
        (TimeoutError(), "timeout"),
        (concurrent.futures.TimeoutError(), "timeout"),
        (asyncio.CancelledError(), "cancelled"),
        (concurrent.futures.CancelledError(), "cancelled"),
        (KeyboardInterrupt(), "cancelled"),
        (ConnectionRefusedError(), "transport"),
        (BrokenPipeError(), "transport"),
        (FileNotFoundError(), "internal"),
        (ValueError(), "internal"),
    ],
)
def test_code_of_one_exception(exc, code):
    """A carried standard code, else the natural code of the class, else `internal`."""
    assert code_of(exc) == code


def test_code_of_looks_behind_the_exception():
    """A carried code anywhere along the causes wins; else the first natural code does."""
    auth = MistError(Code.AUTH, "x")
    assert code_of(_from(ValueError(), _from(RuntimeError(), auth))) == "auth"
    assert code_of(_from(ConnectionError(), auth)) == "auth"
    assert code_of(_from(MistError(Code.TIMEOUT, "x"), auth)) == "timeout"
    assert code_of(_from(ValueError(), TimeoutError())) == "timeout"
    assert code_of(_from(TimeoutError(), asyncio.CancelledError())) == "timeout"


def test_an_implicit_context_is_not_a_cause():
    """What merely happened to be handled at the time does not decide the code."""
    late = ValueError()
    late.__context__ = MistError(Code.AUTH, "x")
    assert code_of(late) == "internal"


def test_circles_end():
    """Circular causes, also through a group, neither hang nor recurse for ever."""
    one, two = ValueError(), RuntimeError()
    one.__cause__, two.__cause__ = two, one
    assert code_of(one) == "internal"
    assert is_retryable(one)
    member = KeyError()
    group = ExceptionGroup("g", [member, TimeoutError()])
    member.__cause__ = group
    assert code_of(group) == "internal"
    assert is_retryable(group)


def test_a_long_chain_is_looked_through_once():
    """What raised each error from the last one, for days, has its code at once."""
    error = MistError(Code.AUTH, "the first")
    for _ in range(50_000):
        following = ValueError()
        following.__cause__ = error
        error = following
    started = time.process_time()
    assert code_of(error) == "auth"
    assert not is_retryable(error)
    assert time.process_time() - started < 5


def test_a_group_has_the_code_of_its_gravest_member():
    """The order is the documented one, at any depth, and holds for causes too."""
    order = [
        "internal", "protocol", "auth", "validation", "conflict", "not_found",
        "transport", "unavailable", "timeout", "rate_limit", "cancelled",
    ]  # fmt: skip
    assert sorted(order) == sorted(Code)
    for graver, lesser in itertools.pairwise(order):
        members = [MistError(lesser, "x"), MistError(graver, "x")]
        assert code_of(ExceptionGroup("g", members)) == graver
        nested = ExceptionGroup("outer", [members[0], ExceptionGroup("inner", members[1:])])
        assert code_of(_from(RuntimeError(), nested)) == graver
    assert code_of(ExceptionGroup("g", [MistError("auth", "x"), MistError("made_up", "x")])) == (
        "made_up"
    )
    assert code_of(BaseExceptionGroup("g", [KeyboardInterrupt(), TimeoutError()])) == "timeout"


def test_members_may_share_a_cause():
    """A cause behind two members counts for both of them."""
    shared = MistError(Code.TIMEOUT, "x")
    members = [_from(ValueError(), shared), _from(KeyError(), shared)]
    assert code_of(ExceptionGroup("g", [*members, members[0]])) == "timeout"


@pytest.mark.parametrize(
    ("exc", "retryable"),
    [
        (None, False),
        (ValueError(), True),
        (TimeoutError(), True),
        (ConnectionError(), True),
        (CodedError("auth"), False),
        (CodedError("unavailable"), True),
        (CodedError(404), True),
        (_from(ValueError(), CodedError("auth")), False),
        (_from(ValueError(), MistError(Code.AUTH, "x").retriable()), True),
        (MistError("made_up", "x"), False),
        (asyncio.CancelledError(), False),
        (concurrent.futures.CancelledError(), False),
        (KeyboardInterrupt(), False),
        (SystemExit(1), False),
        (GeneratorExit(), False),
        (ExceptionGroup("g", [TimeoutError(), ValueError()]), True),
        (ExceptionGroup("g", [TimeoutError(), CodedError("auth")]), False),
        (BaseExceptionGroup("g", [TimeoutError(), KeyboardInterrupt()]), False),
    ],
)
def test_is_retryable(exc, retryable):
    """Marks and codes decide; without a code, what is an ordinary exception is transient."""
    assert is_retryable(exc) is retryable


@given(st.text())
def test_an_unknown_code_is_an_internal_failure_that_stays(code):
    """Any string that is no code counts as 500, exit 1, not retryable."""
    if code not in set(Code):
        assert http_status(code) == 500
        assert exit_code(code) == 1
        assert not is_retryable(MistError(code, "x"))
