"""Requests over a real connection: which handler they reach, and what they get where none is."""

import json

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from mist.server import PatternError, Router, ServerError


def says(text):
    """Make a handler that answers with a text and the values of its path."""

    async def handler(request):
        values = request.path_params
        return PlainTextResponse(text + (f" {json.dumps(values)}" if values else ""))

    return handler


async def test_the_values_of_a_path_reach_the_handler(serve, ask):
    """They are decoded, one value to a wildcard, also where they hold a slash."""
    server = await serve(
        {"GET /items/{id}": says("item"), "/files/{owner}/{path...}": says("file")}
    )
    assert (await ask(server, "GET", "/items/a%2Fb%20c")).body == b'item {"id": "a/b c"}'
    answer = await ask(server, "PUT", "/files/me/a/b%2Fc/")
    assert answer.body == b'file {"owner": "me", "path": "a/b/c/"}'


async def test_the_pattern_is_in_the_scope(serve, ask):
    """A middleware around everything sees it once the request is routed, for its labels."""
    seen = []

    def noting(app):
        async def wrapped(scope, receive, send):
            await app(scope, receive, send)
            if scope["type"] == "http":
                seen.append((scope["mist.pattern"], scope["path_params"]))

        return wrapped

    server = await serve({"GET /items/{id}": says("item")}, middleware=[noting])
    await ask(server, "GET", "/items/7?x=1")
    assert seen == [("GET /items/{id}", {"id": "7"})]


async def test_hosts_are_matched_without_port_and_case(serve, ask):
    """A pattern with a host takes precedence over those without."""
    server = await serve(
        {"/": says("any"), "example.com/": says("example"), "[::1]/six": says("six")}
    )
    for host, path, text in [
        ("example.com", "/a", b"example"),
        ("EXAMPLE.com:8080", "/a", b"example"),
        ("example.com.", "/a", b"any"),
        ("www.example.com", "/a", b"any"),
        ("[::1]:80", "/six", b"six"),
    ]:
        assert (await ask(server, "GET", path, host=host)).body == text, host


@pytest.mark.parametrize(
    ("method", "path", "location"),
    [
        ("GET", "//tree//a", "/tree/a"),
        ("GET", "/x/../tree/", "/tree/"),
        ("GET", "/./nowhere", "/nowhere"),
        ("GET", "/tree", "/tree/"),
        ("GET", "/tree?a=1&b=/%20", "/tree/?a=1&b=/%20"),
        ("POST", "/tree", "/tree/"),
        ("GET", "//tree", "/tree/"),
        ("GET", "/exact", "/exact/"),
        ("GET", "/named", "/named/"),
        ("GET", "//evil.example/..//\\evil.example", "/%5Cevil.example"),
        ("GET", "/dir/\\evil.example", "/dir/%5Cevil.example/"),
        ("GET", "//caf%C3%A9/%2F", "/caf%C3%A9/%2F"),
    ],
)
async def test_redirects(serve, ask, method, path, location):
    """As in Go: to the clean path, and to the slash that a subtree's pattern ends with."""
    server = await serve(
        {
            "/tree/": says("tree"),
            "/exact/{$}": says("exact"),
            "/named/{rest...}": says("named"),
            "/dir/{name}/": says("dir"),
        }
    )
    answer = await ask(server, method, path)
    # 307: the method and the body are kept, and no client remembers it for ever.
    assert (answer.status, answer.headers["location"]) == (307, location)
    assert answer.body == b""


async def test_a_pattern_for_the_path_itself_is_not_redirected(serve, ask):
    """Only where nothing matches exactly."""
    server = await serve({"/tree": says("leaf"), "/tree/": says("tree")})
    assert (await ask(server, "GET", "/tree")).body == b"leaf"
    assert (await ask(server, "GET", "/tree/x")).body == b"tree"


async def test_nothing_there_is_404_and_another_method_is_405(serve, ask):
    """Both are problem details; 405 says which methods there are, HEAD with GET."""
    server = await serve(
        {"GET /a": says("a"), "DELETE /a": says("a"), "PUT /a/": says("a"), "h/b": says("b")}
    )
    missing = await ask(server, "GET", "/b")
    assert missing.status == 404
    assert missing.headers["content-type"] == "application/problem+json"
    assert json.loads(missing.body)["code"] == "not_found"
    refused = await ask(server, "POST", "/a")
    assert refused.status == 405
    assert refused.headers["allow"] == "DELETE, GET, HEAD, PUT"
    assert json.loads(refused.body)["title"] == "Method Not Allowed"


async def test_head_is_get_without_its_body(serve, ask):
    """The head is the same, Content-Length included."""
    server = await serve({"GET /a": says("a")})
    get = await ask(server, "GET", "/a")
    head = await ask(server, "HEAD", "/a")
    assert (head.status, head.body) == (200, b"")
    assert head.headers == get.headers
    assert (await ask(server, "HEAD", "/b")).status == 404


async def test_connect_is_not_cleaned_and_a_proxy_is_not_there(serve, ask):
    """As in Go its path is matched as it was sent; host and port instead of a path are 501."""
    server = await serve({"CONNECT /a//b": says("tunnel"), "/": says("any")})
    assert (await ask(server, "CONNECT", "/a//b")).body == b"tunnel"
    assert (await ask(server, "CONNECT", "example.com:443")).status == 501


async def test_what_is_no_path_is_400(serve, ask):
    """`OPTIONS *` is about no path."""
    server = await serve({"/": says("any")})
    assert (await ask(server, "OPTIONS", "*")).status == 400


async def test_a_whole_url_is_served_as_its_path(serve, ask):
    """So proxies ask, and RFC 9112, section 3.2.2, wants it understood."""
    server = await serve({"/a": says("a")})
    assert (await ask(server, "GET", "http://test/a")).body == b"a"


async def test_an_application_that_is_mounted_does_not_see_its_prefix(serve, ask):
    """It has it as its root path, and redirects and links of its own are right."""

    async def item(request):
        return PlainTextResponse(f"{request.path_params['id']} {request.url_for('item', id=8)}")

    inner = Starlette(routes=[Route("/items/{id}", item, name="item")])
    server = await serve()
    server.mount("/api", inner)
    answer = await ask(server, "GET", "/api/items/7", host="test")
    assert answer.body == b"7 http://test/api/items/8"
    assert (await ask(server, "GET", "/api")).headers["location"] == "/api/"
    assert (await ask(server, "GET", "/apis/items/7")).status == 404


async def test_a_router_can_be_mounted_in_a_router(serve, ask):
    """Each knows its part of the path, percent-encoding and redirects included."""
    inner = Router()
    inner.handle("/{$}", says("root"))
    inner.handle("/b/{x}", says("inner"))
    inner.handle("/tree/", says("tree"))
    server = await serve()
    server.mount("/out%20er", inner)
    assert (await ask(server, "GET", "/out%20er/")).body == b"root"
    assert (await ask(server, "GET", "/out%20er/b/c%2Fd")).body == b'inner {"x": "c/d"}'
    assert (await ask(server, "GET", "/out%20er/tree")).headers["location"] == "/out%20er/tree/"


async def test_a_router_can_be_mounted_in_starlette(serve, ask):
    """It is an ASGI application as any other."""
    router = Router()
    router.handle("GET /items/{id}", says("item"))
    router.handle("/tree/", says("tree"))
    server = await serve({"/": Starlette(routes=[Mount("/api", app=router)])})
    assert (await ask(server, "GET", "/api/items/a%2Fb")).body == b'item {"id": "a/b"}'
    assert (await ask(server, "GET", "/api/tree")).headers["location"] == "/api/tree/"
    assert (await ask(server, "GET", "/api/none")).status == 404
    assert (await ask(server, "POST", "/api/items/7")).headers["allow"] == "GET, HEAD"


async def test_a_path_that_is_known_only_decoded_is_routed():
    """ASGI lets a server leave out `raw_path`."""
    router, sent = Router(), []
    router.handle("GET /items/{id}", says("item"))

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/items/a b", "headers": []}
    await router(scope, None, send)
    assert sent[1]["body"] == b'item {"id": "a b"}'


@pytest.mark.parametrize(
    ("root", "path", "raw"),
    [
        # The outer router knows its prefix decoded; sent, it was one segment and not two.
        ("/a/b", "/a/b/items/7", b"/a%2Fb/items/7"),
        # Some servers leave the root path out of the path.
        ("/api", "/items/7", b"/items/7"),
        ("/api/", "/api/items/7", None),
    ],
)
async def test_a_root_path_is_taken_off_however_the_outer_server_spells_it(root, path, raw):
    """What is below it is routed."""
    router, sent = Router(), []
    router.handle("GET /items/{id}", says("item"))

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": raw, "headers": []}
    await router({**scope, "root_path": root}, None, send)
    assert sent[1]["body"] == b'item {"id": "7"}'


async def test_what_is_neither_http_nor_a_websocket_is_an_error_that_says_so():
    """A server that speaks something newer is told what is served here."""
    with pytest.raises(ValueError, match="cannot serve ASGI scope 'webtransport'"):
        await Router()({"type": "webtransport"}, None, None)


async def test_the_host_of_a_connect_is_matched_with_its_port(serve, ask):
    """As in Go: there it is part of what is asked for."""
    server = await serve({"CONNECT test/a": says("tunnel")})
    assert (await ask(server, "CONNECT", "/a", host="test")).body == b"tunnel"
    assert (await ask(server, "CONNECT", "/a", host="test:443")).status == 404


async def test_what_a_server_serves_can_be_served_elsewhere(serve, ask):
    """`server.app` is the whole of it."""
    inner = await serve({"/a": says("a")})
    outer = await serve({"/": inner.app})
    assert (await ask(outer, "GET", "/a")).body == b"a"


@pytest.mark.parametrize("prefix", ["", "/", "/api/", "api", "GET /api", "/{x}", "/a/{$}"])
def test_what_is_no_prefix_is_refused(prefix):
    """A prefix is a path without wildcards and without a slash at its end."""
    with pytest.raises(PatternError) as caught:
        Router().mount(prefix, Starlette())
    assert caught.value.code == "validation"


def test_only_an_application_can_be_mounted():
    """A function of a request has no use for a root path."""
    with pytest.raises(ServerError, match="use handle"):
        Router().mount("/api", says("a"))


async def test_websockets_are_refused_with_a_reason(serve, connect):
    """Whether they come to the server, or to a router under another one."""
    server = await serve({"/": says("any")})
    client = await connect(server)
    await client.send(
        "GET / HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: websocket\n"
        "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n"
    )
    answer = await client.answer()
    assert (answer.status, json.loads(answer.body)["detail"]) == (
        501,
        "websockets are not served here",
    )
    sent = []

    async def send(message):
        sent.append(message)

    await Router()({"type": "websocket", "path": "/"}, None, send)
    assert sent == [
        {"type": "websocket.close", "code": 1003, "reason": "websockets are not served here"}
    ]
