"""TLS by real handshakes: who is believed, who is not, and that nobody is asked to believe."""

import asyncio
import contextlib
import datetime as dt
import ssl
from types import SimpleNamespace

import aiohttp
import pytest
import trustme
from starlette.responses import PlainTextResponse

from mist.protocol import Message
from mist.server import Server
from mist.transport import HTTP, TransportError

MESSAGE = Message.new("test", "acme.number", {"number": 1})
_LONGEST = 10  # seconds, for one handshake that fails


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """Certificates by an authority that is known, and by one that is not."""
    directory = tmp_path_factory.mktemp("pem")
    known, unknown = trustme.CA(), trustme.CA()
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    chains = {
        "good": known.issue_cert("127.0.0.1", "localhost"),
        "other_host": known.issue_cert("elsewhere.example"),
        "expired": known.issue_cert("127.0.0.1", not_before=past, not_after=past.replace(month=2)),
        "future": known.issue_cert("127.0.0.1", not_before=dt.datetime(2100, 1, 1, tzinfo=dt.UTC)),
        "unknown": unknown.issue_cert("127.0.0.1"),
        "client": known.issue_cert("client@example.org"),
        "expired_client": known.issue_cert(
            "client@example.org", not_before=past, not_after=past.replace(month=2)
        ),
        "unknown_client": unknown.issue_cert("client@example.org"),
    }
    files = {"ca": str(directory / "ca.pem")}
    known.cert_pem.write_to_path(files["ca"])
    for name, chain in chains.items():
        files[name] = str(directory / f"{name}.pem")
        chain.private_key_and_cert_chain_pem.write_to_path(files[name])
    return SimpleNamespace(**files)


@contextlib.asynccontextmanager
async def _listening(cert_file, **options):
    async with HTTP() as receiver:
        await receiver.listen("127.0.0.1:0", cert_file=cert_file, **options)
        yield receiver


async def _refusal(receiver, **options):
    """Return the error of a send that must not succeed, and see that nothing arrived."""
    async with HTTP(receiver.listen_url, token="hunter2", **options) as sender:
        with pytest.raises(TransportError) as caught:
            async with asyncio.timeout(_LONGEST):
                await sender.send(MESSAGE)
    await receiver.close()
    assert [message async for message in receiver] == []
    assert "hunter2" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ("other_host", "IP address mismatch"),
        ("expired", "certificate has expired"),
        ("future", "certificate is not yet valid"),
        ("unknown", "unable to get local issuer certificate"),
    ],
)
async def test_a_certificate_that_does_not_verify_is_refused_before_anything_is_sent(
    pem, certificate, reason
):
    """The error says which of its faults it was, and its code is `auth`."""
    async with _listening(getattr(pem, certificate)) as receiver:
        error = await _refusal(receiver, ca_file=pem.ca)
    assert reason in str(error)
    assert error.code == "auth"


async def test_verification_is_the_default(pem):
    """An authority that nobody named is not believed, whatever it signed."""
    async with _listening(pem.good) as receiver:
        error = await _refusal(receiver)
    assert "does not verify" in str(error)
    assert "ca_file=" in str(error)


async def test_a_good_certificate_is_believed(pem):
    """The same listener and sender, with the authority named: so the refusals mean something."""
    async with (
        _listening(pem.good) as receiver,
        HTTP(receiver.listen_url, ca_file=pem.ca) as sender,
    ):
        await sender.send(MESSAGE)
        assert await receiver.receive() == MESSAGE


def _old_context(purpose, pem):
    """Return a context that speaks TLS 1.1 and nothing newer, or skip where none can be had."""
    context = ssl.SSLContext(purpose)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    except (ssl.SSLError, ValueError) as exc:
        pytest.skip(f"this OpenSSL has no TLS 1.1: {exc}")
    if purpose is ssl.PROTOCOL_TLS_SERVER:
        context.load_cert_chain(pem.good)
    return context


async def _version(port, context):
    """Return the TLS version that a client with this context gets to speak."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    version = writer.get_extra_info("ssl_object").version()
    writer.close()
    return version


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_tls_1_1_is_refused_by_the_listeners_and_the_sender(pem):
    """Of the three, none speaks it, though a listener of the same machine would."""
    old_client = _old_context(ssl.PROTOCOL_TLS_CLIENT, pem)
    old_server = _old_context(ssl.PROTOCOL_TLS_SERVER, pem)

    async def answer(_reader, writer):
        writer.close()

    old = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=old_server)
    async with old:
        port = old.sockets[0].getsockname()[1]
        assert await _version(port, old_client) == "TLSv1.1"
        async with HTTP(f"https://127.0.0.1:{port}", ca_file=pem.ca) as sender:
            with pytest.raises(TransportError, match=r"no TLS with|for want of a TLS version"):
                await sender.send(MESSAGE)
    async with _listening(pem.good) as receiver:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await _version(int(receiver.addr.rpartition(":")[2]), old_client)
    server = Server("127.0.0.1:0", cert_file=pem.good)
    async with server:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await _version(int(server.addr.rpartition(":")[2]), old_client)


@pytest.mark.parametrize("shown", [None, "unknown_client", "expired_client"])
async def test_a_client_without_a_certificate_that_was_demanded_gets_nothing_in(pem, shown):
    """It showed none, another authority's, or one that has expired."""
    options = {"ca_file": pem.ca} | ({"cert_file": getattr(pem, shown)} if shown else {})
    async with _listening(pem.good, client_ca_file=pem.ca) as receiver:
        error = await _refusal(receiver, **options)
    # In TLS 1.3 the client hears of it after its own handshake, sometimes as a lost connection.
    assert error.code in ("auth", "transport")


async def test_a_server_demands_client_certificates_by_a_context_of_its_own(pem):
    """mist-server takes a ready context; who shows nothing is not served."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pem.ca)
    context.load_cert_chain(pem.good)
    context.verify_mode = ssl.CERT_REQUIRED

    async def hello(_request):
        return PlainTextResponse("hello")

    server = Server("127.0.0.1:0", ssl_context=context)
    server.handle("/", hello)
    async with server:
        for certificate, served in ((None, False), (pem.unknown_client, False), (pem.client, True)):
            mine = ssl.create_default_context(cafile=pem.ca)
            if certificate:
                mine.load_cert_chain(certificate)
            async with aiohttp.ClientSession() as client:
                try:
                    async with client.get(server.url, ssl=mine) as answer:
                        assert await answer.text() == "hello"
                        assert served
                except (aiohttp.ClientError, ssl.SSLError):
                    assert not served
