"""`mist listen`: what it takes, where it puts it, and how it ends."""

import os
import signal
import socket
import urllib.error
import urllib.request

import pytest
import trustme

from mist.protocol import marshal_lines

posix = pytest.mark.skipif(os.name != "posix", reason="sockets and signals as POSIX has them")


def _post(url, data, kind="application/json", **headers):
    request = urllib.request.Request(url, data, {"Content-Type": kind, **headers})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status


def test_messages_are_printed_as_lines(listen, messages):
    """Without --to each message is a line on stdout, at once; stderr tells address and count."""
    listener = listen()
    for message in messages(3):
        assert _post(listener.url, message.marshal()) == 202
        assert listener.process.stdout.readline().encode() == marshal_lines([message])
    ended = listener.end()
    assert ended.status == 143
    assert "listen: 3 messages in " in ended.err


def test_count_ends_it(listen, stream, tmp_path):
    """--count takes that many and exits with 0; what else was taken is kept, not lost."""
    listener = listen("--to", "out.jsonl", "--count", 5)
    data = stream.read_bytes().splitlines(keepends=True)
    assert _post(listener.url, b"".join(data[:8]), "application/x-ndjson") == 202
    ended = listener.wait()
    assert ended.status == 0
    assert (tmp_path / "out.jsonl").read_bytes() == b"".join(data[:5])
    (kept,) = tmp_path.glob("mist-undelivered-*.jsonl")
    assert kept.read_bytes() == b"".join(data[5:8])
    assert f"3 messages were read and not delivered; they are kept in {kept.name}" in ended.err


def test_what_was_answered_stands_in_the_file(listen, messages, tmp_path):
    """With --to a file, a peer has its answer when all of its messages are written."""
    listener = listen("--to", "out.jsonl")
    lines = b""
    for _ in range(5):
        batch = marshal_lines(messages(1000))
        assert _post(listener.url, batch, "application/x-ndjson") == 202
        lines += batch
        assert (tmp_path / "out.jsonl").read_bytes() == lines


def test_a_port_in_use_is_a_conflict(mist, listen):
    """A second listener on the same port ends with the status of `conflict`."""
    port = listen().port
    ended = mist("listen", f"127.0.0.1:{port}")
    assert ended.status == 10
    assert ended.err.startswith("mist: conflict: ")
    assert port in ended.err


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (["8080"], 2, "expected 'host:port'"),
        (["127.0.0.1:99999"], 2, "the port is over 65535"),
        (["nohost.invalid:0"], 2, "nohost.invalid"),
        ([":0", "--to", "nowhere/out.jsonl"], 3, "there is no directory nowhere; make it first"),
        ([":0", "--to", "."], 2, "cannot append to .: it is a directory"),
        ([":0", "--to", "out.jsonl.gz"], 2, "compressed files can only be read"),
        ([":0", "--count", "-1"], 2, "--count"),
        ([":0", "--count=-1"], 2, "--count"),
        ([":0", "--inbox", "0"], 2, "inbox must be positive"),
        ([":0", "--cert", "missing.pem"], 3, "missing.pem"),
        ([":0", "--key", "k.pem"], 2, "cert_file"),
        ([], 2, "<addr>"),
    ],
)
def test_what_is_wrong_with_the_words_is_told(execute, words, status, reason):
    """A wrong address, destination or flag ends at once with its reason and the code's status."""
    ended = execute("listen", *words)
    assert ended.status == status, ended.err
    assert reason in ended.err
    assert ended.err.count("\n") == 1


def test_a_page_may_post_only_if_its_origin_was_allowed(listen, messages):
    """--allow-origin names the origins whose pages may post."""
    listener = listen("--allow-origin", "http://a.example,http://b.example")
    (message,) = messages(1)
    for origin, expected in [("http://b.example", 202), ("http://c.example", 403)]:
        try:
            status = _post(listener.url, message.marshal(), Origin=origin)
        except urllib.error.HTTPError as refused:
            status = refused.code
        assert status == expected


def test_a_token_is_demanded(listen, messages):
    """Whoever does not show the token is refused."""
    listener = listen("--token", "secret")
    (message,) = messages(1)
    with pytest.raises(urllib.error.HTTPError) as refused:
        _post(listener.url, message.marshal())
    refused.value.close()
    assert refused.value.code == 401
    assert _post(listener.url, message.marshal(), Authorization="Bearer secret") == 202


def test_tls_and_client_certificates(mist, listen, stream, tmp_path):
    """With --cert it speaks TLS, with --client-ca it wants certificates; relay shows them."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for name, identity in (("server", "127.0.0.1"), ("client", "client.test")):
        pem = authority.issue_cert(identity).private_key_and_cert_chain_pem
        pem.write_to_path(str(tmp_path / f"{name}.pem"))
    listener = listen(
        "--cert", "server.pem", "--client-ca", "ca.pem", "--to", "out.jsonl", "--count", 2000
    )
    assert listener.url.startswith("https://")
    ended = mist("relay", stream, listener.url)
    assert (ended.status, "certificate" in ended.err) == (4, True)
    assert mist("ping", listener.url, "--ca", "ca.pem", "--count", 1).status == 6
    ended = mist("relay", stream, listener.url, "--ca", "ca.pem", "--cert", "client.pem")
    assert ended.status == 0, ended.err
    assert listener.wait().status == 0
    assert (tmp_path / "out.jsonl").read_bytes() == stream.read_bytes()


@posix
def test_a_unix_socket_is_an_address(mist, start, tmp_path, ping_line):
    """unix:/path listens at a socket, which http+unix:// reaches."""
    process = start("listen", "unix:in.sock", "--count", 1)
    assert process.stderr.readline().startswith("listening at http+unix://")
    ended = mist("relay", "-", f"http+unix://{tmp_path}/in.sock", given=ping_line)
    assert ended.status == 0, ended.err
    assert process.communicate(timeout=10)[0] == ping_line


def test_what_was_taken_is_kept_when_it_ends(mist, listen, stream, tmp_path):
    """Ended while its destination is away, it keeps every message that a peer was told it took."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        away = free.getsockname()[1]
    listener = listen("--to", f"127.0.0.1:{away}", "--inbox", 4096)
    assert mist("relay", stream, listener.url).status == 0
    ended = listener.end()
    assert ended.status == 143
    (kept,) = tmp_path.glob("mist-undelivered-*.jsonl")
    assert kept.read_bytes() == stream.read_bytes()
    assert f"mist relay {kept.name} http://127.0.0.1:{away}" in ended.err


@posix
def test_ctrl_c_delivers_what_was_taken(mist, listen, stream, tmp_path):
    """Ctrl-C right after a relay loses nothing that was taken."""
    listener = listen("--to", "out.jsonl")
    assert mist("relay", stream, listener.url).status == 0
    listener.process.send_signal(signal.SIGINT)
    ended = listener.wait()
    assert ended.status == 130
    assert (tmp_path / "out.jsonl").read_bytes() == stream.read_bytes()


def test_a_chain_of_listeners(mist, listen, stream, tmp_path):
    """A listener can pass on to another one, in order."""
    last = listen("--to", "out.jsonl", "--count", 2000)
    first = listen("--to", last.url, "--count", 2000)
    assert mist("relay", stream, first.url).status == 0
    assert (first.wait().status, last.wait().status) == (0, 0)
    assert (tmp_path / "out.jsonl").read_bytes() == stream.read_bytes()
