"""Addresses: what can be listened at, what cannot, and how that is said."""

# ruff: noqa: ARG001  # handlers take what they are given

import asyncio
import errno
import os
import socket
import ssl
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse

from mist.server import Server, ServerError
from mist.server.address import UnixAddress
from mist.server.binding import BoundSocket
from mist.server.errors import ServerError as OwnError
from mist.server.refusal import refuse_newcomers


async def hello(request):
    """Answer."""
    return PlainTextResponse(f"hello over {request.url.scheme}")


def is_there(family, host):
    """Tell whether this machine has an address."""
    try:
        with socket.create_server((host, 0), family=family):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(
    not is_there(socket.AF_INET6, "::1"), reason="this machine has no IPv6"
)

needs_unix = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "8080",
        "host",
        "host:",
        "host:-1",
        "host:65536",
        pytest.param("host:" + "1" * 5000, id="more-digits-than-python-converts"),
        "::1:80",
        "[]:1",
        "unix:",
        "http://h:80",
    ],
)
def test_what_is_no_address_is_refused_at_construction(address):
    """The error shows what an address looks like."""
    with pytest.raises(ServerError, match="expected 'host:port'") as caught:
        Server(address)
    assert caught.value.code == "validation"


async def test_the_address_is_the_real_one_once_it_listens(serve, ask):
    """Port 0 is any free port."""
    server = Server("127.0.0.1:0")
    assert server.addr == "127.0.0.1:0"
    server = await serve({"/": hello})
    port = int(server.addr.removeprefix("127.0.0.1:"))
    assert port > 0
    assert server.url == f"http://127.0.0.1:{port}"
    assert (await ask(server, "GET", "/")).body == b"hello over http"


@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("::1", marks=needs_ipv6)])
async def test_no_host_is_every_interface(serve, connect, host):
    """As in Go, IPv4 and IPv6; the URL is one that reaches it from here."""
    server = await serve({"/": hello}, addr=":0")
    port = server.addr.rpartition(":")[2]
    assert server.url == f"http://127.0.0.1:{port}"
    client = await connect(f"[{host}]:{port}")
    assert (await client.ask("GET", "/")).status == 200


@needs_ipv6
async def test_ipv6_is_in_brackets(serve, connect):
    """In the address and in the URL."""
    server = await serve({"/": hello}, addr="[::1]:0")
    assert server.addr.startswith("[::1]:")
    assert server.url == f"http://{server.addr}"
    assert (await (await connect(server)).ask("GET", "/")).status == 200


async def test_a_name_is_looked_up(serve, connect):
    """IPv4 first, as most clients try it first."""
    server = await serve({"/": hello}, addr="localhost:0")
    assert server.addr.startswith("127.0.0.1:")
    with pytest.raises(ServerError, match="no such host"):
        await serve(addr="no-such-host.invalid:0")


async def test_an_address_in_use_is_a_conflict_with_the_remedy(serve):
    """The error names the address, and the server that has it goes on."""
    first = await serve({"/": hello})
    with pytest.raises(ServerError) as caught:
        await serve({"/": hello}, addr=first.addr)
    assert caught.value.code == "conflict"
    assert str(caught.value).startswith(
        f"conflict: cannot listen at {first.addr}: Address already in use; stop what listens there"
    )


async def test_an_address_of_another_machine_is_refused(serve):
    """With the way to listen at all of this one's."""
    with pytest.raises(ServerError, match="none of this machine's") as caught:
        await serve(addr="192.0.2.1:0")
    assert caught.value.code == "validation"


def test_a_privileged_port_comes_with_the_remedy():
    """Said of the error alone, for whoever runs the tests may be privileged."""
    error = OwnError.from_os_error(OSError(errno.EACCES, "no"), "cannot listen at :80")
    assert error.code == "auth"
    assert "choose a port from 1024 on, or grant the process CAP_NET_BIND_SERVICE" in str(error)


@needs_unix
async def test_a_unix_socket_is_the_owners_and_gone_afterwards(serve, ask, tmp_path):
    """Its mode is an option."""
    path = tmp_path / "server.sock"
    server = await serve({"/": hello}, addr=f"unix:{path}")
    assert server.addr == f"unix:{path}"
    assert server.url == f"http+unix:{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (await ask(server, "GET", "/")).body == b"hello over http"
    await server.shutdown()
    assert not path.exists()
    await serve({"/": hello}, addr=f"unix:{path}", unix_mode=0o660)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


@needs_unix
async def test_a_relative_unix_socket_is_removed_wherever_the_process_goes(
    serve, tmp_path, monkeypatch
):
    """Its name is resolved once."""
    monkeypatch.chdir(tmp_path)
    server = await serve({"/": hello}, addr="unix:server.sock")
    assert server.addr == f"unix:{tmp_path}/server.sock"
    monkeypatch.chdir("/")
    await server.shutdown()
    assert list(tmp_path.iterdir()) == []


@needs_unix
async def test_the_socket_of_a_dead_process_is_replaced_and_nothing_else(serve, tmp_path):
    """What somebody listens at, or is no socket, stays."""
    path = tmp_path / "server.sock"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    first = await serve({"/": hello}, addr=f"unix:{path}")
    with pytest.raises(ServerError, match="another process listens there") as caught:
        await serve({"/": hello}, addr=f"unix:{path}")
    assert caught.value.code == "conflict"
    path.unlink()
    second = await serve({"/": hello}, addr=f"unix:{path}")
    await first.shutdown()
    assert path.exists()
    await second.shutdown()
    path.write_text("a file")
    with pytest.raises(ServerError, match="something else at that path"):
        await serve(addr=f"unix:{path}")
    assert path.read_text() == "a file"


@needs_unix
def test_of_many_that_start_at_once_one_listens(tmp_path):
    """None takes the place of another that found the same dead socket, and was faster."""
    path = tmp_path / "server.sock"
    together = threading.Barrier(8)

    def start(_):
        together.wait()
        try:
            return BoundSocket(UnixAddress(str(path)), backlog=64, unix_mode=0o600)
        except ServerError as exc:
            return exc

    with ThreadPoolExecutor(8) as threads:
        for _ in range(20):
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(str(path))
            results = list(threads.map(start, range(8)))
            (bound,) = [each for each in results if isinstance(each, BoundSocket)]
            assert {each.code for each in results if each is not bound} == {"conflict"}
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(5)
                client.connect(str(path))
            bound.close()
            assert list(tmp_path.iterdir()) == []


@needs_unix
def test_a_directory_that_stays_locked_is_a_conflict(tmp_path, monkeypatch):
    """A starter waits for another one, and not for ever for whoever else it is."""
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr("mist.server.binding._LOCK_SECONDS", 0.1)
    fd = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    address = UnixAddress(f"{tmp_path}/server.sock")
    with pytest.raises(ServerError, match="keeps its directory locked") as caught:
        BoundSocket(address, backlog=1, unix_mode=0o600)
    assert caught.value.code == "conflict"
    os.close(fd)
    BoundSocket(address, backlog=1, unix_mode=0o600).close()


@needs_unix
async def test_a_unix_socket_where_none_can_be(serve, tmp_path):
    """The error names the path and the reason."""
    with pytest.raises(ServerError, match="No such file or directory") as caught:
        await serve(addr=f"unix:{tmp_path}/nowhere/server.sock")
    assert caught.value.code == "not_found"
    with pytest.raises(ServerError, match="cannot listen at unix:"):
        await serve(addr=f"unix:{tmp_path}/{'x' * 200}")


@pytest.mark.parametrize("form", ["both", "pair", "context"])
async def test_tls(serve, connect, authority, form):
    """By files or by a context; the handler sees the scheme."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.both)
    options = {
        "both": {"cert_file": authority.both},
        "pair": {"cert_file": Path(authority.cert), "key_file": Path(authority.key)},
        "context": {"ssl_context": context},
    }[form]
    server = await serve({"/": hello}, **options)
    assert server.url.startswith("https://127.0.0.1:")
    trusting = ssl.create_default_context()
    authority.ca.configure_trust(trusting)
    client = await connect(server, ssl=trusting, server_hostname="localhost")
    assert (await client.ask("GET", "/")).body == b"hello over https"
    if form != "context":
        old = ssl.create_default_context()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert server._ssl_context.minimum_version == ssl.TLSVersion.TLSv1_2


async def test_a_client_that_speaks_no_tls_or_trusts_nobody_harms_nobody(
    serve, connect, authority, capfd
):
    """It is not served, and nothing is printed."""
    server = await serve({"/": hello}, cert_file=authority.both)
    client = await connect(server)
    await client.send("GET / HTTP/1.1\nHost: x\n\n")
    assert b"HTTP" not in await client.ended()
    with pytest.raises(ssl.SSLError):
        await connect(server, ssl=ssl.create_default_context(), server_hostname="localhost")
    assert capfd.readouterr().err == ""


async def test_a_tls_file_that_cannot_be_used_is_named(serve, authority, tmp_path):
    """A wrong file, a missing one, and a key without its certificate."""
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("nothing")
    with pytest.raises(ServerError, match=r"cannot use .*wrong.pem for TLS") as caught:
        await serve(cert_file=wrong)
    assert caught.value.code == "validation"
    with pytest.raises(ServerError, match=r"missing.pem: No such file") as caught:
        await serve(cert_file=tmp_path / "missing.pem")
    assert caught.value.code == "not_found"
    for options in (
        {"key_file": authority.key},
        {"cert_file": authority.both, "ssl_context": ssl.create_default_context()},
    ):
        with pytest.raises(ServerError, match="TLS takes cert_file"):
            Server(":0", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"header_timeout": 0},
        {"body_timeout": -1},
        {"idle_timeout": float("nan")},
        {"max_connections": 0},
        {"max_body_size": -1},
        {"drain_delay": -1},
        {"drain_delay": float("nan")},
        {"shutdown_timeout": -1},
        {"shutdown_timeout": float("nan")},
        {"logger": "stderr"},
    ],
)
def test_an_option_that_cannot_work_is_refused_at_construction(options):
    """The error names it."""
    with pytest.raises(ServerError) as caught:
        Server(":0", **options)
    assert caught.value.code == "validation"
    assert next(iter(options)) in str(caught.value)


@needs_unix
async def test_a_start_that_is_cancelled_leaves_nothing_behind(tmp_path):
    """Not even a socket that was bound when nobody wanted it any more."""

    async def hang(scope, receive, send):
        await receive()
        await asyncio.sleep(60)

    for delay in (0, 0.01, 0.3):
        server = Server(f"unix:{tmp_path / str(delay)}")
        server.handle("/", hang)
        serving = asyncio.create_task(server.serve())
        await asyncio.sleep(delay)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
    async with asyncio.timeout(5):
        # A thread may still be binding one of them.
        while any(tmp_path.iterdir()) or len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.01)


@needs_unix
async def test_a_start_that_is_cancelled_again_and_again_leaves_no_socket_behind(tmp_path):
    """Not even while the application is given time to go."""

    async def hang(scope, receive, send):
        await receive()
        await asyncio.sleep(60)

    path = tmp_path / "server.sock"
    server = Server(f"unix:{path}")
    server.handle("/", hang)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(5):
        while not path.exists():
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    for _ in range(3):
        serving.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await serving
    async with asyncio.timeout(5):
        while path.exists() or len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can do it")
async def test_newcomers_to_a_socket_about_to_close_are_refused_and_not_reset():
    """They find nobody, try again as TCP does, and are refused."""
    listening = socket.create_server(("127.0.0.1", 0))
    before = socket.create_connection(listening.getsockname())
    if not await refuse_newcomers(listening):
        before.close()
        listening.close()
        pytest.skip("this system lets its users drop no packets")
    with socket.socket() as newcomer:
        newcomer.setblocking(False)
        connecting = asyncio.create_task(
            asyncio.get_running_loop().sock_connect(newcomer, listening.getsockname())
        )
        await asyncio.sleep(0.1)
        assert not connecting.done()
        accepted, _ = listening.accept()
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()
        listening.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.wait_for(connecting, 10)
    accepted.sendall(b"welcome")
    assert before.recv(100) == b"welcome"
    accepted.close()
    before.close()
