"""The access log: one line for each request, whatever becomes of it."""

# ruff: noqa: ARG001, ARG002  # handlers and loggers take what they are given

import asyncio
import logging

import pytest
from starlette.responses import PlainTextResponse, StreamingResponse


async def hello(request):
    """Answer."""
    return PlainTextResponse("hello")


async def lines(logger, count):
    """Wait for lines, and return their fields."""
    async with asyncio.timeout(5):
        while len(logger.of("info")) < count:
            await asyncio.sleep(0.01)
    return [fields for _, fields in logger.of("info")]


async def test_a_line_has_what_an_operator_asks_for(serve, ask, logger):
    """Through any logger that takes fields; the query, which may hold secrets, is not in it."""
    server = await serve({"GET /items/{id}": hello}, logger=logger, access_log=True)
    await ask(server, "GET", "/items/a%20b?token=secret")
    await ask(server, "HEAD", "/items/7")
    await ask(server, "POST", "/items/7", body=b"x" * 10)
    got, head, refused = await lines(logger, 3)
    assert list(got) == ["method", "path", "status", "duration_ms", "bytes", "client"]
    assert (got["method"], got["path"]) == ("GET", "/items/a%20b")
    assert (got["status"], got["bytes"]) == (200, 5)
    assert 0 < got["duration_ms"] < 1000
    assert got["client"].startswith("127.0.0.1:")
    assert (head["status"], head["bytes"]) == (200, 0)
    assert refused["status"] == 405
    assert {level for level, _, _ in logger.lines} == {"info"}


async def test_it_is_off_unless_asked_for(serve, ask, logger, capfd):
    """And nothing is printed by anybody else."""
    server = await serve({"/": hello}, logger=logger)
    await ask(server, "GET", "/")
    await server.shutdown()
    assert logger.lines == []
    assert capfd.readouterr() == ("", "")


async def test_requests_that_are_refused_or_cut_off_are_in_it(serve, connect, logger):
    """With the status that was sent, or 499 where the client went away before."""

    async def wait(request):
        await asyncio.sleep(60)

    async def parts():
        yield b"12345"
        await asyncio.sleep(60)

    async def stream(request):
        return StreamingResponse(parts())

    options = {"max_body_size": 10, "shutdown_timeout": 0.1, "access_log": True}
    server = await serve({"/wait": wait, "/stream": stream, "/": hello}, logger=logger, **options)
    client = await connect(server)
    await client.send("POST / HTTP/1.1\nHost: x\nContent-Length: 11\n\n")
    assert (await client.answer()).status == 413
    for path in ("/wait", "/stream"):
        client = await connect(server)
        await client.send(f"GET {path} HTTP/1.1\nHost: x\n\n")
    await asyncio.sleep(0.1)
    await server.shutdown()
    found = {fields["path"]: fields for fields in await lines(logger, 3)}
    assert found["/"]["status"] == 413
    assert (found["/wait"]["status"], found["/wait"]["bytes"]) == (499, 0)
    assert (found["/stream"]["status"], found["/stream"]["bytes"]) == (200, 5)


@pytest.mark.parametrize("kind", [logging.getLogger, logging.LoggerAdapter])
async def test_a_logger_of_the_standard_library_gets_text_and_extra(serve, ask, caplog, kind):
    """No path can forge a line."""
    logger = logging.getLogger("acme")
    if kind is logging.LoggerAdapter:
        logger = logging.LoggerAdapter(logger, {})
    server = await serve({"/": hello}, logger=logger, access_log=True)
    with caplog.at_level(logging.INFO, "acme"):
        await ask(server, "GET", "/a%0Ab%0D%1B[31m")
        await server.shutdown()
    (record,) = [r for r in caplog.records if r.name == "acme"]
    text = record.getMessage()
    assert text.startswith("request method=GET path=/a%0Ab%0D%1B%5B31m status=200 ")
    assert text.isprintable()
    if kind is logging.getLogger:
        assert (record.status, record.bytes) == (200, 5)


async def test_a_logger_that_fails_costs_no_request(serve, ask, caplog):
    """It is said once for each line, to the standard library."""

    class Broken:
        def info(self, msg, **fields):
            raise ValueError("disk full")

        debug = warning = exception = info

    async def failing(request):
        raise ValueError

    server = await serve({"/": hello, "/fail": failing}, logger=Broken(), access_log=True)
    assert (await ask(server, "GET", "/")).body == b"hello"
    assert (await ask(server, "GET", "/fail")).status == 500
    assert {record.getMessage() for record in caplog.records} == {"the server's logger fails"}


async def test_a_unix_socket_has_no_client_address(serve, ask, logger, tmp_path):
    """The field is there, and empty."""
    server = await serve(
        {"/": hello}, addr=f"unix:{tmp_path}/server.sock", logger=logger, access_log=True
    )
    await ask(server, "GET", "/")
    assert (await lines(logger, 1))[0]["client"] == ""
