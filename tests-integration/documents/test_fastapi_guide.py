"""The application of the FastAPI guide does what the guide says."""

import asyncio
import json
import os
import re
import sys
from types import SimpleNamespace

import aiohttp
import pytest

from mist.protocol import Message
from mist.transport import HTTP
from tools.site.markdown import Markdown
from tools.workspace import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="it is told to end by a signal")

GUIDE = Markdown(ROOT / "docs/fastapi.md")
TRACEPARENT = "00-12345678901234567890123456789012-1234567890123456-01"


@pytest.fixture
async def shop(tmp_path):
    """Serve the guide's `shop.py` by uvicorn; the result has its url, its process and its log's lines."""
    (tmp_path / "shop.py").write_text(GUIDE.blocks("python")[0], encoding="utf-8")
    with (tmp_path / "log").open("wb") as log:
        serving = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "uvicorn", "shop:app", "--port", "0", cwd=tmp_path, stderr=log
        )  # fmt: skip

    def lines():
        return [
            json.loads(line)
            for line in (tmp_path / "log").read_text().splitlines()
            if line.startswith("{")
        ]

    async with asyncio.timeout(60):
        while not (found := re.search(r"http://[\d.]+:\d+", (tmp_path / "log").read_text())):
            assert serving.returncode is None, (tmp_path / "log").read_text()
            await asyncio.sleep(0.05)
    yield SimpleNamespace(url=found[0], lines=lines, process=serving)
    if serving.returncode is None:
        serving.terminate()
        await serving.wait()


async def get(url, **headers):
    """Return the status, the media type and the text of an answer."""
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, response.content_type, await response.text()


async def test_the_application_does_what_the_guide_says(shop):
    """It answers, logs and counts as is shown, and handles what it has taken before it ends."""
    (console,) = GUIDE.blocks("console")
    item = await get(f"{shop.url}/items/7", traceparent=TRACEPARENT)
    problem = await get(f"{shop.url}/items/0")
    ready = await get(f"{shop.url}/readyz")
    assert (item[0], problem[0], ready[0]) == (200, 404, 200)
    assert problem[1] == "application/problem+json"
    told = [item[2], problem[2], re.sub(r'"uptime":"\w+"', '"uptime":"2s"', ready[2].strip())]
    assert told == [line for line in console.splitlines() if line.startswith("{")]

    (line,) = [each for each in shop.lines() if each["msg"] == "counted"]
    (shown,) = GUIDE.blocks("json")
    assert list(line) == list(json.loads(shown))
    assert (line["route"], line["trace_id"]) == ("/items/{item}", TRACEPARENT.split("-")[1])
    _, media_type, text = await get(f"{shop.url}/metricsz/", accept="text/plain")
    assert media_type == "text/plain"
    assert 'request_seconds_count{route="/items/{item}"} 2' in text

    sent = [Message.new("acme", "acme.order", {"n": n}) for n in range(50)]
    async with HTTP(f"{shop.url}/inbox/mist") as peer:
        await asyncio.gather(*map(peer.send, sent))
    shop.process.terminate()
    await shop.process.wait()
    handled = {each["id"] for each in shop.lines() if each["msg"] == "message"}
    assert handled == {message.id for message in sent}
