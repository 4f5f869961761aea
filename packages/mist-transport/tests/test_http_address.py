"""URLs to post to, and addresses to listen at."""

import re

import pytest

from mist.transport.errors import TransportError
from mist.transport.http import HTTP
from mist.transport.http.address import TCPAddress, UnixAddress, parse_address, parse_url


@pytest.mark.parametrize(
    ("url", "posts_to"),
    [
        ("http://host:8080", "http://host:8080/mist"),
        ("http://host:8080/", "http://host:8080/mist"),
        ("http://host", "http://host/mist"),
        ("https://host/inbox", "https://host/inbox"),
        ("http://host/inbox/", "http://host/inbox/"),
        ("http://[::1]:80/a%20b?key=1#part", "http://[::1]:80/a%20b?key=1"),
        ("HTTP://host/ä b", "http://host/%C3%A4%20b"),
    ],
)
def test_a_url_without_a_path_posts_to_mist_and_one_with_a_path_is_kept(url, posts_to):
    """mist-go's listener takes messages at /mist only."""
    assert parse_url(url).url == posts_to


def test_a_unix_url_names_a_socket_and_posts_to_mist():
    """The whole path of an http+unix URL is the socket's."""
    target = parse_url("http+unix:///run/a%20b.sock")
    assert (target.socket_path, target.url) == ("/run/a b.sock", "http://localhost/mist")


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("http://", "names no host"),
        ("http:///mist", "names no host"),
        ("http://:8080/mist", "names no host"),
        ("host:8080", "expected http://"),
        ("ftp://host/", "expected http://"),
        ("http://host:99999", "Port out of range"),
        ("http://host:port/", "not a URL"),
        ("http://host:0/", "port 0"),
        ("http://[::1/", "not a URL"),
        ("http+unix://run/a.sock", "three slashes"),
        ("http+unix:///", "three slashes"),
    ],
)
def test_a_url_that_cannot_be_posted_to_is_refused_with_a_remedy(url, remedy):
    """A bad URL is found at construction, not at the first send."""
    with pytest.raises(TransportError, match=remedy) as caught:
        HTTP(url)
    assert caught.value.code == "validation"


def test_credentials_in_a_url_are_refused_without_being_repeated():
    """Errors end up in logs, and URLs in errors."""
    with pytest.raises(TransportError, match="token=") as caught:
        HTTP("http://user:secret@host/")
    assert caught.value.code == "validation"
    assert "secret" not in str(caught.value)
    with pytest.raises(TransportError) as caught:
        HTTP("http://user:secret@host:bad/")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "parsed"),
    [
        ("127.0.0.1:8080", TCPAddress("127.0.0.1", 8080)),
        (":0", TCPAddress("", 0)),
        ("[::1]:0", TCPAddress("::1", 0)),
        ("localhost:65535", TCPAddress("localhost", 65535)),
        ("unix:/run/mist.sock", UnixAddress("/run/mist.sock")),
        ("unix:relative.sock", UnixAddress("relative.sock")),
    ],
)
def test_addresses_are_read_as_they_are_written(address, parsed):
    """Each form parses, and prints as it was written."""
    assert parse_address(address) == parsed
    assert str(parsed) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "8080",
        "host",
        "host:",
        "host:-1",
        "host:65536",
        "host:" + "9" * 5000,
        "::1:80",
        "[]:1",
        "unix:",
        "http://host:80",
        "host:\uff18\uff10",
    ],
)
def test_an_address_that_is_none_is_refused_with_the_forms_that_are(address):
    """The error shows what an address looks like."""
    with pytest.raises(TransportError, match="expected 'host:port'") as caught:
        parse_address(address)
    assert caught.value.code == "validation"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"timeout": 0}, "timeout must be positive, got 0"),
        ({"timeout": "5"}, "timeout must be a number, got '5'"),
        ({"timeout": None}, "timeout must be a number, got None"),
        ({"timeout": float("nan")}, "timeout must be positive, got nan"),
        ({"inbox": 0}, "inbox must be positive, got 0"),
        ({"max_batch_messages": 0}, "max_batch_messages must be positive, got 0"),
        ({"path": "mist"}, "path must be that of a URL, such as '/mist', got 'mist'"),
        ({"path": ""}, "path must be that of a URL"),
        ({"path": "/mist?room=1"}, "path must be that of a URL"),
        ({"allow_origins": ["https://app.example/"]}, "'https://app.example/' in allow_origins"),
        ({"allow_origins": ["app.example"]}, "write it as a browser does, https://host:port"),
        ({"allow_origins": ["https://App.example"]}, "in small letters"),
        ({"token": "with\nbreak"}, "token must be visible"),
        ({"token": ""}, "token must be visible"),
        ({"token": "ümlaut"}, "token must be visible"),
        ({"ca_file": "ca.pem"}, "TLS settings are for dialing"),
        ({"url": "http://host", "cert_file": "client.pem"}, "TLS settings are for dialing"),
    ],
)
def test_an_option_that_cannot_work_is_refused_at_construction(options, text):
    """Nothing is sent, and no page turned away, before a wrong option is found."""
    with pytest.raises(TransportError, match=re.escape(text)) as caught:
        HTTP(**options)
    assert caught.value.code == "validation"


def test_a_transport_needs_no_event_loop_and_shows_no_token():
    """Construction is possible anywhere, and a repr can be logged."""
    transport = HTTP("http://host:1", token="s3cret")
    assert repr(transport) == "<HTTP http://host:1/mist>"
