"""The ASGI application."""

import asyncio
import json
import sys

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from mist.metrics import PrometheusClientMissing, Registry

PROMETHEUS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


@pytest.fixture
def registry():
    """A registry with something in it."""
    registry = Registry()
    registry.counter("jobs", queue="a,b").add(3)
    return registry


async def test_json_is_what_is_served_unless_asked_otherwise(registry, web_app, get):
    """The bytes are those of the snapshot, as mist-go serves them."""
    answer = await get(await web_app(registry.handler()))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["vary"] == "accept"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.body == registry.snapshot().to_json()


async def test_prometheus_gets_what_it_asks_for(registry, web_app, get):
    """OpenMetrics ends with EOF; the text format is version 0.0.4."""
    port = await web_app(registry.handler())
    answer = await get(port, PROMETHEUS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert b'jobs_total{queue="a,b"} 3.0\n' in answer.body
    assert answer.body.endswith(b"# EOF\n")
    answer = await get(port, "text/plain")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b"# TYPE jobs_total counter\n" in answer.body


async def test_head_has_the_headers_and_no_body(registry, web_app, get):
    """The length is that of the answer to GET."""
    answer = await get(await web_app(registry.handler()), method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) == len(registry.snapshot().to_json())


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_refused(registry, web_app, get, method):
    """405 says which there are."""
    answer = await get(await web_app(registry.handler()), method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "get, head")


async def test_what_cannot_be_served_is_406(registry, web_app, get):
    """The answer says what there is."""
    answer = await get(await web_app(registry.handler()), "image/png")
    assert answer.status == 406
    assert b"application/json" in answer.body


async def test_a_scraper_learns_what_is_missing(registry, web_app, get, monkeypatch):
    """Without prometheus_client, 406 tells the remedy; JSON is served as ever."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "mist.metrics.prometheus", raising=False)
    port = await web_app(registry.handler())
    answer = await get(port, PROMETHEUS)
    assert answer.status == 406
    assert b"prometheus_client" in answer.body
    assert (await get(port)).status == 200
    with pytest.raises(PrometheusClientMissing, match="prometheus_client") as caught:
        registry.collector()
    assert caught.value.code == "unavailable"


async def test_it_mounts_in_a_web_application(registry, web_app, get):
    """Starlette and FastAPI take it as it is, at any path."""
    answer = await get(await web_app(Starlette(routes=[Mount("/", registry.handler())])))
    assert json.loads(answer.body)["counters"]["jobs{queue,a,b}"]["value"] == 3


async def test_a_websocket_is_closed(registry):
    """There is nothing to talk about."""
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(event):
        sent.append(event)

    await registry.handler()({"type": "websocket"}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1000}]


async def test_a_large_registry_does_not_hold_up_the_loop():
    """Snapshots are taken and written in a thread, while the loop goes on."""
    registry = Registry()
    for number in range(3000):
        registry.histogram("h", n=number).observe(number)
    app = registry.handler()
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    async def send(event):
        pass

    ticking = asyncio.create_task(tick())
    scope = {"type": "http", "method": "GET", "headers": [(b"Accept", b"text/plain")]}
    await app(scope, None, send)
    ticking.cancel()
    assert ticks > 10
