"""Answers that say what is wrong: problem details, as of RFC 9457."""

import json
import math
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from mist.errors import PROBLEM_MEDIA_TYPE, Code
from mist.server.asgi import Header, Send

_CODES: Final[Mapping[int, Code]] = {
    400: Code.PROTOCOL,
    401: Code.AUTH,
    403: Code.AUTH,
    404: Code.NOT_FOUND,
    408: Code.TIMEOUT,
    409: Code.CONFLICT,
    429: Code.RATE_LIMIT,
    501: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.TIMEOUT,
}
_BODILESS: Final = frozenset({HTTPStatus.NO_CONTENT.value, HTTPStatus.NOT_MODIFIED.value})


def problem_of_status(status: int, detail: str) -> dict[str, object]:
    """Return the problem that a status stands for, with the standard code that is nearest."""
    code = _CODES.get(
        status, Code.VALIDATION if status < HTTPStatus.INTERNAL_SERVER_ERROR else Code.INTERNAL
    )
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Unknown"
    return {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": str(code),
    }


def encode_problem(
    problem: Mapping[str, Any], headers: Iterable[Header] = ()
) -> tuple[int, list[Header], bytes]:
    """Return the status, headers and body of the answer that a problem makes."""
    status: int = problem["status"]
    own = list(headers)
    if status in _BODILESS or status < HTTPStatus.OK:
        return status, own, b""
    names = {name for name, _ in own}
    retry_after = problem.get("retry_after")
    if retry_after is not None and not math.isfinite(retry_after):
        # Neither the header nor JSON has a word for never.
        problem = {name: value for name, value in problem.items() if name != "retry_after"}
        retry_after = None
    if retry_after is not None and b"retry-after" not in names:
        own.append((b"retry-after", b"%d" % max(0, math.ceil(retry_after))))
    if status == HTTPStatus.UNAUTHORIZED and b"www-authenticate" not in names:
        own.append((b"www-authenticate", b"Bearer"))  # demanded by RFC 9110, section 15.5.2
    body = _encode(problem)
    own.append((b"content-type", PROBLEM_MEDIA_TYPE.encode()))
    own.append((b"content-length", b"%d" % len(body)))
    return status, own, body


def _encode(problem: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(problem, default=str, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        # Members that JSON has no form for, such as one with NaN in it, are told as text.
        text = json.dumps(
            {name: v if isinstance(v, (str, int)) else str(v) for name, v in problem.items()}
        )
    return text.encode()


async def send_problem(
    send: Send, problem: Mapping[str, Any], headers: Iterable[Header] = ()
) -> None:
    """Answer with a problem."""
    status, own, body = encode_problem(problem, headers)
    await send({"type": "http.response.start", "status": status, "headers": own})
    await send({"type": "http.response.body", "body": body})


def raw_problem(status: HTTPStatus, reason: str, headers: Iterable[Header]) -> bytes:
    """Return an answer to somebody of whom there is no request, as it is sent."""
    problem = problem_of_status(status, reason)
    _, own, body = encode_problem(problem, [*headers, (b"connection", b"close")])
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    lines += [name + b": " + value for name, value in own]
    return b"\r\n".join([*lines, b"", body])
