"""Text that would begin a line of its own, control a terminal, or end a field: shown, not obeyed."""

import asyncio
import io
import json
import logging
import os
import re
import subprocess
import sys

import pytest
from starlette.responses import PlainTextResponse

import mist.logging
from mist import trace
from mist.cli import App, Command
from mist.errors import Code, MistError
from mist.health import Handler
from mist.metrics import Registry
from mist.output import Writer
from mist.protocol import Message
from mist.server import Server
from mist.transport import HTTP, Channel, TransportError, with_logging, wrap

# Line ends of every kind, colours, a window's title, a cleared screen, C1 controls, a text that
# runs backwards, a null character, a lone surrogate, and what ends fields of the formats here.
EVIL = (
    'a\nlevel=INFO msg=forged\r\n{"level":"INFO","msg":"forged"}\x1b[31m\x1b]0;title\x07\x1b[2J'
    '\x85\x9b31m\u2028\u2029\u202eevil\u2066\x00\x08\x7f\udcff" } 5 #\\'
)
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class _Terminal(io.StringIO):
    """What says that it is a terminal."""

    encoding = "utf-8"

    def isatty(self):
        return True


class _Raised(Exception):
    """Has a text and a name that are not to be trusted."""

    def __str__(self):
        return EVIL


_Raised.__qualname__ = _Raised.__name__ = "Evil\n\x1b[31m\u2028"


def _fail():
    raise _Raised from _Raised()


def _assert_lines(text, count):
    assert text.count("\n") == count
    assert not OBEYED.search(text), repr(OBEYED.search(text))


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_record_is_one_line_whatever_it_holds(form):
    """In the message, in names, in values at any depth, in exceptions, by the standard library."""
    out = io.StringIO()
    log = mist.logging.new(EVIL, format=form, writer=out)
    log.info(EVIL, **{EVIL: EVIL})
    log.info("x", nested=[EVIL, {EVIL: EVIL}], raw=EVIL.encode("utf-8", "surrogateescape"))
    try:
        _fail()
    except _Raised as exc:
        exc.add_note(EVIL)
        log.exception(EVIL)
    log.stdlib().warning("%s", EVIL, extra={"field": EVIL})
    with mist.logging.bound(request=EVIL):
        log.bind(tenant=EVIL).info("x")
    _assert_lines(out.getvalue(), 5)
    if form == "json":
        assert all(
            json.loads(line)["tool"].startswith("a\nlevel") for line in out.getvalue().splitlines()
        )


@pytest.mark.parametrize("kind", [logging.getLogger, logging.LoggerAdapter])
async def test_a_peers_message_forges_no_line_in_a_log_of_the_standard_library(kind):
    """Its id, type and source come from who sent it, and an error's text from who answered."""
    out = io.StringIO()
    logger = logging.Logger("app", logging.DEBUG)  # noqa: LOG001  # in no hierarchy
    logger.addHandler(logging.StreamHandler(out))
    wanted = logger if kind is logging.getLogger else logging.LoggerAdapter(logger, {})
    clean = EVIL.replace("\udcff", "")
    line = json.dumps({"version": "1", "id": clean, "source": clean, "type": clean,
                       "timestamp_ns": 1, "payload": {}})  # fmt: skip
    channel = wrap(Channel(size=1), with_logging(wanted))
    await channel.send(Message.unmarshal(line.encode()))
    await channel.receive()
    await channel.close()
    with pytest.raises(TransportError):
        await channel.send(Message.unmarshal(line.encode()))
    _assert_lines(out.getvalue(), 3)


@pytest.mark.parametrize("stream", [io.StringIO, _Terminal])
def test_output_shows_what_it_is_given(stream, capsys):
    """Tables and records, drawn and plain; JSON; errors."""
    out = stream()
    for form in ("table", "json"):
        writer = Writer(form, out)
        writer.table([EVIL, "b"], [[EVIL, 1], ["c", EVIL]])
        writer.write({EVIL: EVIL})
        writer.write([{EVIL: EVIL}, {"b": [EVIL]}])
        writer.json({EVIL: EVIL})
        writer.error(EVIL)
    # A terminal's own table has colours, which are ours.
    ours = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()) if stream is _Terminal else out.getvalue()
    assert not OBEYED.search(ours), repr(OBEYED.search(ours))
    assert "\x1b[31m" not in out.getvalue()
    _assert_lines(capsys.readouterr().err, 2)


@pytest.mark.parametrize("argv", [["run"], ["run", "--json"], [EVIL], ["run", f"--{EVIL}"]])
@pytest.mark.parametrize("error", [_Raised(), MistError(Code.AUTH, EVIL, cause=_Raised())])
def test_an_error_of_a_command_is_one_line(argv, error, capsys):
    """Whether the command raises it, or the command line is none."""

    def run(_command, _args):
        raise error

    app = App("tool", "1.0")
    app.add_command(Command("run", "Run", run))
    assert app.execute(argv) != 0
    _assert_lines(capsys.readouterr().err, 1)


async def test_a_peers_answer_is_one_line_of_the_commands_error():
    """In the body, in the reason, in where it redirects to."""
    clean = EVIL.replace("\udcff", "").replace("\n", "").replace("\r", "").replace("\x00", "")
    answers = [
        f"HTTP/1.1 500 {clean}\r\nContent-Type: text/html\r\n\r\n{EVIL}",
        f"HTTP/1.1 302 Found\r\nLocation: http://x/{clean}\r\nContent-Length: 0\r\n\r\n",
        f"{clean}\r\n\r\n",
        f'HTTP/1.1 200 OK\r\n\r\n{{"accepted":0,"rejected":[{{"index":0,"error":"{clean}"}}]}}',
    ]

    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answers[0].encode("utf-8", "surrogateescape"))
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        while answers:
            async with HTTP(url) as sender:
                sent = sender.send(Message.new("test", "a", {}))
                (error,) = await asyncio.gather(sent, return_exceptions=True)
                assert str(error).isprintable(), repr(error)
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "mist.command", "send", url, "--type", "a",
                env=os.environ | {"NO_COLOR": "1"}, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
            _, err = await asyncio.wait_for(process.communicate(), 60)
            _assert_lines(err.decode(), 1 if process.returncode else 0)
            answers.pop(0)


async def test_a_request_is_one_line_of_an_access_log():
    """Its path is quoted, its query is not there, and its headers are nowhere."""
    out = io.StringIO()
    logger = logging.Logger("app", logging.DEBUG)  # noqa: LOG001  # in no hierarchy
    logger.addHandler(logging.StreamHandler(out))

    async def hello(_request):
        return PlainTextResponse("hello")

    server = Server("127.0.0.1:0", access_log=True, logger=logger)
    server.handle("/", hello)
    async with server:
        paths = ["/%0a%0dforged", "/%1b[31m", "/\\x1b%5b2J", "/%e2%80%a8", "/?%0aforged", "/%00"]
        for path in paths:
            reader, writer = await asyncio.open_connection(*server.addr.split(":"))
            head = f"GET {path} HTTP/1.1\r\nHost: \x9b\r\nUser-Agent: \x9b2J\r\nConnection: close"
            writer.write(head.encode("latin-1") + b"\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
            writer.close()
    _assert_lines(out.getvalue(), len(paths))
    assert "forged " in out.getvalue()
    assert "?" not in out.getvalue()


def test_a_label_ends_no_line_of_the_exposition():
    """Prometheus's text escapes what would; the JSON is JSON."""
    pytest.importorskip("prometheus_client")
    from prometheus_client import CollectorRegistry, generate_latest

    registry = Registry()
    clean = EVIL.replace("\udcff", "")
    registry.counter("jobs", queue=clean).add(3)
    collected = CollectorRegistry()
    collected.register(registry.collector())
    text = generate_latest(collected).decode()
    samples = [line for line in text.split("\n") if line and not line.startswith("#")]
    assert len(samples) == 1
    assert samples[0].startswith('jobs_total{queue="a\\nlevel=INFO msg=forged')
    assert samples[0].endswith("} 3.0")
    json.loads(registry.snapshot().to_json())


def test_what_cannot_be_a_header_is_in_none():
    """An id that came from outside, and a state that did, are put out as they should be."""
    headers = {"traceparent": EVIL, "tracestate": f"a={EVIL}"}
    with trace.extract_http(headers, "op") as span:
        span.set_attr("evil", EVIL)
        out = {}
        trace.inject_http(out)
    assert all(value.isprintable() and value.isascii() for value in out.values())
    assert "forged" not in str(out)


async def test_a_check_that_fails_is_one_line_of_a_probe():
    """For whoever may see what exceptions say."""
    health = Handler("test", "1.0")

    def failing():
        raise _Raised

    health.add_check("db", failing)
    sent = []

    async def send(event):
        sent.append(event)

    async def receive():
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    await health.readiness()(scope, receive, send)
    body = b"".join(event.get("body", b"") for event in sent)
    problem = json.loads(body)["checks"]["db"]
    assert problem.isprintable()
