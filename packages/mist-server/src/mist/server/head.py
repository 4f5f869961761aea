"""What is wrong with a request, judged by its head alone."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from mist.server.asgi import Header

MAX_HEAD: Final = 64 << 10
"""The most that a head may have, in bytes."""

Refusal = tuple[HTTPStatus, str]

HEAD_TOO_LARGE: Final[Refusal] = (
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"a head has at most {MAX_HEAD} bytes",
)


def judge_head(
    method: str,
    url: bytes,
    headers: Sequence[Header],
    *,
    is_1_1: bool,
    is_upgrade: bool,
    max_body_size: int,
) -> Refusal | None:
    """Return why a request is refused, or None where it is not."""
    size, hosts, length, has_body, upgrade = len(url), 0, 0, False, b""
    for name, value in headers:
        size += len(name) + len(value)
        if name == b"host":
            hosts += 1
        elif name == b"content-length":
            # The parser bounds the number, and not the zeros before it, which int() would count.
            length, has_body = int(value.lstrip(b"0") or b"0"), True
        elif name == b"transfer-encoding":
            has_body = True
        elif name == b"upgrade":
            upgrade = value.lower()
    if length > max_body_size:
        return too_large(max_body_size)
    if size > MAX_HEAD:
        return HEAD_TOO_LARGE
    if hosts > 1 or (is_1_1 and not hosts):
        # Demanded by RFC 9112, section 3.2.
        return HTTPStatus.BAD_REQUEST, "a request has one Host header"
    if method == "CONNECT" and not url.startswith(b"/"):
        return HTTPStatus.NOT_IMPLEMENTED, "this server is no proxy"
    return _judge_upgrade(upgrade, has_body=has_body) if is_upgrade else None


def too_large(max_body_size: int) -> Refusal:
    """Return the refusal of a body that is larger than allowed."""
    return (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body is over the limit of {max_body_size} bytes",
    )


def _judge_upgrade(upgrade: bytes, *, has_body: bool) -> Refusal | None:
    """Refuse what asks for another protocol, unless it can be served without."""
    if upgrade == b"websocket":
        return HTTPStatus.NOT_IMPLEMENTED, "websockets are not served here"
    if has_body:
        return HTTPStatus.NOT_IMPLEMENTED, "a request with a body is served without Upgrade only"
    return None
