"""What mist-go wrote is read, and what it would write is written."""

import json
import re
import zlib

import msgspec
import pytest

from mist.protocol import (
    Message,
    MessageType,
    ProtocolError,
    UnsupportedVersion,
    check_version,
    is_compatible,
    negotiate_version,
    payload_class,
    unmarshal_lines,
)

# Go writes 1 for 1.0, 1e-7 for 1e-07: the spelling of floats, and nothing else, may differ.
_FLOAT = re.compile(rb"-?\d+\.\d+(?:[eE][-+]?\d+)?|-?\d+[eE][-+]?\d+")


def _without_floats(encoded: bytes) -> bytes:
    """Bring every float outside of strings to one spelling."""

    def respell(match: re.Match[bytes]) -> bytes:
        return repr(float(match[0])).removesuffix(".0").encode()

    parts = re.split(rb'("(?:[^"\\]|\\.)*")', encoded)
    return b"".join(p if p.startswith(b'"') else _FLOAT.sub(respell, p) for p in parts)


def _ordered(encoded: bytes | str) -> object:
    return json.loads(encoded, object_pairs_hook=list)


def test_wire_messages_are_read_and_written_byte_for_byte(golden):
    """An envelope from Go is read, its checksum holds, and it is written back as it came."""
    for case in golden("wire.jsonl"):
        for key, checksum in (("wire", 0), ("wire_with_checksum", case["checksum"])):
            wire = case[key].encode()
            message = Message.unmarshal(wire)
            assert message.type == case["type"]
            assert bytes(message.payload) == case["payload"].encode()
            assert message.checksum == checksum
            assert message.verify_checksum()
            assert message.marshal() == wire
            assert message.marshal_with_checksum() == case["wire_with_checksum"].encode()


def test_checksums_equal_gos(golden):
    """Our checksum of a payload is the one that Go computed."""
    for case in golden("wire.jsonl"):
        message = Message.unmarshal(case["wire"].encode())
        assert message.with_checksum().checksum == case["checksum"]


def test_payloads_are_encoded_as_go_encodes_them(golden):
    """A decoded payload encodes to Go's keys, order, strings, integers and escapes."""
    typed = 0
    for case in golden("wire.jsonl"):
        value = Message.unmarshal(case["wire"].encode()).decode()
        expected = case["payload"].encode()
        written = bytes(Message.new("s", case["type"], value).payload)
        assert _ordered(written) == _ordered(expected), case["name"]
        assert _without_floats(written) == _without_floats(expected), case["name"]
        typed += isinstance(value, msgspec.Struct)
    assert typed >= 17


def test_zero_values_are_written_as_go_writes_them(golden):
    """A payload without arguments encodes to Go's zero form: what it omits, we omit."""
    seen = set()
    for case in golden("wire.jsonl"):
        if case["name"].endswith(" zero"):
            cls = payload_class(case["type"])
            written = bytes(Message.new("s", case["type"], cls()).payload)
            assert _ordered(written) == _ordered(case["payload"]), case["name"]
            seen.add(case["type"])
    assert {"infer.response", "eval.result", "trace.span", "data.schema"} <= seen


def test_envelope_verdicts_are_gos(golden):
    """We accept exactly what Go accepts, and keep the same payload bytes."""
    for case in golden("envelope.jsonl"):
        data = case["input"].encode("utf-8", "surrogateescape")
        if not case["accept"]:
            with pytest.raises(ProtocolError):
                Message.unmarshal(data)
            continue
        message = Message.unmarshal(data)
        assert bytes(message.payload) == case["payload"].encode()
        assert message.verify_checksum() == case["verify_checksum"]


def test_version_verdicts_are_gos(golden):
    """Negotiation and checks of versions come out as in Go, refusals included."""
    for case in golden("version.jsonl"):
        if "check" in case:
            assert is_compatible(case["check"]) == case["compatible"]
            if not case["ok"]:
                with pytest.raises(UnsupportedVersion):
                    check_version(case["check"])
            else:
                check_version(case["check"])
        elif case["ok"]:
            assert negotiate_version(case["local"], case["remote"]) == case["version"]
        else:
            with pytest.raises(UnsupportedVersion):
                negotiate_version(case["local"], case["remote"])


def test_the_stream_survives_whole(golden_dir):
    """5,000 messages of all types: read, checksums right, typed, written as the same bytes."""
    data = (golden_dir / "stream.jsonl").read_bytes()
    lines = data.splitlines()
    messages = unmarshal_lines(data)
    assert len(messages) == 5000
    types = set()
    for line, message in zip(lines, messages, strict=True):
        assert message.verify_checksum()
        assert message.checksum in (0, zlib.crc32(message.payload))
        assert message.marshal() == line
        assert isinstance(message.decode(), payload_class(message.type) or object)
        types.add(message.type)
    assert len(types & set(MessageType)) == 6
    assert sum(message.checksum != 0 for message in messages) > 2000


def test_the_streams_payloads_reencode_equal(golden_dir):
    """Each payload of the stream encodes again to the same keys, order and values."""
    for message in unmarshal_lines((golden_dir / "stream.jsonl").read_bytes()):
        again = Message.new(message.source, message.type, message.decode())
        assert _ordered(bytes(again.payload)) == _ordered(bytes(message.payload))
