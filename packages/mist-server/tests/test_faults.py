"""What a handler raises, and what of it reaches the client and the log."""

# ruff: noqa: ARG001, ARG005  # handlers take what they are given

import asyncio
import json
import logging

import pytest
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, StreamingResponse

from mist.errors import Code, MistError


def raising(exc):
    """Make a handler that raises."""

    async def handler(request):
        raise exc

    return handler


class Foreign(Exception):
    """An error of another package, with a standard code."""

    code = "unavailable"
    retry_after = 1.2


async def problem_of(serve, ask, handler, **options):
    """Return the answer and its problem details."""
    server = await serve({"/": handler}, **options)
    answer = await ask(server, "GET", "/")
    assert answer.headers["content-type"] == "application/problem+json"
    assert b"NaN" not in answer.body  # which Python would read, though it is no JSON
    problem = json.loads(answer.body)
    assert problem["status"] == answer.status
    assert problem["type"] == "about:blank"
    return answer, problem


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (Code.INTERNAL, 500),
        (Code.TIMEOUT, 504),
        (Code.CANCELLED, 499),
        (Code.TRANSPORT, 500),
        (Code.PROTOCOL, 500),
        (Code.VALIDATION, 400),
        (Code.NOT_FOUND, 404),
        (Code.UNAVAILABLE, 503),
        (Code.RATE_LIMIT, 429),
        (Code.AUTH, 401),
        (Code.CONFLICT, 409),
        ("of-my-own", 500),
    ],
)
async def test_a_mist_error_is_a_problem_with_the_status_of_its_code(serve, ask, code, status):
    """Its message and meta are for the client; its cause is not."""
    error = MistError(code, "what went wrong", meta={"item": "7"}, cause=ValueError("secret"))
    answer, problem = await problem_of(serve, ask, raising(error))
    assert answer.status == status
    assert (problem["code"], problem["detail"]) == (code, "what went wrong")
    assert problem["meta"] == {"item": "7"}
    assert b"secret" not in answer.body
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_retry_after_is_a_header_of_whole_seconds(serve, ask):
    """Rounded up: nobody is asked to come too early."""
    error = MistError(Code.RATE_LIMIT, "slow down", retry_after=2.1)
    answer, problem = await problem_of(serve, ask, raising(error))
    assert answer.headers["retry-after"] == "3"
    assert problem["retry_after"] == 2.1


async def test_an_exception_with_a_standard_code_has_its_status_and_keeps_its_text(serve, ask):
    """Whichever package it is of; what it says may be about the inside."""
    answer, problem = await problem_of(serve, ask, raising(Foreign("host 10.0.0.7 is down")))
    assert (answer.status, problem["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "2"
    assert "detail" not in problem
    assert b"10.0.0.7" not in answer.body


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("secret"), 500),
        (TimeoutError("secret"), 504),
        (SystemExit("secret"), 500),
        (KeyboardInterrupt("secret"), 499),
        (ExceptionGroup("secret", [MistError("conflict", "secret")]), 409),
        (type("Unprintable", (Exception,), {"__str__": lambda self: 1 / 0})(), 500),
    ],
)
async def test_of_any_other_exception_the_client_learns_its_status_alone(
    serve, ask, logger, error, status
):
    """The server goes on, and the log has all of it."""
    server = await serve({"/": raising(error), "/well": PlainTextResponse("well")}, logger=logger)
    answer = await ask(server, "GET", "/")
    assert answer.status == status
    assert b"secret" not in answer.body
    assert b"Traceback" not in answer.body
    assert "detail" not in json.loads(answer.body)
    assert len(logger.of("exception")) == (status >= 500)
    assert (await ask(server, "GET", "/well")).body == b"well"


async def test_a_failure_is_logged_with_its_traceback(serve, ask, caplog):
    """To the standard library's logger `mist.server`, where no other was given."""
    server = await serve({"/": raising(ValueError("details"))})
    with caplog.at_level(logging.DEBUG):
        await ask(server, "GET", "/a?token=secret")
    (record,) = [r for r in caplog.records if r.name == "mist.server"]
    assert record.getMessage() == "request failed method=GET path=/a status=500"
    assert record.exc_info[0] is ValueError
    assert record.path == "/a"


async def test_an_expected_failure_is_not_logged(serve, ask, logger):
    """Who raises a MistError or HTTPException with a status of its own means the client."""
    for error in (MistError("unavailable", "later"), HTTPException(503), MistError("auth", "no")):
        await problem_of(serve, ask, raising(error), logger=logger)
    assert logger.lines == []


async def test_starlettes_http_exception_keeps_status_detail_and_headers(serve, ask):
    """With the nearest of the standard codes."""
    error = HTTPException(405, "read only", {"Allow": "GET", "X-Reason": "frozen"})
    answer, problem = await problem_of(serve, ask, raising(error))
    assert (answer.status, problem["detail"]) == (405, "read only")
    assert (answer.headers["allow"], answer.headers["x-reason"]) == ("GET", "frozen")
    assert problem["code"] == "validation"
    answer, problem = await problem_of(serve, ask, raising(HTTPException(599, "odd")))
    assert (problem["title"], problem["code"]) == ("Unknown", "internal")
    server = await serve({"/": raising(HTTPException(304))})
    assert (await ask(server, "GET", "/")).status == 304


async def test_a_failure_after_the_response_began_cuts_it_off(serve, connect, logger):
    """The client sees that the response is not whole, and nothing else is mixed into it."""

    async def parts():
        yield b"first"
        await asyncio.sleep(0)
        raise ValueError("secret")

    async def handler(request):
        return StreamingResponse(parts())

    server = await serve({"/": handler}, logger=logger)
    client = await connect(server)
    await client.send("GET / HTTP/1.1\nHost: x\n\n")
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await client.answer()
    assert [msg for msg, _ in logger.of("exception")] == ["request failed"]


async def test_a_failure_before_anything_was_sent_is_still_500(serve, ask):
    """A response that was announced only has not begun for the client."""

    async def app(scope, receive, send):
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        raise ValueError("secret")

    server = await serve({"/": app})
    assert (await ask(server, "GET", "/")).status == 500


@pytest.mark.parametrize(
    "events",
    [
        [],
        [{"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}],
    ],
)
async def test_an_application_that_does_not_answer_is_500(serve, ask, logger, events):
    """The client does not wait for what never comes."""

    async def app(scope, receive, send):
        for event in events:
            await send(event)

    server = await serve({"/": app}, logger=logger)
    assert (await ask(server, "GET", "/")).status == 500
    assert [msg for msg, _ in logger.of("warning")] == ["response is not whole"]


async def test_a_response_that_does_not_keep_its_length_is_cut_off(serve, connect, logger):
    """Shorter or longer: the client is not left with what looks whole."""

    async def app(scope, receive, send):
        headers = [(b"content-length", b"10")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"short"})

    server = await serve({"/": app}, logger=logger)
    client = await connect(server)
    await client.send("GET / HTTP/1.1\nHost: x\n\n")
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await client.answer()
    assert len(logger.of("exception")) == 1


async def test_a_cancellation_from_elsewhere_is_a_failure(serve, ask):
    """A handler that awaits something that was cancelled has not been cancelled itself."""

    async def handler(request):
        other = asyncio.create_task(asyncio.sleep(60))
        other.cancel()
        await other

    server = await serve({"/": handler, "/well": PlainTextResponse("well")})
    assert (await ask(server, "GET", "/")).status == 499
    assert (await ask(server, "GET", "/well")).status == 200


async def test_a_middleware_that_fails_is_answered_for_too(serve, ask, logger):
    """There is no layer whose failure reaches the client as text."""

    def broken(app):
        async def wrapped(scope, receive, send):
            if scope["type"] == "http":
                raise ValueError("secret")
            await app(scope, receive, send)

        return wrapped

    server = await serve(middleware=[broken], logger=logger)
    answer = await ask(server, "GET", "/")
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert len(logger.of("exception")) == 1


async def test_what_cannot_be_json_or_a_header_does_not_break_the_answer(serve, ask):
    """An error's message may be anything."""
    _, problem = await problem_of(serve, ask, raising(MistError("conflict", "\ud800\n\x00")))
    assert problem["detail"] == "\ud800\n\x00"
    error = HTTPException(400, {"fields": [1, 2]})
    _, problem = await problem_of(serve, ask, raising(error))
    assert problem["detail"] == {"fields": [1, 2]}
    rate = float("nan")
    _, problem = await problem_of(
        serve, ask, raising(MistError("conflict", "", meta={"rate": rate}))
    )
    assert problem["meta"] == "{'rate': nan}"


@pytest.mark.parametrize("never", [float("inf"), float("nan")])
async def test_who_is_never_to_come_again_is_told_no_time(serve, ask, never):
    """The answer is that of the error's code all the same."""
    error = Foreign()
    error.retry_after = never
    answer, problem = await problem_of(serve, ask, raising(error))
    assert (answer.status, problem["code"]) == (503, "unavailable")
    assert "retry-after" not in answer.headers
    assert "retry_after" not in problem


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        ({"X-Next": "a\r\nSet-Cookie: secret"}, "character in the header b'x-next'"),
        ({"X-Next": "secret\x00"}, "character in the header b'x-next'"),
        ({"X Next": "secret"}, "a header b'x next', which is no name"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
async def test_an_illegal_header_is_answered_with_500_and_logged_by_its_name(
    serve, connect, caplog, headers, fault, *, whole
):
    """Nothing of the response is sent, and the connection serves the next request."""

    async def handler(request):
        if request.url.path == "/well":
            return PlainTextResponse("well")
        if whole:
            return PlainTextResponse("secret", headers=headers)
        return StreamingResponse(iter(["secret"]), headers=headers)

    client = await connect(await serve({"/": handler}, access_log=True))
    with caplog.at_level(logging.INFO):
        answer = await client.ask("GET", "/")
        assert (await client.ask("GET", "/well")).body == b"well"
    assert (answer.status, json.loads(answer.body)["code"]) == (500, "internal")
    assert b"secret" not in answer.body
    assert "set-cookie" not in answer.headers
    (record,) = [r for r in caplog.records if r.exc_info]
    assert fault in str(record.exc_info[1])
    assert "secret" not in str(record.exc_info[1])
    accessed = [r.status for r in caplog.records if hasattr(r, "bytes")]
    assert accessed == [500, 200]


@pytest.mark.parametrize(
    ("start", "fault"),
    [
        ({"status": 600}, "the status 600"),
        (
            {"status": 200, "headers": [("x-next", "text")]},
            "a header 'x-next' that is not in bytes",
        ),
        ({"status": 200, "headers": [(b"content-length", b"many")]}, "a head that cannot be sent"),
    ],
)
async def test_a_head_that_cannot_be_sent_is_answered_with_500(serve, ask, caplog, start, fault):
    """Whatever an ASGI application takes for one."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": b"never sent"})

    answer = await ask(await serve({"/": app}), "GET", "/")
    assert answer.status == 500
    assert b"never sent" not in answer.body
    (record,) = [r for r in caplog.records if r.exc_info]
    assert fault in str(record.exc_info[1])
