"""The generated TypeScript client in a browser: a page of one origin posts to another's listener.

Each scenario is a module in `pages`, which the page `index.html` runs and whose result it posts back.
"""

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest

from mist.bindings import export
from mist.protocol import InferResponse, Message, payload_class, unmarshal_lines

PAGES = Path(__file__).resolve().parent / "pages"
CONTENT_TYPES = {".html": "text/html", ".js": "text/javascript"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars
    --disable-background-networking --disable-component-update --disable-sync
    --window-size=640,300
""".split()  # noqa: SIM905  # as they are written in a shell
ANY_ORIGIN = {"Access_Control_Allow_Origin": "*"}


@pytest.fixture(scope="session")
def open_tab(tmp_path_factory):
    """Opens a page in a tab of a Chromium with an empty profile; the tab is closed by what it returns.

    Tabs are opened and closed by the HTTP endpoints of the DevTools protocol.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser is installed; looked for {', '.join(BROWSERS)}")
    profile = tmp_path_factory.mktemp("profile")
    command = [found, *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    port = profile / "DevToolsActivePort"

    def ask(path):
        address = f"http://127.0.0.1:{port.read_text().split()[0]}/json/{path}"
        with urlopen(Request(address, method="PUT"), timeout=30) as answer:
            return answer.read()

    def open_page(url):
        tab = json.loads(ask(f"new?{quote(url, safe='')}"))
        return lambda: ask(f"close/{tab['id']}")

    try:
        wait_until(lambda: port.is_file() and port.read_text().strip(), process)
        yield open_page
    finally:
        process.terminate()
        process.wait()


def wait_until(condition, process=None):
    """Wait for something to become true, while the process that is to bring it about runs."""
    deadline = time.monotonic() + 60
    while not condition():
        assert process is None or process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def site(peers, tmp_path):
    """The origin of the pages, with the client and the test's files; and what they post to it."""
    export("typescript", tmp_path / "client")

    def answer(handler, _):
        path = urlsplit(handler.path).path.lstrip("/") or "index.html"
        if path == "told-to-wait":
            (tmp_path / path).touch()
        found = next((d / path for d in (PAGES, tmp_path) if (d / path).is_file()), None)
        if found:
            kind = CONTENT_TYPES.get(found.suffix, "application/octet-stream")
            peers.reply(handler, 200, found.read_bytes(), Content_Type=kind)
        else:
            peers.reply(handler, 404)

    with peers.http_server(answer) as (origin, posted):
        yield origin, posted


@pytest.fixture
def visit(open_tab, site):
    """Has a browser run a scenario, and returns what that has told."""
    origin, posted = site

    def run_scenario(scenario, **words):
        posted.clear()
        close = open_tab(f"{origin}/?{urlencode({'scenario': scenario, **words})}")
        try:
            wait_until(lambda: posted)
        finally:
            close()
        return json.loads(posted[0][1])

    return run_scenario


@pytest.fixture
def listener(site, peers, tmp_path):
    """Runs `mist listen` into received.jsonl for the site's pages, until so many messages came."""
    return lambda count: peers.mist_listener(tmp_path, count, "--allow-origin", site[0])


@pytest.mark.interop("cors", client="browser")
@pytest.mark.interop("http-file", client="browser")
def test_golden_messages_through_a_listener_and_back(visit, listener, golden_lines, tmp_path):
    """A page posts all golden messages to `mist listen`, and reads the file again, to the byte."""
    count = golden_lines.count(b"\n")
    with listener(count) as url:
        assert visit("post", url=url, file="golden.jsonl") is None
    assert (tmp_path / "received.jsonl").read_bytes() == golden_lines
    read = visit("read", file="received.jsonl")
    assert "".join(each["line"] for each in read).encode() == golden_lines
    messages = unmarshal_lines(golden_lines)
    assert [(each["verifies"], each["type"]) for each in read] == [
        (True, each.type if payload_class(each.type) else "object") for each in messages
    ]
    assert sum(message.checksum != 0 for message in messages) == count // 2


@pytest.mark.interop("hard-text", client="browser")
def test_hard_text(visit, listener, peers, tmp_path):
    """Text that encoders disagree about arrives as it was, and is read as it was by a page."""
    text = peers.HARD_TEXT
    with listener(1) as url:
        assert visit("text", url=url, text=text) is None
    line = (tmp_path / "received.jsonl").read_bytes()
    (message,) = unmarshal_lines(line)
    request = message.decode()
    assert (request.model, request.params, request.meta) == (text, {text: [text]}, {text: text})
    assert message.checksum
    assert message.payload == Message.new("page", "infer.request", request).payload
    (read,) = visit("read", file="received.jsonl")
    assert read["verifies"]
    assert read["line"].encode() == line
    assert read["payload"] == {
        "model": text,
        "messages": [],
        "params": {text: [text]},
        "meta": {text: text},
    }


@pytest.mark.interop("int64", client="browser")
def test_integers_at_the_limits(visit, listener, tmp_path):
    """The least and the largest int64 arrive exactly, typed and in free-form JSON, and are read so."""
    least, largest = -(1 << 63), (1 << 63) - 1
    with listener(2) as url:
        assert visit("limits", url=url) is None
    typed, free = unmarshal_lines((tmp_path / "received.jsonl").read_bytes())
    assert typed.decode() == InferResponse(tokens_in=least, tokens_out=largest)
    assert free.decode() == [least, largest, (1 << 53) + 1, 7]
    typed, free = visit("read", file="received.jsonl")
    assert typed["payload"]["tokens_in"] == f"{least}n"
    assert typed["payload"]["tokens_out"] == f"{largest}n"
    assert free["payload"] == [f"{least}n", f"{largest}n", f"{(1 << 53) + 1}n", 7]


@pytest.mark.interop("batches", client="browser")
def test_each_message_of_a_batch_has_its_own_fate(visit, listener, tmp_path):
    """Of a batch, a real listener takes what it can, and the page is told why it refused the rest."""
    with listener(3) as url:
        told = visit("batch", url=url)
    assert told["requests"] == ["application/json", "application/x-ndjson"]
    first, refused, last = told["fates"]
    assert (first, last) == ("taken", "taken")
    assert refused.startswith(f"{url} rejected the message: 400: not a message: JSON is malformed")
    received = unmarshal_lines((tmp_path / "received.jsonl").read_bytes())
    assert [message.decode() for message in received] == [{"n": 0}, {"n": 1}, {"n": 3}]


@pytest.mark.interop("no-batches", client="browser")
def test_a_listener_without_batches(visit, site, peers, tmp_path):
    """A listener that takes no batches gets single messages."""
    body = """
async with File("received.jsonl") as file:
    for _ in range(3):
        await file.send(await http.receive())
"""
    options = {"batch": False, "allow_origins": [site[0]]}
    with peers.transport_listener(tmp_path, body, **options) as (url, process):
        told = visit("batch", url=url)
        assert process.wait(30) == 0
    assert told["requests"] == ["application/json"] * 4
    assert [fate == "taken" for fate in told["fates"]] == [True, False, True]
    received = unmarshal_lines((tmp_path / "received.jsonl").read_bytes())
    # Requests that are in flight together may overtake each other.
    assert sorted(message.decode()["n"] for message in received) == [0, 1, 3]


@pytest.mark.interop("unknown-type", client="browser")
def test_an_unknown_type_passes_untouched(visit, listener, peers, tmp_path):
    """A payload of a type that nobody knows is plain JSON, and is passed on to the byte."""
    envelope = b'{"version":"1","id":"a","source":"s","type":"acme.x","timestamp_ns":1,"payload":'
    line = envelope + peers.UNKNOWN + b"}\n"
    (tmp_path / "in.jsonl").write_bytes(line)
    with listener(1) as url:
        assert visit("post", url=url, file="in.jsonl") is None
    assert (tmp_path / "received.jsonl").read_bytes() == line
    (read,) = visit("read", file="received.jsonl")
    assert (read["type"], read["line"].encode()) == ("object", line)


@pytest.mark.interop("wrong-payload", client="browser")
@pytest.mark.interop("version", client="browser")
def test_what_is_wrong_is_refused(visit, tmp_path):
    """A wrong payload is an error that names the path; versions, one that names both sides'."""
    (tmp_path / "in.jsonl").write_bytes(Message("9", "a", "s", "t").marshal() + b"\n")
    wrong = "ProtocolError payload of infer.request: expected a string, got a number - at"
    assert visit("refuse", file="in.jsonl") == [
        f"{wrong} `$.messages[1].role`",
        f"{wrong} `$.messages[0].content`",
        "UnsupportedVersion in.jsonl:1: version '9' is too new (supported: 1-1)",
        "UnsupportedVersion no compatible version (local '1-1', remote '8-9')",
    ]


@pytest.mark.interop("busy", client="browser")
def test_a_busy_listener_is_waited_for(visit, site, peers, tmp_path):
    """A page sees when a full listener wants it back, which CORS would hide; and comes then."""
    body = """
while not pathlib.Path("told-to-wait").exists():
    await asyncio.sleep(0.02)
for _ in range(2):
    await http.receive()
"""
    options = {"inbox": 1, "allow_origins": [site[0]]}
    with peers.transport_listener(tmp_path, body, **options) as (url, process):
        told = visit("send", url=url, count=2)
        assert process.wait(30) == 0
    assert told["fates"] == ["taken", "taken"]
    assert told["ms"] >= 990
    with peers.transport_listener(tmp_path, "await asyncio.sleep(30)", **options) as (url, _):
        told = visit("send", url=url, count=2, retries=0)
    (refused,) = [fate for fate in told["fates"] if fate != "taken"]
    assert refused["error"].startswith(f"Rejected unavailable {url}/mist rejected the message: 503")
    assert refused["retryAfter"] == 1


@pytest.mark.interop("html", client="browser")
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, "transport {} is not a MIST listener: it answered 200 with a page: <html>Welcome!"),
        (404, "not_found {} rejected the message: 404: <html>Welcome!"),
    ],
)
def test_a_page_is_no_success(visit, peers, status, expected):
    """A proxy that answers 200 with a page is an error that says so; so is a 404."""

    def answer(handler, _):
        peers.reply(handler, status, b"<html>Welcome!", **ANY_ORIGIN)

    with peers.http_server(answer) as (url, _):
        told = visit("send", url=url)
    assert told["fates"] == [{"error": f"Rejected {expected.format(url + '/mist')}"}]


@pytest.mark.interop("dead", client="browser")
def test_a_peer_that_is_not_there(visit):
    """A page is told that there is no answer, and from whom."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    (fate,) = visit("send", url=url)["fates"]
    assert fate["error"].startswith(f"TransportError transport no answer from {url}/mist: Failed")


@pytest.mark.interop("dead", client="browser")
@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 202 Acc",
        b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 9\r\n\r\n{",
    ],
)
def test_a_peer_that_dies_in_between(visit, peers, said):
    """A peer that goes away before its answer is whole ends every send that waits."""

    def answer(handler, _):
        handler.wfile.write(said)
        handler.close_connection = True

    with peers.http_server(answer) as (url, posted):
        fates = visit("send", url=url, count=3)["fates"]
        assert len(posted) >= 3
    assert len(fates) == 3
    for fate in fates:
        assert fate["error"].startswith(f"TransportError transport no answer from {url}/mist: ")


@pytest.mark.interop("silent", client="browser")
@pytest.mark.parametrize("drip", [b"", b"x"])
def test_a_peer_that_never_answers(visit, peers, drip):
    """A peer that says nothing, or a byte now and then for ever, meets the timeout."""
    with peers.never_answering(drip) as url:
        told = visit("send", url=url, timeoutMs=500)
    (fate,) = told["fates"]
    timeout = f"TransportTimeout timeout {url}/mist did not answer within 0.5 seconds"
    assert fate == {"error": timeout}
    assert 500 <= told["ms"] < 10_000


@pytest.mark.interop("cors", client="browser")
def test_a_page_of_an_origin_that_was_not_allowed_is_refused(visit, peers, tmp_path):
    """Nothing of the page arrives, and the page is told what may be the matter."""
    options = {"allow_origins": ["http://elsewhere.example"]}
    with peers.transport_listener(tmp_path, "await http.receive()", **options) as (url, process):
        (fate,) = visit("send", url=url)["fates"]
        assert process.poll() is None
    assert fate["error"] == (
        f"TransportError transport no answer from {url}/mist: Failed to fetch;"
        " it may be down, or not allow pages of this origin"
    )


def test_a_page_posts_to_a_listener_of_the_client_itself(visit, site, tmp_path):
    """The listener for Node lets a page in that was allowed, batches included."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    (tmp_path / "listener.mjs").write_text("""
import { HttpListener } from "./client/lib/node/index.js";
const listener = await HttpListener.listen({ allowOrigins: [process.argv[2]] });
console.log(listener.url);
for (const _ of [1, 2, 3]) console.log((await listener.receive()).value().n);
await listener.close();
""")
    command = [node, "listener.mjs", site[0]]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as listener:
        try:
            url = listener.stdout.readline().strip()
            told = visit("batch", url=url)
            assert listener.stdout.read().split() == ["0", "1", "3"]
            assert listener.wait(30) == 0
        finally:
            listener.kill()
    assert told["requests"] == ["application/json", "application/x-ndjson"]
    first, refused, last = told["fates"]
    assert (first, last) == ("taken", "taken")
    assert refused.startswith(f"{url} rejected the message: 400: not a message: JSON is malformed")
