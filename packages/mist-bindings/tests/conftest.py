"""The client under test, payloads of a user's own, and what mist-go wrote."""

import importlib.util
import json
import os
import re
import socket
import sys
import threading
import urllib.parse
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from mist.bindings import render
from mist.bindings.inspection import OWN_TYPES
from mist.bindings.languages import language_names
from mist.bindings.shipped import read_client


def load(text, name, directory):
    """Import the text of a client as a module."""
    path = directory / f"{name}.py"
    path.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def client(tmp_path_factory):
    """The Python client that ships in the package."""
    text = read_client("python")["mist_client.py"]
    return load(text, "mist_client", tmp_path_factory.mktemp("own"))


@pytest.fixture
def listen(client):
    """Make the Python client's listeners, which are closed at the end and leave no thread."""
    before = set(threading.enumerate())
    made = []

    def make(address="127.0.0.1:0", **options):
        made.append(client.HTTPListener(address, **options))
        return made[-1]

    yield make
    for listener in made:
        listener.close()
    assert set(threading.enumerate()) <= before


@contextmanager
def _connect(listener):
    parts = urllib.parse.urlsplit(listener.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as peer:
        yield peer


def _read_all(peer):
    data = bytearray()
    with suppress(ConnectionError):
        while piece := peer.recv(1 << 16):
            data += piece
    return bytes(data)


def _exchange(listener, data):
    with _connect(listener) as peer:
        with suppress(OSError):  # refused in the middle, it is closed after a while
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", _read_all(peer))]


@pytest.fixture(scope="session")
def connect():
    """Open a connection whose other side is a listener, as a context manager."""
    return _connect


@pytest.fixture(scope="session")
def read_all():
    """Return what comes over a connection until it ends."""
    return _read_all


@pytest.fixture(scope="session")
def exchange():
    """Send a listener bytes, end the sending side, and return the statuses that come back."""
    return _exchange


@pytest.fixture
def load_client(tmp_path):
    """Generate the Python client of a protocol, and import it."""
    made = []

    def load_protocol(protocol):
        name = f"client_{len(made)}_{tmp_path.name}"
        made.append(name)
        return load(render("python", protocol)["mist_client.py"], name, tmp_path)

    yield load_protocol
    for name in made:
        del sys.modules[name]


@pytest.fixture(params=language_names())
def language(request):
    """Each language that there is."""
    return request.param


@pytest.fixture(scope="session")
def golden():
    """The directory of what mist-go wrote; it lies beside the repository, or MIST_GOLDEN tells."""
    named = os.environ.get("MIST_GOLDEN")
    if named:
        return Path(named)
    for parent in Path(__file__).resolve().parents:
        if (parent / "shared" / "golden").is_dir():
            return parent / "shared" / "golden"
    pytest.skip("no shared/golden above this file; name it by MIST_GOLDEN")


@pytest.fixture(scope="session")
def wire(golden):
    """The golden messages, each with its name, payload and both encoded forms."""
    return [json.loads(line) for line in (golden / "wire.jsonl").read_bytes().splitlines()]


@pytest.fixture
def payload_types(monkeypatch):
    """Begin a test with the stack's own payload types, and forget at its end those it registers."""
    from mist.protocol import registry

    own = {each: registry.payload_class(each) for each in OWN_TYPES}
    monkeypatch.setattr(registry, "_classes", own)
