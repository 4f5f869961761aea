"""What Prometheus makes of it: its linter, its parsers, its server."""

import asyncio
import contextlib
import json
import shutil
import socket
import subprocess
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from mist.metrics import Registry
from mist.metrics.prometheus import text


@pytest.fixture
def registry():
    """A registry with one of everything, named as MIST's tools name them."""
    registry = Registry(max_series=50)
    registry.describe("http_requests_total", 'Requests, by "method".\nAll of them.')
    registry.counter("http_requests_total", method="GET").add(1024)
    registry.counter("transport_sent", transport="http").inc()
    registry.counter("infer.tokens-in/total").add(2**53 + 1)
    registry.gauge("active_connections", room='a "b"\n,c\\{}é').set(-1.5)
    histogram = registry.histogram("transport_send_ms", op="send")
    for value in (0.5, 42, 20_000, float("nan")):
        histogram.observe(value)
    registry.add_process_metrics()
    for number in range(100):
        registry.counter("busy", n=number).inc()
    return registry


def samples(families):
    """Every sample, by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def parsed(registry):
    """The samples of both formats, which are the same."""
    snapshot = registry.snapshot()
    plain = samples(parse_text(text(snapshot, openmetrics=False).decode()))
    assert plain == samples(parse_openmetrics(text(snapshot, openmetrics=True).decode()))
    return plain


def test_both_formats_hold_every_value(registry):
    """Names get their suffixes and base units, buckets are cumulative and end with infinity."""
    found = parsed(registry)

    def value(name, **labels):
        return found[name, frozenset(labels.items())]

    assert value("http_requests_total", method="GET") == 1024
    assert value("transport_sent_total", transport="http") == 1
    assert value("infer_tokens_in_total") == 2**53
    assert value("active_connections", room='a "b"\n,c\\{}é') == -1.5
    assert value("transport_send_seconds_bucket", op="send", le="0.001") == 1
    assert value("transport_send_seconds_bucket", op="send", le="0.05") == 2
    assert value("transport_send_seconds_bucket", op="send", le="10.0") == 2
    assert value("transport_send_seconds_bucket", op="send", le="+Inf") == 3
    assert value("transport_send_seconds_count", op="send") == 3
    assert value("transport_send_seconds_sum", op="send") == 20.0425
    assert value("mist_metrics_refused_total", metric="transport_send_ms") == 1
    assert value("mist_metrics_overflow_total", metric="busy") > 0
    assert value("busy_total", mist_overflow="true") > 0


def test_the_linter_has_no_complaint(registry):
    """`promtool check metrics` finds names, units, types and help texts as they should be."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: it comes with the Debian package prometheus")
    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=text(registry.snapshot(), openmetrics=False),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@given(st.dictionaries(st.text(), st.integers(1, 1000), max_size=5))
def test_every_label_value_survives_both_formats(values):
    """Whatever text is a label's value, Prometheus's own parsers read it back."""
    registry = Registry()
    for label, value in values.items():
        registry.counter("c", label=label).add(value)
    expected = {each.labels["label"]: each.value for each in registry.snapshot().counters.values()}
    found = parsed(registry)
    assert {dict(labels)["label"]: value for (_, labels), value in found.items()} == expected


def test_the_collector_joins_a_registry_of_prometheus_client(registry):
    """Whoever exposes prometheus_client's registry already adds these metrics to it."""
    theirs = CollectorRegistry()
    theirs.register(registry.collector())
    assert theirs.get_sample_value("http_requests_total", {"method": "GET"}) == 1024
    registry.counter("http_requests_total", method="GET").inc()
    assert b'http_requests_total{method="GET"} 1025.0' in generate_latest(theirs)


def test_help_says_what_a_metric_was_recorded_as():
    """Without a description, the text leads from the name in Prometheus to that in the code."""
    registry = Registry()
    registry.histogram("wait_ms").observe(1)
    assert b"# HELP wait_seconds Recorded as wait_ms.\n" in text(
        registry.snapshot(), openmetrics=False
    )


class Server:
    """A Prometheus server that scrapes one port."""

    def __init__(self, directory, target):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.config = directory / "prometheus.yml"
        self.config.write_text(
            f"""
            global: {{scrape_interval: 1s, scrape_timeout: 1s}}
            scrape_configs:
              - job_name: mist
                metrics_path: /
                static_configs: [{{targets: ["127.0.0.1:{target}"]}}]
            """
        )
        self.data = directory / "data"

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            "prometheus",
            f"--config.file={self.config}",
            f"--storage.tsdb.path={self.data}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return self

    async def __aexit__(self, *exc_info):
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        await self.process.wait()

    async def query(self, expression):
        """Ask until the server is up and the series is there; return labels and value."""
        path = f"/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        while True:
            with contextlib.suppress(OSError, ValueError, IndexError, KeyError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
                answer = await reader.read()
                writer.close()
                body = answer.partition(b"\r\n\r\n")[2]
                result = json.loads(body)["data"]["result"][0]
                return result["metric"], float(result["value"][1])
            await asyncio.sleep(0.1)  # the server scrapes in real time


async def test_a_prometheus_server_scrapes_it(registry, web_app, tmp_path):
    """The real server finds the target healthy, and answers queries over its series."""
    if shutil.which("prometheus") is None:
        pytest.skip("prometheus is not installed: it comes with a Debian package of that name")
    port = await web_app(registry.handler())
    async with asyncio.timeout(60), Server(tmp_path, port) as server:
        _, value = await server.query('http_requests_total{method="GET"}')
        assert value == 1024
        assert (await server.query('up{job="mist"} == 1'))[1] == 1
        metric, value = await server.query("active_connections")
        assert (metric["room"], value) == ('a "b"\n,c\\{}é', -1.5)
        _, value = await server.query("histogram_quantile(0.5, transport_send_seconds_bucket)")
        assert 0.025 <= value <= 0.05
        assert (await server.query("process_resident_memory_bytes"))[1] > 1e6
        registry.counter("http_requests_total", method="GET").inc()
        assert (await server.query('http_requests_total{method="GET"} == 1025'))[1] == 1025
