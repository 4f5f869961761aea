"""What the errors of a transport carry, and that they survive a journey."""

import asyncio
import copy
import errno
import pickle
from typing import Any, cast

import aiohttp
import pytest

from mist.transport.errors import (
    BufferFull,
    EndOfStream,
    Rejected,
    TransportClosed,
    TransportError,
    TransportTimeout,
    code_of,
)

EVERY_KIND = [
    TransportError("broken"),
    TransportError("no such host", code="validation", retry_after=2.5),
    TransportClosed("closed"),
    EndOfStream("over"),
    TransportTimeout("late"),
    BufferFull("full", retry_after=1.0),
    Rejected("no", status=503, body="busy", retry_after=3.0),
    Rejected("no", status=500),
    TransportError.from_os_error(OSError(errno.ENOSPC, "No space left on device"), "write x"),
]


@pytest.mark.parametrize("error", EVERY_KIND, ids=lambda error: f"{type(error).__name__} {error}")
@pytest.mark.parametrize(
    "travel", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))]
)
def test_every_error_copies_and_pickles_with_all_it_carries(error, travel):
    """An error that crosses a process boundary arrives whole."""
    error.add_note("seen at the border")
    arrived = travel(error)
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert arrived.args == error.args
    assert arrived.code == error.code
    assert arrived.retry_after == error.retry_after
    assert arrived.errno == error.errno
    assert arrived.__notes__ == error.__notes__
    if isinstance(error, Rejected):
        assert (arrived.status, arrived.body) == (error.status, error.body)


def test_a_subclass_with_its_own_signature_pickles_too():
    """What a user derives needs no pickling code of its own."""
    error = pickle.loads(pickle.dumps(Quota(7)))
    assert (str(error), error.left) == ("7 left", 7)


class Quota(TransportError):
    """An error whose constructor takes no text."""

    def __init__(self, left):
        super().__init__(f"{left} left")
        self.left = left


def test_a_copied_buffer_full_can_still_be_waited_for(virtually):
    """The room is out of reach in another process: a copy waits a little instead."""

    async def never():
        await asyncio.get_running_loop().create_future()

    full = pickle.loads(pickle.dumps(BufferFull("full", room=never)))
    virtually(full.wait_for_room())


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (302, "transport"),
        (400, "protocol"),
        (401, "auth"),
        (403, "auth"),
        (404, "not_found"),
        (405, "not_found"),
        (408, "timeout"),
        (409, "conflict"),
        (410, "not_found"),
        (413, "protocol"),
        (415, "protocol"),
        (418, "protocol"),
        (422, "validation"),
        (429, "rate_limit"),
        (500, "transport"),
        (502, "transport"),
        (503, "unavailable"),
        (504, "timeout"),
    ],
)
def test_a_rejection_takes_its_code_from_the_status(status, code):
    """Statuses map to the standard codes; an unknown 4xx is treated as a 400."""
    assert Rejected("no", status=status).code == code


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOENT, "not_found"),
        (errno.EACCES, "auth"),
        (errno.EISDIR, "validation"),
        (errno.EADDRINUSE, "conflict"),
        (errno.ENOSPC, "unavailable"),
        (errno.ETIMEDOUT, "timeout"),
        (errno.ECONNREFUSED, "transport"),
    ],
)
def test_an_operating_system_error_is_put_into_words_with_a_code(number, code):
    """The text says what was tried and why it failed; the cause and the number stay."""
    cause = OSError(number, "the reason")
    error = TransportError.from_os_error(cause, "open x")
    assert str(error) == "open x: the reason"
    assert (error.code, error.errno, error.__cause__) == (code, number, cause)
    assert code_of(cause) == code


def test_an_operating_system_error_without_words_is_named():
    """An error that says nothing still leaves a readable text."""
    assert str(TransportError.from_os_error(ConnectionResetError(), "send")) == (
        "send: ConnectionResetError"
    )


@pytest.mark.parametrize(
    ("exc", "code"),
    [
        (asyncio.CancelledError(), "cancelled"),
        (TimeoutError(), "timeout"),
        (TransportTimeout("late"), "timeout"),
        (ConnectionRefusedError(), "transport"),
        (ValueError(), "internal"),
        (SystemExit("auth please"), "internal"),
        (aiohttp.ClientResponseError(cast("Any", None), ()), "internal"),  # whose code warns
        (Rejected("no", status=401), "auth"),
    ],
)
def test_any_exception_has_a_code(exc, code):
    """An exception without a standard code gets the one of its kind."""
    assert code_of(exc) == code


def test_all_kinds_are_operating_system_errors():
    """`except OSError` and `except TimeoutError` catch what they promise."""
    assert all(isinstance(error, OSError) for error in EVERY_KIND)
    assert isinstance(TransportTimeout("late"), TimeoutError)
