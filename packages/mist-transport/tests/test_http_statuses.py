"""What the listener answers, to a client that is not ours."""

import asyncio
import io
import json
import time

import aiohttp
import pytest

from mist.protocol import MAX_MESSAGE_SIZE, Message, marshal_lines
from mist.protocol.limits import ENVELOPE_ALLOWANCE

JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


def message(number=0, size=0):
    """Make a message of a number, with some filling."""
    return Message.new("test", "acme.number", {"number": number, "filling": "x" * size})


@pytest.fixture
async def client():
    """A bare HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session


async def ask(client, receiver, data=b"", *, method="POST", url=None, **options):
    """Make one request, and return status, headers and text of its answer."""
    headers = {**JSON, **options.pop("headers", {})}
    if isinstance(data, bytes):
        data = io.BytesIO(data)  # aiohttp's way to send a long body
    async with client.request(
        method, url or receiver.listen_url, data=data, headers=headers, **options
    ) as answer:
        assert "application/json" in answer.headers["Accept-Post"]
        return answer.status, answer.headers, await answer.text()


async def test_a_message_is_accepted_with_202_and_a_date(http, client):
    """The answer is empty, and says that batches are taken too."""
    receiver = await http(listen="127.0.0.1:0")
    status, headers, body = await ask(client, receiver, message().marshal())
    assert (status, body) == (202, "")
    assert headers["Accept-Post"] == "application/json, application/x-ndjson"
    assert "Date" in headers
    assert "Server" not in headers


async def test_a_listener_without_batches_does_not_announce_them(http, client):
    """`batch=False` looks like mist-go, and refuses a batch as an unknown type."""
    receiver = await http(listen="127.0.0.1:0", batch=False)
    status, headers, _ = await ask(client, receiver, message().marshal())
    assert (status, headers["Accept-Post"]) == (202, "application/json")
    status, _, _ = await ask(client, receiver, marshal_lines([message()]), headers=NDJSON)
    assert status == 415


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"<html>", b"\xff\xfe", b"[" * 100_000, b'{"version":"1"}'],
    ids=["empty", "object", "array", "page", "binary", "deep", "incomplete"],
)
async def test_what_is_not_a_message_is_400_with_the_reason(http, client, body):
    """The reason is text for a person, and the inbox stays empty."""
    receiver = await http(listen="127.0.0.1:0")
    status, headers, reason = await ask(client, receiver, body)
    assert status == 400
    assert headers["Content-Type"].startswith("text/plain")
    assert reason.strip()
    await receiver.close()
    assert [m async for m in receiver] == []


async def test_an_answer_with_a_body_does_not_wait_for_an_acknowledgement(http, client):
    """Head and body go out at once; real time, for only a real network stack holds them back."""
    receiver = await http(listen="127.0.0.1:0")
    took = []
    for _ in range(21):
        began = time.perf_counter()
        await ask(client, receiver, b"not a message")
        took.append(time.perf_counter() - began)
    # Held back, it would be 40 ms each time.
    assert sorted(took)[10] < 0.02


async def test_golden_verdicts_are_the_statuses(http, client, golden):
    """The listener takes what mist-go takes, and refuses what it refuses."""
    receiver = await http(listen="127.0.0.1:0")
    for line in (golden / "envelope.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        status, _, _ = await ask(client, receiver, entry["input"].encode())
        assert status == (202 if entry["accept"] else 400), entry


async def test_the_largest_message_is_taken_and_one_byte_more_is_413(http, client):
    """The limit is one of the payload's bytes, and exact."""
    receiver = await http(listen="127.0.0.1:0")
    overhead = len(message().payload)
    largest = message(size=MAX_MESSAGE_SIZE - overhead)
    assert len(largest.payload) == MAX_MESSAGE_SIZE
    assert (await ask(client, receiver, largest.marshal()))[0] == 202
    assert await receiver.receive() == largest
    over = largest.marshal().replace(b'"filling":"', b'"filling":"x')
    assert (await ask(client, receiver, over))[0] == 413


async def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(http):
    """The answer comes while the client has sent nothing of 20 MiB."""
    receiver = await http(listen="127.0.0.1:0")
    reader, writer = await asyncio.open_connection(*receiver.addr.split(":"))
    writer.write(b"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: 20971520\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.close()


async def test_a_413_reaches_a_client_that_writes_first_and_reads_later(http, client):
    """The connection is not closed under a peer that is still writing its 20 MiB."""
    receiver = await http(listen="127.0.0.1:0")

    async def endless():
        for _ in range(320):
            yield b"x" * 65536

    assert (await ask(client, receiver, b"x" * (20 << 20)))[0] == 413
    assert (await ask(client, receiver, endless()))[0] == 413


async def test_the_limit_can_be_lowered(http, client):
    """`max_message_size` holds for single messages and inside a batch."""
    receiver = await http(listen="127.0.0.1:0", max_message_size=100)
    small, large = message(), message(size=200)
    assert (await ask(client, receiver, small.marshal()))[0] == 202
    assert (await ask(client, receiver, large.marshal()))[0] == 413
    huge = message(size=200 + ENVELOPE_ALLOWANCE)
    assert (await ask(client, receiver, huge.marshal()))[0] == 413
    status, _, body = await ask(client, receiver, marshal_lines([large, small]), headers=NDJSON)
    assert status == 200
    assert [(r["index"], r["status"]) for r in json.loads(body)["rejected"]] == [(0, 413)]


async def test_a_full_inbox_is_503_with_retry_after(http, client):
    """The bound holds, and what was refused can be sent again later."""
    receiver = await http(listen="127.0.0.1:0", inbox=2)
    for expected in (202, 202, 503):
        status, headers, reason = await ask(client, receiver, message().marshal())
        assert status == expected
    assert headers["Retry-After"] == "1"
    assert "full" in reason
    await receiver.receive()
    assert (await ask(client, receiver, message().marshal()))[0] == 202


async def test_no_credentials_and_wrong_ones_are_401(http, client):
    """The challenge names the scheme, and the scheme's name is matched without case."""
    receiver = await http(listen="127.0.0.1:0", token="abc")
    for value, expected in [
        (None, 401),
        ("Bearer abd", 401),
        ("Bearer", 401),
        ("Basic abc", 401),
        ("Bearer \xff", 401),
        ("Bearer abc", 202),
        ("bearer abc", 202),
    ]:
        given = {} if value is None else {"Authorization": value}
        status, headers, _ = await ask(client, receiver, message().marshal(), headers=given)
        assert status == expected, value
        if status == 401:
            assert headers["WWW-Authenticate"] == 'Bearer realm="mist"'


async def test_another_method_is_405_and_another_path_404(http, client):
    """405 names what is allowed, 404 where messages are taken."""
    receiver = await http(listen="127.0.0.1:0", path="/inbox")
    status, headers, _ = await ask(client, receiver, method="GET")
    assert (status, headers["Allow"]) == (405, "POST, OPTIONS")
    for path in ("", "mist", "inbox/", "inbox/mist"):
        url = f"http://{receiver.addr}/{path}"
        status, _, reason = await ask(client, receiver, message().marshal(), url=url)
        assert (status, reason) == (404, "messages are taken at /inbox\n")


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP"])
async def test_a_compressed_body_is_415(http, client, encoding):
    """It is not taken for a broken message."""
    receiver = await http(listen="127.0.0.1:0")
    status, headers, _ = await ask(
        client, receiver, b"\x1f\x8b", headers={"Content-Encoding": encoding}
    )
    assert (status, headers["Accept-Encoding"]) == (415, "identity")


async def test_a_page_may_post_only_if_its_origin_was_allowed(http, client):
    """No page that somebody happens to look at can post to their machine."""
    receiver = await http(listen="127.0.0.1:0", allow_origins=["https://app.example"])
    for origin, expected in [
        ("https://evil.example", 403),
        ("null", 403),
        (f"http://{receiver.addr}", 202),
        ("http://[", 403),
        ("https://app.example", 202),
    ]:
        status, headers, _ = await ask(
            client, receiver, message().marshal(), headers={"Origin": origin}
        )
        assert status == expected
    assert headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert headers["Vary"] == "Origin"
    status, headers, _ = await ask(
        client,
        receiver,
        method="OPTIONS",
        headers={"Origin": "https://app.example", "Access-Control-Request-Method": "POST"},
    )
    assert (status, headers["Access-Control-Allow-Methods"]) == (204, "POST")
    assert "authorization" in headers["Access-Control-Allow-Headers"]


async def test_who_asks_without_an_origin_learns_the_methods(http, client):
    """A program is not told what pages may do."""
    receiver = await http(listen="127.0.0.1:0")
    status, headers, _ = await ask(client, receiver, method="OPTIONS")
    assert (status, headers["Allow"]) == (204, "POST, OPTIONS")
    assert "Access-Control-Allow-Methods" not in headers


async def test_a_name_that_leads_here_is_not_this_listener(http, client):
    """Whoever holds a name can have it lead to any machine, once their page is loaded."""
    receiver = await http(listen="127.0.0.1:0")
    port = receiver.addr.rpartition(":")[2]
    for host, expected in [("evil.example", 403), ("localhost", 202), ("[::1]", 202)]:
        headers = {"Host": f"{host}:{port}", "Origin": f"http://{host}:{port}"}
        status, _, _ = await ask(client, receiver, message().marshal(), headers=headers)
        assert status == expected


async def test_a_page_that_may_post_may_read_every_answer(http, client):
    """A browser shows a page the reason of a refusal, and the headers that a sender goes by."""
    receiver = await http(listen="127.0.0.1:0", inbox=1, allow_origins=["*"])
    origin = {"Origin": "https://app.example"}
    bodies = [b"nonsense", message().marshal(), message().marshal()]
    for body, expected in zip(bodies, (400, 202, 503), strict=True):
        status, headers, _ = await ask(client, receiver, body, headers=origin)
        assert status == expected
        assert headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert headers["Access-Control-Expose-Headers"] == "Accept-Post, Retry-After"
    receiver = await http(listen="127.0.0.1:0", allow_origins=["https://other.example"])
    status, headers, _ = await ask(client, receiver, b"nonsense", headers=origin)
    assert status == 403
    assert "Access-Control-Allow-Origin" not in headers


async def test_a_batch_is_taken_line_by_line(http, client):
    """Each line has its own fate; blank lines are no messages, and CR LF ends a line too."""
    receiver = await http(listen="127.0.0.1:0", inbox=3)
    ok = [message(n).marshal() for n in range(4)]
    body = b"\n\r\n" + b"\r\n".join([ok[0], b"nonsense", b"", ok[1], ok[2], ok[3]])
    status, headers, text = await ask(client, receiver, body, headers=NDJSON)
    answer = json.loads(text)
    assert (status, answer["accepted"]) == (200, 3)
    assert [(r["index"], r["status"]) for r in answer["rejected"]] == [(1, 400), (4, 503)]
    assert headers["Retry-After"] == "1"
    assert [(await receiver.receive()).decode()["number"] for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("kind", ["application/x-ndjson; charset=utf-8", "application/jsonl"])
async def test_a_batch_that_is_taken_as_a_whole_is_202(http, client, kind):
    """Other names of the same format are understood."""
    receiver = await http(listen="127.0.0.1:0")
    body = marshal_lines([message(), message()])
    status, _, text = await ask(client, receiver, body, headers={"Content-Type": kind})
    assert (status, text) == (202, "")


@pytest.mark.parametrize("body", [b"", b"\n\r\n"])
async def test_a_batch_without_a_message_is_no_batch(http, client, body):
    """A proxy that drops bodies does not turn messages into nothing."""
    receiver = await http(listen="127.0.0.1:0")
    assert (await ask(client, receiver, body, headers=NDJSON))[0] == 400


async def test_a_small_message_of_a_large_batch_keeps_only_itself_alive(http, client):
    """A message kept for long does not keep its batch."""
    receiver = await http(listen="127.0.0.1:0")
    batch = marshal_lines([message(1), message(2, size=5 << 20)])
    assert (await ask(client, receiver, batch, headers=NDJSON))[0] == 202
    small = await receiver.receive()
    assert memoryview(small.payload).nbytes < 100
    import gc

    (owner,) = [o for o in gc.get_referents(small) if isinstance(o, bytes)] or [b""]
    assert len(owner) < 1000
