"""What can go wrong between two tools.

Every error carries `code`, one of the standard error codes, so that retries, HTTP statuses and
exit codes agree about it.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from typing import Any

_CODES = {
    errno.ENOENT: "not_found",
    errno.EACCES: "auth",
    errno.EPERM: "auth",
    errno.EROFS: "auth",
    errno.EISDIR: "validation",
    errno.ENOTDIR: "validation",
    errno.ENAMETOOLONG: "validation",
    errno.EINVAL: "validation",
    errno.EADDRINUSE: "conflict",
    errno.EADDRNOTAVAIL: "validation",
    errno.ENOSPC: "unavailable",
    errno.EDQUOT: "unavailable",
    errno.EAGAIN: "unavailable",
    errno.ENOMEM: "unavailable",
    errno.EMFILE: "unavailable",
    errno.ENFILE: "unavailable",
    errno.ETIMEDOUT: "timeout",
}

_STANDARD_CODES = frozenset(
    {
        "internal",
        "timeout",
        "cancelled",
        "transport",
        "protocol",
        "validation",
        "not_found",
        "unavailable",
        "rate_limit",
        "auth",
        "conflict",
    }
)


class TransportError(OSError):
    """A message could not be sent or received.

    Attributes:
        code: The standard error code, `transport` unless a better one is known.
        retry_after: Seconds after which the peer asks to be tried again, if it said so.
    """

    code: str = "transport"
    retry_after: float | None = None

    def __init__(
        self, message: str, *, code: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        if retry_after is not None:
            self.retry_after = retry_after

    @classmethod
    def from_os_error(cls, exc: OSError, what: str) -> "TransportError":
        """Put an operating system's error into words: what was tried, and why it failed."""
        reason = exc.strerror or str(exc) or type(exc).__name__
        error = cls(f"{what}: {reason}", code=_CODES.get(exc.errno or 0))
        error.errno = exc.errno
        error.__cause__ = exc
        return error

    def __reduce__(self) -> tuple[Any, ...]:
        # The way of OSError calls the class with the bare message, which is not enough for all.
        return _blank, (type(self), self.args), self.__getstate__() | {"errno": self.errno}

    def __getstate__(self) -> dict[str, Any]:
        return dict(vars(self))


def _blank(kind: type[TransportError], args: tuple[Any, ...]) -> TransportError:
    """Make an error that has its text, and the rest of its state still to come."""
    error = kind.__new__(kind)
    error.args = args
    return error


class TransportClosed(TransportError):
    """The transport was closed, by this side or by its peer."""


class EndOfStream(TransportError):
    """The source has no more messages, and will have none."""


class TransportTimeout(TransportError, TimeoutError):
    """The peer did not answer in time; whether it took the message is not known."""

    code = "timeout"


class BufferFull(TransportError):
    """There is no room for the message now; `blocking_send` waits for it."""

    code = "unavailable"

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        room: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self._room = room

    def __getstate__(self) -> dict[str, Any]:
        # Where the room is, only this object's event loop knows: a copy waits a little instead.
        return super().__getstate__() | {"_room": None}

    async def wait_for_room(self) -> None:
        """Return when it is worth trying again."""
        if self._room is not None:
            await self._room()
        else:
            await asyncio.sleep(self.retry_after or 0.05)


class Rejected(TransportError):
    """The peer answered, and did not take the message.

    Attributes:
        status: The HTTP status of the answer, or of this message in a batch.
        body: The beginning of the answer's body.
    """

    _CODES_BY_STATUS = {  # noqa: RUF012  # never changed
        400: "protocol",
        401: "auth",
        403: "auth",
        404: "not_found",
        405: "not_found",
        408: "timeout",
        409: "conflict",
        410: "not_found",
        422: "validation",
        429: "rate_limit",
        503: "unavailable",
        504: "timeout",
    }

    def __init__(
        self, message: str, *, status: int, body: str = "", retry_after: float | None = None
    ) -> None:
        code = self._CODES_BY_STATUS.get(status)
        if code is None and 400 <= status < 500:  # noqa: PLR2004  # the range is the standard's
            code = "protocol"  # RFC 9110, section 15: an unknown 4xx is treated as a 400
        super().__init__(message, code=code, retry_after=retry_after)
        self.status = status
        self.body = body


class InvalidSettingError(ValueError):
    """A setting makes no sense; the text names it, and says what would.

    Attributes:
        code: `validation`: the program is wrong, and trying again does not help.
    """

    code = "validation"


class WrongTransportError(TypeError):
    """A transport or a middleware's helper lacks what it is asked for; the text names that.

    Attributes:
        code: `validation`: the program is wrong, and trying again does not help.
    """

    code = "validation"


def code_of(exc: BaseException) -> str:
    """Return the standard error code that fits an exception, whoever raised it."""
    try:
        code: object = getattr(exc, "code", None)
    except Exception:  # noqa: BLE001  # a property may fail, as aiohttp's do where warnings are errors
        code = None
    if isinstance(code, str) and code in _STANDARD_CODES:
        return str(code)
    if isinstance(exc, asyncio.CancelledError):
        return "cancelled"
    if isinstance(exc, TimeoutError):
        return "timeout"
    if isinstance(exc, OSError):
        return _CODES.get(exc.errno or 0, "transport")
    return "internal"


def wish_of(exc: BaseException | None) -> float:
    """Return the seconds after which an error asks to be tried again, whoever raised it; else 0."""
    try:
        wish: object = getattr(exc, "retry_after", None)
    except Exception:  # noqa: BLE001  # as above
        return 0.0
    return wish if isinstance(wish, (int, float)) and wish > 0 else 0.0
