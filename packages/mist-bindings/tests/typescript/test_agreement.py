"""The TypeScript client and mist-protocol agree: on every verdict, and on every byte."""

import json
import random
import re

import msgspec

from mist.protocol import Message, payload_types

TEXTS = (
    "",
    "a",
    "héllo 世界 🎉",
    "<a href='x'>&amp;</a>",
    "\u2028\u2029",
    "\0\x1f\x7f\ufeff",
    '"\\/\n\t',
    "__proto__",
)
INTS = (0, 1, -1, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63))
FLOATS = (0.0, 1.0, -0.5, 0.1, 1e-7, 1e21, 1.7976931348623157e308, 5e-324, 123456789.123)


def lines_of(path):
    """Return the values of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_every_golden_message_is_read_and_written_to_the_byte(judge, wire):
    """What mist-go wrote is passed on unchanged, and made anew from its values just so."""
    for case, verdict in zip(
        wire, judge([{"wire": case["wire_with_checksum"]} for case in wire]), strict=True
    ):
        assert verdict == {
            "ok": True,
            "payload": case["payload"],
            "wire": case["wire_with_checksum"],
            "verifies": True,
            "checksum": case["checksum"],
            "timestamp_ns": str(json.loads(case["wire"])["timestamp_ns"]),
            "again": case["payload"],
            "in_a_word": "sound",
        }, case["name"]


def test_verdicts_on_envelopes_are_those_of_go(judge, golden):
    """Every envelope that mist-go accepts is accepted, and every one that it refuses is refused."""
    cases = lines_of(golden / "envelope.jsonl")
    for case, verdict in zip(
        cases, judge([{"wire": case["input"]} for case in cases]), strict=True
    ):
        assert verdict["ok"] == case["accept"], (case, verdict)
        if case["accept"]:
            assert verdict["payload"] == case["payload"]
            assert verdict["verifies"] == case["verify_checksum"]


def test_verdicts_on_versions_are_those_of_go(judge, golden):
    """Ranges are negotiated, and versions judged, as mist-go does it."""
    cases = lines_of(golden / "version.jsonl")
    for case, verdict in zip(cases, judge(cases), strict=True):
        if "check" in case:
            assert verdict["compatible"] == case["compatible"], case
        else:
            assert verdict["ok"] == case["ok"], case
            assert verdict.get("version", "") == case["version"]


def any_json(rng, depth=0):  # noqa: PLR0911  # one line a kind
    """Return a JSON value with a taste for what is hard."""
    kinds = 8 if depth < 4 else 6
    match rng.randrange(kinds):
        case 0:
            return None
        case 1:
            return rng.random() < 0.5
        case 2:
            return rng.choice(INTS)
        case 3:
            return rng.choice(FLOATS)
        case 4 | 5:
            return rng.choice(TEXTS)
        case 6:
            return [any_json(rng, depth + 1) for _ in range(rng.randrange(4))]
        case _:
            return {rng.choice(TEXTS): any_json(rng, depth + 1) for _ in range(rng.randrange(4))}


def any_of(kind, rng):  # noqa: PLR0911  # one line a kind
    """Return a value of a payload's field."""
    match kind:
        case msgspec.inspect.StrType():
            return rng.choice(TEXTS)
        case msgspec.inspect.IntType():
            return rng.choice(INTS)
        case msgspec.inspect.FloatType():
            return rng.choice(FLOATS)
        case msgspec.inspect.BoolType():
            return rng.random() < 0.5
        case msgspec.inspect.ListType():
            return [any_of(kind.item_type, rng) for _ in range(rng.randrange(3))]
        case msgspec.inspect.DictType():
            return {
                rng.choice(TEXTS): any_of(kind.value_type, rng) for _ in range(rng.randrange(3))
            }
        case msgspec.inspect.StructType():
            return kind.cls(*(any_of(field.type, rng) for field in kind.fields))
        case _:
            return any_json(rng)


def any_message(rng):
    """Return a message of a known type, or of one that nobody knows."""
    types = {
        name: cls for name, cls in payload_types().items() if cls.__module__ == "mist.protocol"
    }
    name = rng.choice([*types, "acme.order"])
    payload = (
        any_of(msgspec.inspect.type_info(types[name]), rng) if name in types else any_json(rng)
    )
    message = Message.new(rng.choice(("matchspec", "é<&>", '"\\')), name, payload)
    message = msgspec.structs.replace(message, timestamp_ns=rng.choice(INTS))
    return message.with_checksum() if rng.random() < 0.5 else message


def test_messages_of_every_kind_survive_to_the_byte(judge):
    """Three thousand messages are passed on unchanged, and made anew with the same values."""
    rng = random.Random(20)
    messages = [any_message(rng) for _ in range(3000)]
    verdicts = judge([{"wire": message.marshal().decode()} for message in messages])
    for message, verdict in zip(messages, verdicts, strict=True):
        payload = bytes(message.payload).decode()
        assert verdict["ok"], verdict
        assert verdict["wire"] == message.marshal().decode()
        assert verdict["payload"] == payload
        assert verdict["verifies"]
        assert verdict["checksum"] == message.with_checksum().checksum
        assert verdict["timestamp_ns"] == str(message.timestamp_ns)
        assert "undecodable" not in verdict, (verdict, payload)
        again = msgspec.structs.replace(message, payload=msgspec.Raw(verdict["again"].encode()))
        assert again.decode() == message.decode()
        if not any(mark in payload for mark in (".", "e+", "e-", "E", "e1", "e2", "e3")):
            assert verdict["again"] == payload  # floats are spelled in another way, nothing else


def mutated(text, rng):
    """Return a text with a few characters changed, preferably to what JSON is made of."""
    for _ in range(rng.randrange(1, 3)):
        at = rng.randrange(len(text))
        new = rng.choice(
            (*'{}[],:"\\-+.eE0159 \n\t\0tfn', "null", "\\ud800", "\\u0041", "1.0", "1e5", "")
        )
        text = text[:at] + new + text[at + rng.choice((0, 1, 1, 5)) :]
    return text


def test_verdicts_on_damaged_messages_are_the_same(judge, verdict_of_python):
    """Four thousand damaged messages are refused by both, or by neither."""
    rng = random.Random(5)
    texts = [mutated(any_message(rng).marshal().decode(), rng) for _ in range(4000)]
    seen = {"refused": 0, "undecodable": 0, "sound": 0}
    differing = []
    for text, verdict in zip(texts, judge([{"wire": text} for text in texts]), strict=True):
        theirs = verdict_of_python(text)
        seen[theirs] += 1
        if verdict["in_a_word"] != theirs and not is_a_known_difference(verdict):
            differing.append((theirs, verdict, text))
    assert not differing
    assert all(count > 50 for count in seen.values()), seen


def is_a_known_difference(verdict):
    """Tell whether the client refuses, as Go does, an integer that mist-protocol takes."""
    return re.search(
        r"expected at (least -|most )922337203685477580", verdict.get("undecodable", "")
    )
