"""Which HTTP requests are let in, judged by their head alone, before a byte of body is read."""

import hmac
from collections.abc import Mapping, MutableMapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from mist.transport.http.batch import JSON, NDJSON

Scope = MutableMapping[str, Any]
Header = tuple[bytes, bytes]

_BATCH_TYPES: Final = frozenset({NDJSON, "application/ndjson", "application/jsonl"})
_ALLOW: Final[Header] = (b"allow", b"POST, OPTIONS")


class Refused(Exception):
    """The request is answered with this status, and nothing of it is taken."""

    def __init__(self, status: HTTPStatus, reason: str, *headers: Header) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason
        self.headers = headers


class Gate:
    """Lets in what is posted to the right place, by whoever may post there."""

    def __init__(
        self, *, path: str, token: str | None, batch: bool, allow_origins: frozenset[str]
    ) -> None:
        self._path = path
        self._credentials = None if token is None else token.encode()
        self._batch = batch
        self._allow_origins = allow_origins

    def admit(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
        """Let a request in, and tell whether it brings a batch.

        Raises:
            Refused: It stays outside.
        """
        if not self._is_addressed(scope):
            raise Refused(HTTPStatus.NOT_FOUND, f"messages are taken at {self._path}")
        if scope["method"] != "POST":
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "post a message", _ALLOW)
        if self._credentials is not None:
            self._authorize(self._credentials, headers.get(b"authorization", b""))
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise Refused(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "send the body without Content-Encoding",
                (b"accept-encoding", b"identity"),
            )
        if headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            # What is left when the chunks are put together is still encoded.
            raise Refused(
                HTTPStatus.NOT_IMPLEMENTED, "send the body with no Transfer-Encoding but chunked"
            )
        content_type = headers.get(b"content-type", b"").decode("latin-1")
        if content_type.partition(";")[0].strip().lower() not in _BATCH_TYPES:
            # What else it calls itself does not matter: it has to be a message.
            return False
        if not self._batch:
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"post one message, as {JSON}")
        return True

    def foreign_origin(self, headers: Mapping[bytes, bytes]) -> str:
        """Return the origin of the page that posts, or nothing when it is our own or no page.

        Any page that somebody looks at can post to a listener on their machine. So only pages
        of the listener's own origin may, and those of the origins that were allowed. An origin
        whose host is a name is not known to be our own: whoever holds the name can have it lead
        here once the page is loaded (DNS rebinding).

        Raises:
            Refused: The page's origin was not allowed.
        """
        origin = headers.get(b"origin", b"").decode("latin-1")
        if not origin:
            return ""
        if origin in self._allow_origins or "*" in self._allow_origins:
            return origin
        authority = origin.partition("://")[2]
        if authority == headers.get(b"host", b"").decode("latin-1") and _is_address(authority):
            return ""
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "pages of this origin may not post here, unless it is in the listener's allow_origins",
        )

    def _is_addressed(self, scope: Scope) -> bool:
        """Tell whether the path is ours, or a router has sent the request here all the same."""
        path: str = scope["path"]
        if path == self._path or "endpoint" in scope:
            return True
        root: str = scope.get("root_path", "").rstrip("/")
        return bool(root) and path.removeprefix(root) in {"", "/", self._path}

    @staticmethod
    def _authorize(credentials: bytes, authorization: bytes) -> None:
        scheme, _, given = authorization.partition(b" ")
        # Compared in constant time whatever the scheme, so that nothing is told by the clock.
        if not hmac.compare_digest(given.strip(), credentials) or scheme.lower() != b"bearer":
            raise Refused(
                HTTPStatus.UNAUTHORIZED,
                "no token, or the wrong one",
                (b"www-authenticate", b'Bearer realm="mist"'),
            )


def _is_address(authority: str) -> bool:
    """Tell whether the host of a URL's authority is an address or `localhost`, and no other name."""
    try:
        host = urlsplit(f"//{authority}").hostname
        return host == "localhost" or bool(ip_address(host or ""))
    except ValueError:
        return False


def allowed_methods(origin: str) -> list[Header]:
    """Return the headers that answer an OPTIONS request, a page's preflight included."""
    if not origin:
        return [_ALLOW]
    return [
        _ALLOW,
        *allowed_origin(origin),
        (b"access-control-allow-methods", b"POST"),
        (
            b"access-control-allow-headers",
            b"authorization, content-type, traceparent, tracestate",
        ),
        (b"access-control-max-age", b"600"),
    ]


def allowed_origin(origin: str) -> list[Header]:
    """Return the headers that let a page of a foreign origin read the answer."""
    if not origin:
        return []
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        # Without this, a page sees neither that batches are taken nor when to come back.
        (b"access-control-expose-headers", b"Accept-Post, Retry-After"),
        (b"vary", b"Origin"),
    ]
