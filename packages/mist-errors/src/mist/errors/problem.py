"""An error as HTTP problem details (RFC 9457)."""

from __future__ import annotations

from mist.errors.code import http_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM_MEDIA_TYPE = "application/problem+json"
"""The media type of `MistError.to_problem()` (RFC 9457, section 3)."""

_CLIENT_CLOSED = 499


def problem_details(
    code: str,
    message: str,
    meta: Mapping[str, str],
    retry_after: float | None,
    instance: str | None,
) -> dict[str, object]:
    """The members of RFC 9457, then ours: `code`, and `meta` and `retry_after` if there are any."""
    status = http_status(code)
    problem: dict[str, object] = {
        "type": "about:blank",
        "title": _phrase(status),
        "status": status,
        "detail": message,
    }
    if instance is not None:
        problem["instance"] = instance
    problem["code"] = str(code)
    if meta:
        problem["meta"] = dict(sorted(meta.items()))
    if retry_after is not None:
        problem["retry_after"] = retry_after
    return problem


def _phrase(status: int) -> str:
    """The status's phrase, which is the title that RFC 9457 (4.2.1) wants for `about:blank`."""
    from http import HTTPStatus  # noqa: PLC0415  # only an HTTP server needs it

    # 499 is nginx's, and in no standard.
    return "Client Closed Request" if status == _CLIENT_CLOSED else HTTPStatus(status).phrase
