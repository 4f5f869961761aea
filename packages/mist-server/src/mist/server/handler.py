"""What may be registered for a pattern: an ASGI application, or a function of a request."""

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mist.errors import Code
from mist.server.asgi import ASGIApp, Receive, Scope, Send
from mist.server.errors import ServerError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

Handler = Callable[["Request"], Awaitable["Response"]]

_FORMS: Final = (
    "expected `async def handler(request)` that returns a Response, or an ASGI 3 application,"
    " `async def app(scope, receive, send)`"
)
_OF_REQUEST: Final = 1
_OF_ASGI: Final = 3


def to_asgi(handler: Any) -> tuple[ASGIApp, bool]:
    """Return an ASGI application that does what a handler does, and whether it was one already.

    How many arguments a call needs tells which of the two it is.

    Raises:
        ServerError: It is neither; the text says what to do.
    """
    needed = _arguments_needed(handler)
    if needed == _OF_ASGI:
        return handler, True
    if needed != _OF_REQUEST:
        raise _refused(handler, f"it takes {needed} arguments")
    if not _is_async(handler):
        raise _refused(
            handler,
            "it is not async; declare it `async def`, and let it await"
            " `asyncio.to_thread(...)` for what blocks",
        )
    return _serving_requests(handler), False


def _arguments_needed(handler: object) -> int:
    if not callable(handler):
        raise _refused(handler, "it cannot be called")
    try:
        parameters = inspect.signature(handler).parameters.values()
    except (TypeError, ValueError):
        raise _refused(handler, "its arguments are not known; wrap it in an `async def`") from None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = sum(p.kind in positional and p.default is p.empty for p in parameters)
    if needed == 0 and any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
        raise _refused(handler, "with `*args` alone it could be either; name its arguments")
    return needed


def _is_async(handler: Any) -> bool:
    while isinstance(handler, partial):
        handler = handler.func
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(
        getattr(handler, "__call__", None)  # noqa: B004  # the method itself is looked at
    )


def _serving_requests(handler: Handler) -> ASGIApp:
    from starlette.requests import Request  # noqa: PLC0415  # not before there is a handler

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        response: object = await handler(Request(scope, receive, send))
        if not callable(response):
            raise TypeError(
                f"{handler!r} returned {type(response).__name__}, not a Response; a"
                " starlette.responses.JSONResponse takes what JSON can say"
            )
        await response(scope, receive, send)

    return serve


def _refused(handler: object, why: str) -> ServerError:
    return ServerError(Code.VALIDATION, f"cannot serve {handler!r}: {why}; {_FORMS}")
