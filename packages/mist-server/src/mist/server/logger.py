"""What the server tells a logger, whichever kind it is."""

import logging
from collections.abc import Callable
from typing import Any, Protocol, TypeGuard
from urllib.parse import quote

from mist.errors import Code
from mist.server.asgi import Scope
from mist.server.errors import ServerError

_fallback = logging.getLogger("mist.server")


class Logger(Protocol):
    """Takes a message and its fields: `info(msg, **fields)`, and likewise the others."""

    @property
    def debug(self) -> Callable[..., object]: ...  # noqa: D102
    @property
    def info(self) -> Callable[..., object]: ...  # noqa: D102
    @property
    def warning(self) -> Callable[..., object]: ...  # noqa: D102
    @property
    def exception(self) -> Callable[..., object]: ...  # noqa: D102


class Log:
    """Writes to a logger that may fail: no failure of it ever costs a request."""

    def __init__(
        self, logger: "Logger | logging.Logger | logging.LoggerAdapter[Any] | None" = None
    ) -> None:
        """Make a log.

        Args:
            logger: Its methods take keyword fields, as those of mist.logging and structlog do; one
                of the standard library gets the fields in the text and as `extra`.

        Raises:
            ServerError: It is no logger.
        """
        if logger is None:
            logger = _fallback
        if isinstance(logger, logging.Logger) or _is_adapter(logger):
            self._logger: Logger = _StandardLogger(logger)
            return
        missing = [n for n in ("debug", "info", "warning", "exception") if not hasattr(logger, n)]
        if missing:
            raise ServerError(
                Code.VALIDATION,
                f"{logger!r} is no logger: it has no {missing[0]}(msg, **fields)",
            )
        self._logger = logger

    def debug(self, msg: str, **fields: object) -> None:
        """Write what only somebody who looks for a fault wants to know."""
        self._write("debug", msg, fields)

    def info(self, msg: str, **fields: object) -> None:
        """Write what is in the normal course of things."""
        self._write("info", msg, fields)

    def warning(self, msg: str, **fields: object) -> None:
        """Write what an operator should know."""
        self._write("warning", msg, fields)

    def exception(self, msg: str, **fields: object) -> None:
        """Write an error with the exception that is being handled."""
        self._write("exception", msg, fields)

    def _write(self, level: str, msg: str, fields: dict[str, object]) -> None:
        try:
            getattr(self._logger, level)(msg, **fields)
        except Exception:  # noqa: BLE001  # whatever it is, the request comes first
            _fallback.warning("the server's logger fails", exc_info=True)


def request_fields(scope: Scope) -> dict[str, object]:
    """Return how a request is named in the log: nothing in it can end a line, or hold a query."""
    return {
        "method": str(scope["method"]),
        "path": quote(scope.get("raw_path") or scope["path"], safe="/%:@!$&'()*+,;=~"),
    }


def client_of(scope: Scope) -> str:
    """Return the client's address, or nothing where a socket has none."""
    client = scope.get("client")
    return "" if not client or not client[1] else f"{client[0]}:{client[1]}"


def _is_adapter(logger: object) -> "TypeGuard[logging.LoggerAdapter[Any]]":
    return isinstance(logger, logging.LoggerAdapter)


class _StandardLogger:
    """Gives a logger of the standard library keyword fields."""

    def __init__(self, logger: "logging.Logger | logging.LoggerAdapter[Any]") -> None:
        self._logger = logger

    def debug(self, msg: str, **fields: object) -> None:
        self._log(logging.DEBUG, msg, fields)

    def info(self, msg: str, **fields: object) -> None:
        self._log(logging.INFO, msg, fields)

    def warning(self, msg: str, **fields: object) -> None:
        self._log(logging.WARNING, msg, fields)

    def exception(self, msg: str, **fields: object) -> None:
        self._log(logging.ERROR, msg, fields, exc_info=True)

    def _log(
        self, level: int, msg: str, fields: dict[str, object], *, exc_info: bool = False
    ) -> None:
        if self._logger.isEnabledFor(level):
            text = " ".join([msg, *(f"{name}={_shown(value)}" for name, value in fields.items())])
            self._logger.log(level, "%s", text, extra=fields, exc_info=exc_info)


def _shown(value: object) -> str:
    """Return a value as text that can neither begin a line nor control a terminal."""
    text = str(value)
    return text if text.isprintable() else ascii(text)
