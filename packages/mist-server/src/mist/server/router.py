"""The router: an ASGI application that hands each request to the handler of its pattern."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload
from urllib.parse import quote, unquote

from mist.errors import Code
from mist.server.asgi import ASGIApp, Header, Middleware, Receive, Scope, Send
from mist.server.errors import PatternError
from mist.server.faults import answering_faults
from mist.server.handler import to_asgi
from mist.server.lifespan import Lifespan, run_lifespans
from mist.server.logger import Log
from mist.server.pattern import clean_path, parse
from mist.server.problem import problem_of_status, send_problem
from mist.server.table import Match, Table

if TYPE_CHECKING:
    import logging

    from mist.server.handler import Handler
    from mist.server.logger import Logger

H = TypeVar("H", bound="Handler | ASGIApp")

# What may stand in a path as it is; all else, such as a backslash, which browsers take for a
# slash, is percent-encoded.
_SAFE: Final = "/%:@!$&'()*+,;=~"
_ANY_HOST: Final = ""
_WEBSOCKET_UNSUPPORTED: Final = 1003


@dataclass(frozen=True, slots=True)
class _Target:
    """What a pattern leads to."""

    app: ASGIApp
    prefix: str = ""
    lifespan: Lifespan | None = None


class Router:
    """An ASGI 3 application that routes by patterns as of Go 1.22's `http.ServeMux`.

    A pattern is `[METHOD ][HOST]/[PATH]`. `{name}` in the path stands for one segment,
    `{name...}` for the rest, a path that ends with a slash for all that is below it, and `{$}` at
    the end for that slash alone. GET is for HEAD, too. Of several patterns that match a request,
    the most specific takes it, in whatever order they were registered.

    What a handler raises becomes an answer of problem details (RFC 9457), see `MistError`.

    Args:
        middleware: Functions from an ASGI application to one, the outermost first.
        logger: Where failures of handlers are logged; the standard library's `mist.server`
            where there is none.
    """

    def __init__(
        self,
        *,
        middleware: Iterable[Middleware] = (),
        logger: "Logger | logging.Logger | logging.LoggerAdapter[Any] | None" = None,
    ) -> None:
        self._log = Log(logger)
        self._table: Table[_Target] = Table()
        self._lifespans: dict[int, Lifespan] = {}
        layers = tuple(middleware)
        self._app: ASGIApp = self._serve
        for layer in reversed(layers):
            self._app = layer(self._app)
        self._http = answering_faults(self._app, self._log) if layers else self._route

    @overload
    def handle(self, pattern: str, app: None = None) -> Callable[[H], H]: ...

    @overload
    def handle(self, pattern: str, app: "Handler | ASGIApp") -> None: ...

    def handle(
        self, pattern: str, app: "Handler | ASGIApp | None" = None
    ) -> Callable[[H], H] | None:
        """Register what serves a pattern's requests; without it, return a decorator that does.

        The values of wildcards are `request.path_params`, and `scope["path_params"]`; the pattern
        itself is `scope["mist.pattern"]`.

        Args:
            pattern: Such as `GET /items/{id}`, `/files/{path...}`, `example.com/`.
            app: `async def (Request) -> Response`, with the classes of Starlette, or an ASGI 3
                application, which sees the whole path.

        Raises:
            PatternError: It is no pattern, or conflicts with another.
            ServerError: `app` is neither of the two.
        """
        if app is None:
            return partial(self._handle_decorated, pattern)
        asgi, is_own = to_asgi(app)
        lifespan = self._lifespan_of(asgi) if is_own else None
        target = _Target(answering_faults(asgi, self._log), lifespan=lifespan)
        self._table.add(parse(pattern), target)
        if lifespan is not None:
            self._lifespans[id(app)] = lifespan
        return None

    def mount(self, prefix: str, app: ASGIApp) -> None:
        """Register an application for all paths below a prefix, which it does not see.

        It finds the prefix in `scope["root_path"]`, as ASGI has it.

        Args:
            prefix: Such as `/api`, or `example.com/api`: without a slash at its end.
            app: An ASGI 3 application, such as one of FastAPI; its lifespan is run, too.

        Raises:
            PatternError: It is no prefix, or conflicts with a pattern.
            ServerError: `app` is no ASGI application.
        """
        pattern = parse(f"{prefix}/")
        if pattern.method or pattern.names or len(pattern.segments) == 1:
            raise PatternError(
                Code.VALIDATION,
                f"cannot mount at {prefix!r}: expected '[HOST]/PATH', without method and wildcards",
            )
        asgi, is_own = to_asgi(app)
        if not is_own:
            raise PatternError(
                Code.VALIDATION, f"cannot mount {app!r}: it is no ASGI application; use handle"
            )
        lifespan = self._lifespan_of(asgi)
        path = "".join(f"/{segment.text}" for segment in pattern.segments[:-1])
        self._table.add(pattern, _Target(answering_faults(asgi, self._log), path, lifespan))
        self._lifespans[id(app)] = lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the lifespan of the applications that are registered."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _handle_decorated(self, pattern: str, app: H) -> H:
        self.handle(pattern, app)
        return app

    def _lifespan_of(self, app: ASGIApp) -> Lifespan:
        """Return the one lifespan of an application that may be registered several times."""
        return self._lifespans.get(id(app)) or Lifespan(app)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._route(scope, receive, send)
            case "lifespan":
                await run_lifespans(self._lifespans.values(), receive, send)
            case "websocket":
                reason = "websockets are not served here"
                await send(
                    {"type": "websocket.close", "code": _WEBSOCKET_UNSUPPORTED, "reason": reason}
                )
            case other:
                raise ValueError(f"cannot serve ASGI scope {other!r}: expected 'http'")

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        method: str = scope["method"]
        sent = _path_below_root(scope)
        if not sent.startswith("/"):
            await send_problem(send, problem_of_status(HTTPStatus.BAD_REQUEST, "this is no path"))
            return
        path = sent if method == "CONNECT" else clean_path(sent)
        host = _host(scope) if self._table.knows_hosts else _ANY_HOST
        found = self._table.find(method, host, path)
        if (found is None or not found.exact) and not path.endswith("/"):
            below = self._table.find(method, host, path + "/")
            if below is not None and below.exact:
                await _redirect(scope, send, path + "/")
                return
        if path != sent:
            await _redirect(scope, send, path)
        elif found is not None:
            await _enter(found, scope, receive, send)
        else:
            await self._refuse(host, path, send)

    async def _refuse(self, host: str, path: str, send: Send) -> None:
        methods = self._table.methods(host, path)
        if not path.endswith("/"):
            methods |= self._table.methods(host, path + "/")
        if not methods:
            await send_problem(
                send, problem_of_status(HTTPStatus.NOT_FOUND, "nothing is served at this path")
            )
            return
        allowed = ", ".join(sorted(methods))
        await send_problem(
            send,
            problem_of_status(HTTPStatus.METHOD_NOT_ALLOWED, f"this path is served for {allowed}"),
            [(b"allow", allowed.encode())],
        )


async def _enter(found: Match[_Target], scope: Scope, receive: Receive, send: Send) -> None:
    target = found.entry.target
    scope["mist.pattern"] = found.entry.pattern.text
    values: dict[str, Any] = dict(zip(found.entry.names, found.values, strict=True))
    scope["path_params"] = scope["path_params"] | values if "path_params" in scope else values
    if target.prefix or (target.lifespan is not None and target.lifespan.state):
        state = target.lifespan.state if target.lifespan is not None else {}
        scope = {
            **scope,
            "root_path": scope.get("root_path", "") + target.prefix,
            "state": {**scope.get("state", {}), **state},
        }
    await target.app(scope, receive, send)


def _path_below_root(scope: Scope) -> str:
    """Return the path as it was sent, without what an outer router has dealt with."""
    raw: bytes | None = scope.get("raw_path")
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if not root or root == "/":
        return _encoded(path) if raw is None else raw.decode("latin-1")
    root = root.rstrip("/")
    if not path.startswith(root):
        return _encoded(path)
    if raw is not None:
        depth = root.count("/")
        parts = raw.decode("latin-1").split("/")
        if unquote("/".join(parts[: depth + 1])) == root:
            return "/" + "/".join(parts[depth + 1 :])
    return _encoded(path[len(root) :] or "/")


def _encoded(path: str) -> str:
    """Return a decoded path with percent-encoding again."""
    return quote(path, safe=_SAFE.replace("%", ""))


def _host(scope: Scope) -> str:
    """Return the request's host in lower case; without its port, CONNECT aside."""
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    text: str = host.decode("latin-1").lower()
    if scope["method"] == "CONNECT":
        return text
    name, colon, port = text.rpartition(":")
    return name if (colon and port.isdigit()) or not port else text


async def _redirect(scope: Scope, send: Send, path: str) -> None:
    root = _encoded(scope.get("root_path", "").rstrip("/"))
    location = root + quote(path, safe=_SAFE)
    if query := scope.get("query_string", b""):
        location += "?" + quote(query, safe=_SAFE + "?")
    headers: list[Header] = [(b"location", location.encode()), (b"content-length", b"0")]
    await send(
        {
            "type": "http.response.start",
            # Not 301 or 308: the method is kept, and no client remembers it for ever.
            "status": HTTPStatus.TEMPORARY_REDIRECT.value,
            "headers": headers,
        }
    )
    await send({"type": "http.response.body", "body": b""})
