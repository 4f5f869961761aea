"""Secrets, and every place where somebody else may read: none of them is there."""

import asyncio
import hmac
import io
import json
import logging
import os
import pickle
import subprocess
import sys
import traceback
import urllib.error
import urllib.request
from pathlib import Path

import msgspec
import pytest
from starlette.responses import PlainTextResponse

import mist.logging
from mist import trace
from mist.config import ConfigError, Secret, decode, explain, load
from mist.errors import Code, MistError
from mist.health import Handler
from mist.protocol import Message
from mist.server import Server
from mist.transport import HTTP, TransportError, dial, with_logging, with_tracing, wrap

SECRET = "hunter2-Zq8"
MESSAGE = Message.new("test", "acme.number", {"number": 1})


def _all_that_tells(error):
    """Return what a log, a debugger or another process would see of an error."""
    seen, told = set(), []
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        told += [str(error), repr(error), repr(getattr(error, "args", ""))]
        told += traceback.format_exception(error)
        error = error.__cause__ or error.__context__
    return "\n".join(told)


@pytest.fixture
async def peer():
    """Serve one raw answer to every connection, and return the server's URL."""
    servers = []

    async def serve(answer):
        async def handle(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            token = head.partition(b"Bearer ")[2].partition(b"\r\n")[0]
            writer.write(answer.replace(b"TOKEN", token))
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield serve
    for server in servers:
        server.close()


ANSWERS = {
    "401": b"HTTP/1.1 401 No\r\nContent-Length: 5\r\n\r\nTOKEN",
    "500": b"HTTP/1.1 500 No\r\n\r\nyour token was TOKEN",
    "redirect": b"HTTP/1.1 302 No\r\nLocation: http://elsewhere/?TOKEN\r\nContent-Length: 0\r\n\r\n",
    "page": b"HTTP/1.1 200 OK\r\n\r\n<html>TOKEN</html>",
    "not-http": b"SSH-2.0 TOKEN\r\n\r\n",
    "bad-header": b"HTTP/1.1 200 OK\r\nTOKEN\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_a_token_is_in_no_error_log_or_span_whatever_the_peer_answers(peer, answer):
    """Not where the peer repeats it, and not in what lies behind the error."""
    out, spans = io.StringIO(), []
    logger = mist.logging.new("test", mist.logging.DEBUG, writer=out)
    handle = trace.add_sink(lambda span: spans.append(repr(span.to_payload())))
    transport = wrap(
        HTTP(await peer(answer), token=SECRET, batch=False),
        with_logging(logger),
        with_tracing(trace),
    )
    try:
        async with transport:
            try:
                await transport.send(MESSAGE)
            except TransportError as exc:
                error = exc
                logger.exception("failed", transport=transport)
    finally:
        handle.remove()
    assert spans
    told = [_all_that_tells(error), out.getvalue(), *spans, repr(transport.inner.inner)]
    told.append(repr(pickle.loads(pickle.dumps(error))))
    assert SECRET not in "\n".join(told)


async def test_a_wrong_token_is_compared_in_constant_time_and_named_nowhere(monkeypatch, caplog):
    """Whatever the scheme, length or place of it; the answer tells neither."""
    caplog.set_level(logging.DEBUG)
    compared = []

    def compare(one, other):
        compared.append((one, other))
        return real(one, other)

    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", compare)
    given = ["Bearer wrong-Zq8", "Basic hunter2-Zq8", "hunter2-Zq8", "Bearer", "", "Bearer \xff"]
    async with HTTP(token=SECRET) as receiver:
        await receiver.listen("127.0.0.1:0")
        for authorization in given:
            reader, writer = await asyncio.open_connection(*receiver.addr.split(":"))
            head = f"POST /mist HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n"
            writer.write(f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode("latin-1"))
            answer = await reader.read()
            writer.close()
            assert answer.startswith(b"HTTP/1.1 401 ")
            assert b"Zq8" not in answer
    assert len(compared) == len(given)
    assert all(other == SECRET.encode() for _, other in compared)
    assert "Zq8" not in caplog.text


@pytest.mark.parametrize(
    "make",
    [
        lambda: dial(f"http://user:{SECRET}@127.0.0.1:1/"),
        lambda: dial(f"http://user:{SECRET}@127.0.0.1:port/"),
        lambda: dial(f"http://user:{SECRET}@[::1/"),
        lambda: dial(f"http://user:{SECRET}@/"),
        lambda: dial(f"http+unix://user:{SECRET}@/run/a.sock"),
        lambda: dial(f"amqp://user:{SECRET}@host/"),
        lambda: HTTP("http://127.0.0.1:1", token=f"{SECRET}\n"),
        lambda: HTTP("http://127.0.0.1:1", token=f"{SECRET}\u20ac"),
    ],
)
def test_a_url_with_a_password_and_a_token_that_is_none_are_refused_without_them(make):
    """What is wrong with them is said; what they are is not."""
    with pytest.raises((TransportError, ValueError)) as caught:
        make()
    assert SECRET not in _all_that_tells(caught.value)


async def test_the_query_of_a_url_is_in_no_error():
    """It may be a key."""
    async with HTTP(f"http://127.0.0.1:1/?key={SECRET}") as sender:
        with pytest.raises(TransportError) as caught:
            await sender.send(MESSAGE)
        assert SECRET not in str(caught.value) + repr(sender)


class Vault(msgspec.Struct):
    """Secrets as configurations have them."""

    password: str
    token: Secret
    api_keys: list[str]
    pin_secret: int
    url: str


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": [SECRET]},
        {"token": {SECRET: 1}},
        {"api_keys": SECRET},
        {"pin_secret": SECRET},
        {"url": {"a": f"https://u:{SECRET}@h"}},
    ],
)
def test_a_wrong_value_where_a_secret_belongs_is_not_shown(wrong):
    """By type, by name, in a list, where a number belongs."""
    good = {"password": SECRET, "token": SECRET, "api_keys": [SECRET], "pin_secret": 1, "url": ""}
    with pytest.raises(ConfigError) as caught:
        decode(good | wrong, Vault)
    assert SECRET not in "\n".join(map(str, caught.value.problems))
    assert SECRET not in str(caught.value)


def test_explain_masks_what_is_secret(tmp_path):
    """From a file, a variable and a URL."""
    file = tmp_path / "app.toml"
    file.write_text(f"password = '{SECRET}'\nurl = 'https://u:{SECRET}@h/'\npin_secret = 1\n")
    env = {"APP_TOKEN": SECRET, "APP_API_KEYS": f'["{SECRET}"]'}
    settings = load(file, "APP", Vault, env=env)
    assert settings.password == settings.token.reveal() == settings.api_keys[0] == SECRET
    assert SECRET not in str(explain(settings))
    assert SECRET not in repr(settings.token) + str(settings.token) + f"{settings.token}"


def _fail():
    raise RuntimeError(f"cannot reach https://u:{SECRET}@h/") from ValueError(f"a://b:{SECRET}@c")


@pytest.mark.parametrize("form", ["json", "text"])
def test_logging_masks_by_name_and_in_urls(form):
    """At any depth, in objects, in exceptions; a name is a secret's whatever joins its words."""
    out = io.StringIO()
    log = mist.logging.new("test", format=form, writer=out)
    headers = {"Authorization": f"Bearer {SECRET}", "X-API-Key": SECRET, "Set-Cookie": SECRET}
    log.info("x", password=SECRET, request={"headers": headers, "list": [headers]})
    log.info("x", url=f"https://u:{SECRET}@h/", settings=Vault(SECRET, Secret(SECRET), [], 1, ""))
    try:
        _fail()
    except RuntimeError:
        log.exception("failed")
    assert out.getvalue().count("\n") == 3
    assert SECRET not in out.getvalue()


async def _get(url):
    def get():
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()

    return await asyncio.to_thread(get)


async def test_what_a_stranger_may_ask_tells_no_exceptions_text(caplog):
    """A failed check of readiness and a handler that raises: a stranger learns that, not why."""
    health = Handler("test", "1.0")

    def failing():
        raise ConnectionError(f"cannot reach postgres://u:{SECRET}@db")

    health.add_check("database", failing)

    async def raising(_request):
        raise RuntimeError(f"cannot reach postgres://u:{SECRET}@db")

    async def caused(_request):
        raise MistError(Code.UNAVAILABLE, "no database") from RuntimeError(SECRET)

    async def hello(_request):
        return PlainTextResponse("hello")

    out = io.StringIO()
    server = Server("127.0.0.1:0", access_log=True, logger=mist.logging.new("test", writer=out))
    for pattern, app in (("/a", raising), ("/b", caused), ("/c", hello)):
        server.handle(pattern, app)
    server.handle("/health", health.readiness())
    async with server:
        told = [await _get(server.url + path) for path in ("/a", "/b", f"/c?k={SECRET}", "/health")]
    assert SECRET not in "\n".join(told)
    assert '"code": "unavailable"' in told[1]
    assert json.loads(told[3])["checks"]["database"]
    assert SECRET not in out.getvalue()  # the traceback's URL is masked, and a query is not logged
    assert SECRET not in caplog.text


def _mist(*words, **variables):
    return subprocess.run(
        [sys.executable, "-m", "mist.command", *words],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", ["send", "listen", "relay", "ping"])
def test_help_does_not_show_what_a_variable_holds(command):
    """It names the variable."""
    variable = f"MIST_{command.upper()}_TOKEN"
    shown = _mist(command, "--help", **{variable: SECRET})
    assert shown.returncode == 0
    assert SECRET not in shown.stdout + shown.stderr
    if command != "relay":
        assert variable in "".join(shown.stdout.split())


@pytest.mark.parametrize(
    "words",
    [
        ["--tokn=" + SECRET, "http://127.0.0.1:1", "--type", "a"],
        [f"http://u:{SECRET}@127.0.0.1:1", "--type", "a"],
        ["http://127.0.0.1:1", "--type", "a", "--token", SECRET],
        ["http://127.0.0.1:1", "--type", "a", "--token", SECRET + "\n"],
        ["messages.jsonl", "--type", "a", "--token", SECRET],
    ],
)
@pytest.mark.parametrize("more", [[], ["--debug"], ["--json"]])
def test_the_command_repeats_no_secret_when_it_fails(words, more, tmp_path):
    """Neither as a line, nor as JSON, nor with the traceback that --debug shows."""
    ended = _mist("send", *words, *more, MIST_SEND_TOKEN="", HOME=str(tmp_path))
    assert ended.returncode not in (0, -1)
    assert SECRET not in ended.stdout + ended.stderr


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="this system has no /proc")
def test_a_token_in_a_variable_is_not_in_the_list_of_processes():
    """That is what the variable is for; on a command line anybody can read it."""
    with subprocess.Popen(
        [sys.executable, "-m", "mist.command", "listen", "127.0.0.1:0"],
        env=os.environ | {"MIST_LISTEN_TOKEN": SECRET},
        stderr=subprocess.PIPE,
        text=True,
    ) as listening:
        try:
            address = listening.stderr.readline()
            assert SECRET not in address
            command_line = Path(f"/proc/{listening.pid}/cmdline").read_text()
            url = address.split()[-1]
            refused = _mist("send", url, "--type", "a", MIST_SEND_TOKEN="another")
            taken = _mist("send", url, "--type", "a", MIST_SEND_TOKEN=SECRET)
        finally:
            listening.terminate()
    assert "mist.command\0listen" in command_line
    assert SECRET not in command_line
    assert (refused.returncode, taken.returncode) == (4, 0)
