"""Messages from one HTTP transport to another."""

import asyncio
import json
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mist.protocol import Message
from mist.transport.errors import TransportClosed, TransportError
from mist.transport.headers import incoming_headers, outgoing_headers
from mist.transport.http import HTTP


def message(number=0):
    """Make a message of a number."""
    return Message.new("test", "acme.number", {"number": number})


async def test_what_mist_go_wrote_arrives_byte_for_byte(http, golden_wire):
    """Payload bytes and checksums survive, sent one by one and in batches."""
    receiver = await http(listen="127.0.0.1:0")
    sent = [
        Message.unmarshal(entry[form])
        for entry in golden_wire
        for form in ("wire", "wire_with_checksum")
    ]
    for options in ({"batch": False}, {"batch": True}):
        sender = await http(receiver.listen_url, **options)
        await sender.send(sent[0])
        await asyncio.gather(*map(sender.send, sent[1:]))
        received = [await receiver.receive() for _ in sent]
        by_wire = sorted(received, key=Message.marshal)
        assert by_wire == sorted(sent, key=Message.marshal)
        assert all(m.verify_checksum() for m in received)


async def test_a_stream_of_all_types_arrives_in_order(http, golden):
    """Sends from one task after another, and many at once, keep their order in batches."""
    lines = (golden / "stream.jsonl").read_bytes().splitlines()
    receiver = await http(listen="127.0.0.1:0", inbox=len(lines))
    sender = await http(receiver.listen_url)
    sent = [Message.unmarshal(line) for line in lines]
    await sender.send(sent[0])
    await asyncio.gather(*map(sender.send, sent[1:]))
    assert [await receiver.receive() for _ in sent] == sent


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0", "localhost:0", ":0"])
async def test_port_0_is_a_free_port_which_addr_tells(http, address):
    """What `listen_url` says can be dialed."""
    receiver = await http(listen=address)
    assert not receiver.addr.endswith(":0")
    sender = await http(receiver.listen_url)
    sent = message()
    await sender.send(sent)
    assert await receiver.receive() == sent


async def test_a_listener_on_every_interface_takes_both_families(http):
    """`:0` is reached over IPv4 and IPv6."""
    receiver = await http(listen=":0")
    port = receiver.addr.rpartition(":")[2]
    for host in ("127.0.0.1", "[::1]"):
        sender = await http(f"http://{host}:{port}")
        await sender.send(message())
        await receiver.receive()


async def test_a_unix_socket_is_private_and_removed_at_close(http, tmp_path):
    """Only its owner can connect to it, and nothing is left behind."""
    path = tmp_path / "mist.sock"
    receiver = await http(listen=f"unix:{path}")
    assert receiver.addr == f"unix:{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    sender = await http(receiver.listen_url)
    sent = message()
    await sender.send(sent)
    assert await receiver.receive() == sent
    await receiver.close()
    assert not path.exists()


async def test_a_unix_socket_of_a_dead_process_is_replaced_and_a_live_one_is_not(http, tmp_path):
    """A crash does not need cleaning up after, and nobody's socket is stolen."""
    path = tmp_path / "mist.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    first = await http(listen=f"unix:{path}")
    second = await http()
    with pytest.raises(TransportError, match="another process") as caught:
        await second.listen(f"unix:{path}")
    assert caught.value.code == "conflict"
    sender = await http(first.listen_url)
    await sender.send(message())


async def test_a_file_where_a_unix_socket_belongs_is_left_alone(http, tmp_path):
    """Only sockets are ever removed."""
    path = tmp_path / "precious"
    path.write_text("data")
    receiver = await http()
    with pytest.raises(TransportError, match="something else") as caught:
        await receiver.listen(f"unix:{path}")
    assert caught.value.code == "conflict"
    assert path.read_text() == "data"


async def test_a_port_in_use_is_a_conflict_that_names_the_address(http):
    """The error says which address, and the transport can listen elsewhere."""
    first = await http(listen="127.0.0.1:0")
    second = await http()
    with pytest.raises(TransportError, match=first.addr) as caught:
        await second.listen(first.addr)
    assert caught.value.code == "conflict"
    await second.listen("127.0.0.1:0")
    with pytest.raises(TransportError, match="already listening"):
        await second.listen("127.0.0.1:0")


@pytest.mark.parametrize("address", ["192.0.2.1:0", "nosuchhost.invalid:0"])
async def test_an_address_of_another_machine_is_refused(http, address):
    """The error names the address (192.0.2.0/24 is nobody's, RFC 5737)."""
    receiver = await http()
    with pytest.raises(TransportError, match=address) as caught:
        await receiver.listen(address)
    assert caught.value.code == "validation"


async def test_receiving_without_a_listener_is_an_error_and_no_endless_wait(http):
    """Nothing could ever arrive."""
    sender = await http("http://127.0.0.1:9")
    with pytest.raises(TransportError, match=r"listen\(\)") as caught:
        await sender.receive()
    assert caught.value.code == "validation"
    with pytest.raises(TransportError, match="not listening"):
        _ = sender.addr


async def test_sending_without_a_url_is_an_error(http):
    """A transport that only receives says so."""
    receiver = await http(listen="127.0.0.1:0")
    with pytest.raises(TransportError, match="only receives") as caught:
        await receiver.send(message())
    assert caught.value.code == "validation"


async def test_https_with_its_own_authority(http, authority):
    """A custom CA is trusted when it is given."""
    receiver = await http(listen="localhost:0", listen_options={"cert_file": authority.server})
    assert receiver.listen_url.startswith("https://")
    sender = await http(receiver.listen_url, ca_file=authority.ca)
    sent = message()
    await sender.send(sent)
    assert await receiver.receive() == sent


async def test_a_certificate_that_does_not_verify_is_an_auth_error_with_a_remedy(http, authority):
    """The error says how to trust it; nothing is sent."""
    receiver = await http(listen="127.0.0.1:0", listen_options={"cert_file": authority.server})
    sender = await http(receiver.listen_url)
    with pytest.raises(TransportError, match=r"does not verify.*ca_file=") as caught:
        await sender.send(message())
    assert caught.value.code == "auth"


async def test_a_client_certificate_is_demanded_and_shown(http, authority):
    """With `client_ca_file`, only clients with a certificate of that authority get in."""
    options = {"cert_file": authority.server, "client_ca_file": authority.ca}
    receiver = await http(listen="127.0.0.1:0", listen_options=options)
    known = await http(receiver.listen_url, ca_file=authority.ca, cert_file=authority.client)
    sent = message()
    await known.send(sent)
    assert await receiver.receive() == sent
    unknown = await http(receiver.listen_url, ca_file=authority.ca)
    with pytest.raises(TransportError) as caught:
        await unknown.send(message())
    assert caught.value.code in {"auth", "transport"}


async def test_tls_to_a_peer_that_speaks_none_is_an_auth_error(http):
    """The error says that the peer may speak no TLS."""
    receiver = await http(listen="127.0.0.1:0")
    sender = await http(receiver.listen_url.replace("http://", "https://"))
    with pytest.raises(TransportError, match="speak no TLS") as caught:
        await sender.send(message())
    assert caught.value.code == "auth"


async def test_a_file_that_is_no_certificate_is_named(http, authority, tmp_path):
    """A missing and a wrong file are told apart."""
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    for file, code in ((str(wrong), "validation"), (str(tmp_path / "none.pem"), "not_found")):
        receiver = await http()
        with pytest.raises(TransportError, match=Path(file).name) as caught:
            await receiver.listen("127.0.0.1:0", cert_file=file)
        assert caught.value.code == code
        sender = await http("https://127.0.0.1:9", ca_file=file)
        with pytest.raises(TransportError, match=Path(file).name) as caught:
            await sender.send(message())
        assert caught.value.code == code
    receiver = await http()
    with pytest.raises(TransportError, match="cert_file"):
        await receiver.listen("127.0.0.1:0", client_ca_file=authority.ca)


async def test_tls_options_that_do_not_go_together_are_named(http, authority, tmp_path):
    """A key without its certificate, and TLS on a Unix socket."""
    sender = await http("https://127.0.0.1:9", ca_file=authority.ca, key_file="client.key")
    with pytest.raises(TransportError, match=r"'client\.key' is of no use"):
        await sender.send(message())
    receiver = await http()
    with pytest.raises(TransportError, match="a Unix socket is served without TLS") as caught:
        await receiver.listen(f"unix:{tmp_path}/mist.sock", cert_file=authority.server)
    assert caught.value.code == "validation"


async def test_a_transport_shows_where_it_sends_and_listens(http):
    """Its repr holds both addresses."""
    receiver = await http("http://host:1", listen="127.0.0.1:0")
    assert repr(receiver) == f"<HTTP http://host:1/mist, listening at {receiver.addr}>"
    assert not receiver.batching  # before anything was sent


async def test_a_token_on_both_ends(http):
    """The right token gets in; a wrong one and none are auth errors that show neither."""
    receiver = await http(listen="127.0.0.1:0", token="right-token")
    right = await http(receiver.listen_url, token="right-token")
    await right.send(message())
    for options in ({"token": "wrong-token"}, {}):
        sender = await http(receiver.listen_url, **options)
        with pytest.raises(TransportError, match="401") as caught:
            await sender.send(message())
        assert caught.value.code == "auth"
        assert "-token" not in str(caught.value)


async def test_trace_headers_travel_beside_the_message(http):
    """What the sender's context holds is what the receiver's context gets, message by message."""
    receiver = await http(listen="127.0.0.1:0")
    sender = await http(receiver.listen_url)
    traces = [{"traceparent": f"00-{n:032x}-{n:016x}-01", "tracestate": "a=1"} for n in (1, 2)]

    async def send_in(trace, numbers):
        outgoing_headers.set(trace)
        await asyncio.gather(*(sender.send(message(n)) for n in numbers))

    await sender.send(message(0))
    await asyncio.gather(
        asyncio.create_task(send_in(traces[0], range(100, 120))),
        asyncio.create_task(send_in(traces[1], range(200, 220))),
    )
    await receiver.receive()
    assert incoming_headers.get() == {}
    for _ in range(40):
        received = await receiver.receive()
        number = received.decode()["number"]
        assert incoming_headers.get() == traces[number // 100 - 1]


async def test_it_is_a_context_manager_and_an_iterator(http):
    """Iteration ends when the transport is closed, after what had arrived."""
    receiver = await http(listen="127.0.0.1:0")
    async with HTTP(receiver.listen_url) as sender:
        for number in range(3):
            await sender.send(message(number))
    await receiver.close()
    assert [m.decode()["number"] async for m in receiver] == [0, 1, 2]
    with pytest.raises(TransportClosed):
        await receiver.receive()


def test_importing_the_module_imports_neither_aiohttp_nor_uvicorn():
    """The heavy ones are imported by the call that needs them."""
    code = (
        "import sys, json, mist.transport.http;"
        "print(json.dumps([m for m in ('aiohttp', 'uvicorn', 'httptools') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert json.loads(done.stdout) == []
