"""Payloads of every shape: mist-protocol, both clients and the schema make the same of them."""

import ast
import json
import random

import msgspec
import pytest
from jsonschema import Draft202012Validator

from mist.bindings import describe, generate, render, schema
from mist.protocol import Message, ProtocolError, payload_type

CLASSES, TEXTS = 40, 25
pytestmark = pytest.mark.usefixtures("payload_types")


class Fraction(float):
    """A number that was spelled with a point, and is no integer to mist, as 1.0 is to validators."""

    def is_integer(self):
        """Return False, also where it equals one."""
        return False


@pytest.fixture
def texts(random_payloads):
    """Texts for each of the message types that were made at random, and registered."""
    made = random_payloads.RandomPayloads(random.Random(1))
    found = {}
    for at in range(CLASSES):
        cls, name = made.new_class(), f"acme.{at}"
        payload_type(name)(cls)
        found[name] = [made.text(cls) for _ in range(TEXTS)]
    return found


def test_all_make_the_same_of_a_payload(texts, load_client, judge_in, tmp_path):
    """What one refuses all refuse; what a client reads and writes is the value that it was."""
    protocol = describe(texts)
    client = load_client(protocol)
    generate("typescript", tmp_path / "node_modules" / "mist-client", protocol=protocol)
    validator = Draft202012Validator(schema(protocol))
    pairs = [(name, text) for name, those in texts.items() for text in those]
    wires = [
        f'{{"version":"1","id":"a","source":"s","type":"{name}","payload":{text}}}'
        for name, text in pairs
    ]
    verdicts = judge_in(tmp_path, [{"wire": wire} for wire in wires])
    sound = 0
    for (name, text), wire, verdict in zip(pairs, wires, verdicts, strict=True):
        expected = decoded(name, text)
        valid = validator.is_valid(json.loads(wire, parse_float=Fraction))
        assert valid is (expected is not None), (name, text)
        assert verdict["in_a_word"] == ("undecodable" if expected is None else "sound"), verdict
        message = client.Message.unmarshal(wire)
        if expected is None:
            with pytest.raises(client.ProtocolError):
                message.decode()
            continue
        sound += 1
        assert decoded(name, verdict["again"]) == expected, (text, verdict)
        again = client.Message.new("s", name, message.decode()).payload
        assert decoded(name, again) == expected, (text, again)
    assert len(pairs) / 10 < sound < len(pairs) * 9 / 10


def decoded(name, text):
    """Return what mist-protocol reads, or None where it refuses."""
    raw = msgspec.Raw(text if isinstance(text, bytes) else text.encode())
    try:
        return Message("1", "a", "s", name, 0, raw).decode()
    except ProtocolError:
        return None


def test_their_clients_are_programs(texts, compile_project, tmp_path):
    """A strict compiler takes the TypeScript, and would write the same; Python 3.8 can read the Python."""
    protocol = describe(texts)
    ast.parse(render("python", protocol)["mist_client.py"], feature_version=(3, 8))
    generate("typescript", tmp_path, protocol=protocol)
    assert compile_project(tmp_path, "--outDir", "made") == ""
    for name in ("protocol.js", "protocol.d.ts"):
        written, made = ((tmp_path / where / name).read_text("utf-8") for where in ("lib", "made"))
        assert written[written.index("import ") :] == made[made.index("import ") :]
