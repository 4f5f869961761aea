"""The generated TypeScript client in a browser: a page of one origin posts to another's listener."""

import shutil
import socket
import subprocess
import time
from urllib.parse import urlsplit

import pytest

from mist.bindings import export
from mist.protocol import InferRequest, unmarshal_lines

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars
    --disable-background-networking --disable-component-update --disable-sync
    --window-size=640,300
""".split()  # noqa: SIM905  # as they are written in a shell

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>mist-client</title>
<style>body { font: 16px/1.5 sans-serif; margin: 2em } pre { font-size: 14px }</style>
<h1>A message from a page</h1>
<pre id="told">Sending ...</pre>
<script type="module">
  import { HttpSender, Message } from "/client/lib/index.js";

  const told = [];
  const tell = (name, value) => told.push(`${name}: ${value}`);
  const content = "\\u2028 <>& \\u{1f389} \\u00e9";
  const message = Message.create("page", "infer.request", {
    model: "auto",
    messages: [{ role: "user", content }],
    params: { seed: 2n ** 63n - 1n },
  }).withChecksum();
  const sender = new HttpSender("@@url@@", { timeoutMs: 5000 });
  try {
    await sender.send(message);
    tell("sent", message.id);
    tell("takes batches", sender.peerBatches);
    const wrong = new Message({ ...message, payload: "nonsense" });
    await sender.send(wrong).catch((error) => tell(error.name, error.message));
    const orders = [1, 2, 3].map((n) => Message.create("page", "acme.order", { n }));
    await Promise.all(orders.map((order) => sender.send(order)));
    tell("orders", "sent");
  } catch (error) {
    tell(error.name, error.message);
  }
  const text = told.join("\\n");
  document.getElementById("told").textContent = text;
  await fetch("/told", { method: "POST", body: text });
</script>
"""


@pytest.fixture(scope="session")
def browser():
    """The path of a Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser is installed; looked for {', '.join(BROWSERS)}")
    return found


@pytest.fixture
def visit(browser, tmp_path):
    """Has a browser with an empty profile load a site's page, and returns the lines it shows."""

    def visit_page(url, posted):
        profile = tmp_path / "profile"
        # With something to debug it by, it stays until it is ended.
        command = [browser, *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}", url]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 60
            while not posted:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            process.terminate()
            process.wait()
        return posted[0][1].decode().splitlines()

    return visit_page


@pytest.fixture
def site(peers, tmp_path):
    """Serves a page that posts to a URL, and the client beside it."""
    export("typescript", tmp_path / "client")

    def answer(page):
        def get(handler, _):
            path = urlsplit(handler.path).path
            if path == "/":
                peers.reply(handler, 200, page().encode(), Content_Type="text/html")
                return
            module = tmp_path / path.lstrip("/")
            if path.startswith("/client/lib/") and module.is_file():
                peers.reply(handler, 200, module.read_bytes(), Content_Type="text/javascript")
            else:
                peers.reply(handler, 404)

        return peers.http_server(get)

    return answer


@pytest.mark.interop("cors", client="browser")
@pytest.mark.interop("http-file", client="browser")
@pytest.mark.interop("batches", client="browser")
@pytest.mark.interop("int64", client="browser")
@pytest.mark.interop("hard-text", client="browser")
def test_a_page_posts_to_a_listener_that_allows_it(visit, site, peers, tmp_path):
    """A page's messages arrive to the byte, in batches too, and it is told why one is refused."""
    listener_url = ""

    def page():
        return PAGE.replace("@@url@@", listener_url)

    with site(page) as (origin, posted):
        flags = ("--allow-origin", origin)
        with peers.mist_listener(tmp_path, 4, *flags) as listener_url:
            shown = visit(origin, posted)
    first, *orders = unmarshal_lines((tmp_path / "received.jsonl").read_bytes())
    request = first.decode()
    assert isinstance(request, InferRequest)
    assert request.messages[0].content == "\u2028 <>& 🎉 é"
    assert request.params == {"seed": (1 << 63) - 1}
    assert first.checksum
    assert first.verify_checksum()
    assert sorted(order.decode()["n"] for order in orders) == [1, 2, 3]
    sent, batches, refused, last = shown
    assert (sent, batches, last) == (f"sent: {first.id}", "takes batches: true", "orders: sent")
    reason = f"Rejected: {listener_url} rejected the message: 400: not a message: JSON is malformed"
    assert refused.startswith(reason)


@pytest.mark.interop("cors", client="browser")
def test_a_page_of_an_origin_that_was_not_allowed_is_refused(visit, site, peers, tmp_path):
    """Nothing of the page arrives, and the page is told what may be the matter."""
    listener = """
import asyncio
from mist.transport import HTTP
async def main():
    async with HTTP(allow_origins=["http://elsewhere.example"]) as http:
        await http.listen("127.0.0.1:0")
        print(f"http://{http.addr}", flush=True)
        print((await http.receive()).id, flush=True)
asyncio.run(main())
"""
    with (
        peers.listener_script(tmp_path, listener) as (url, process),
        site(lambda: PAGE.replace("@@url@@", url)) as (origin, posted),
    ):
        (shown,) = visit(origin, posted)
        assert process.poll() is None
    assert shown == (
        f"TransportError: no answer from {url}/mist: Failed to fetch;"
        " it may be down, or not allow pages of this origin"
    )


@pytest.mark.interop("dead", client="browser")
def test_a_page_whose_peer_is_gone_is_told(visit, site):
    """It shows that there is no answer, and from whom."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with site(lambda: PAGE.replace("@@url@@", url)) as (origin, posted):
        (shown,) = visit(origin, posted)
    assert shown.startswith(f"TransportError: no answer from {url}/mist: Failed to fetch")
