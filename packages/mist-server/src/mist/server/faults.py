"""What becomes of an exception that a handler raises: an answer, and where it is a bug, a log."""

import asyncio
from collections.abc import Awaitable, Mapping
from http import HTTPStatus

from mist.errors import MistError, code_of, http_status
from mist.server.asgi import ASGIApp, ClientGone, Header, Message, Receive, Scope, Send
from mist.server.logger import Log, request_fields
from mist.server.problem import problem_of_status, send_problem


def answering_faults(app: ASGIApp, log: Log) -> ASGIApp:
    """Return an application that answers with problem details where `app` raises.

    - `MistError`: the status of its code, with its message, meta and `retry_after`.
    - Starlette's `HTTPException`: its status, detail and headers.
    - Whatever else, SystemExit and KeyboardInterrupt included: the status of its code (see
      `mist.errors.code_of`), and not a word of its text.

    What answers 500, and what is none of the first two and answers 5xx, is logged with its
    traceback. An exception that comes after the response has begun is passed on, for only the
    server can tell the client that the response is not whole. So is a cancellation.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        began = False

        def note_beginning(message: Message) -> Awaitable[None]:
            nonlocal began
            began = True
            return send(message)

        try:
            await app(scope, receive, note_beginning)
        except BaseException as exc:
            if began or _ends_the_task(exc):
                raise
            if not is_disconnect(exc):
                await _answer(exc, scope, send, log)

    return answer


def _ends_the_task(exc: BaseException) -> bool:
    if isinstance(exc, asyncio.CancelledError):
        # A handler may also raise it by awaiting something else that was cancelled: a failure.
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return isinstance(exc, GeneratorExit)


def is_disconnect(exc: BaseException) -> bool:
    """Tell whether an application ended only because its client is gone."""
    from starlette.requests import ClientDisconnect  # noqa: PLC0415  # not at import time

    return isinstance(exc, (ClientGone, ClientDisconnect))


async def _answer(exc: BaseException, scope: Scope, send: Send, log: Log) -> None:
    problem, headers, expected = _explain(exc)
    status = problem["status"]
    if status == HTTPStatus.INTERNAL_SERVER_ERROR or not expected:
        log.exception("request failed", **request_fields(scope), status=status)  # noqa: LOG004  # called where it is handled
    await send_problem(send, problem, headers)


def _explain(exc: BaseException) -> tuple[dict[str, object], list[Header], bool]:
    """Return the problem, its headers, and whether somebody raised it to be answered with."""
    from starlette.exceptions import HTTPException  # noqa: PLC0415  # not at import time

    if isinstance(exc, MistError):
        return exc.to_problem(), [], True
    if isinstance(exc, HTTPException):
        given: Mapping[str, str] = exc.headers or {}
        headers = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in given.items()]
        return problem_of_status(exc.status_code, exc.detail), headers, True
    retry_after = getattr(exc, "retry_after", None)
    known = isinstance(retry_after, (int, float))
    code = code_of(exc)
    problem = MistError(code, "", retry_after=retry_after if known else None).to_problem()
    del problem["detail"]
    return problem, [], http_status(code) < HTTPStatus.INTERNAL_SERVER_ERROR
