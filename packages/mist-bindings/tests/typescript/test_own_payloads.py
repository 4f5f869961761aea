"""A TypeScript client for payloads of a user's own, whatever they are made of."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from mist.bindings import BindingsError, describe, generate, render
from mist.protocol import Message, payload_type


class Colour(StrEnum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class Part(msgspec.Struct, omit_defaults=True):
    """A part of a part of a thing.

    Attributes:
        name: Its name, which ends no comment: */ export const broken = 1;
        parts: What it consists of.
    """

    name: str
    parts: "list[Part]" = []


class Limits(msgspec.Struct):
    """Bounds."""

    most: int = 9
    until_ns: int = 1 << 60


class Thing(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Something with a field of every kind.

    Attributes:
        steps: What is done with it, one after the other, each by its number; where nothing is said
            of them, the first two are done.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=3, pattern="^[a-z🎉]+$")]
    part: Part | None = None
    parts: dict[str, list[Part]] = {}
    colour: Colour = Colour.RED
    size: Literal[1, 2] = 1
    percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 50
    share: Annotated[float, msgspec.Meta(ge=0.0, le=1.5)] = 0.5
    seen_ns: int = 5
    count: int | None = None
    maybe: bool | None = None
    notes: list[str | None] = []
    free: Any = None
    constructor: str = "x"
    from_: str = msgspec.field(default="", name="from-where")
    label: str | None = "none"
    steps: tuple[int | None, ...] = (1, None)
    limits: Limits = msgspec.field(default_factory=Limits)


pytestmark = pytest.mark.usefixtures("payload_types")
TYPES = ["acme.thing", "acme.part"]
SOUND = [
    '{"id":"a"}',
    '{"id":"🎉🎉🎉"}',
    '{"id":"a","part":null,"colour":null,"free":null,"maybe":null,"count":null,"size":null}',
    '{"id":"a","part":{"name":"p","parts":[{"name":"q","parts":[]},{"name":"r"}]}}',
    '{"id":"a","parts":{"x":[{"name":"p"}],"__proto__":[]}}',
    '{"id":"a","colour":"blue","size":2,"percent":100,"share":1.5,"seen_ns":9223372036854775807}',
    '{"id":"a","count":9007199254740993,"maybe":false,"notes":["",null],"free":[1,{"a":null}]}',
    '{"id":"a","constructor":"","from-where":"here"}',
    '{"id":"a","constructor":"x","percent":50,"seen_ns":5}',
    '{"id":"a","label":null,"steps":[],"limits":{"most":7,"until_ns":9223372036854775807}}',
    '{"id":"a","label":"none","steps":[1,null],"limits":{}}',
]
WRONG = [
    "{}",
    "null",
    '{"id":null}',
    '{"id":""}',
    '{"id":"aaaa"}',
    '{"id":"A"}',
    '{"id":"a","unknown":1}',
    '{"id":"a","part":{}}',
    '{"id":"a","part":{"name":"p","parts":[{"parts":[]}]}}',
    '{"id":"a","parts":{"x":[{"name":1}]}}',
    '{"id":"a","colour":"green"}',
    '{"id":"a","colour":1}',
    '{"id":"a","size":3}',
    '{"id":"a","size":"1"}',
    '{"id":"a","percent":101}',
    '{"id":"a","percent":-1}',
    '{"id":"a","percent":1.0}',
    '{"id":"a","share":1.6}',
    '{"id":"a","seen_ns":"5"}',
    '{"id":"a","count":true}',
    '{"id":"a","notes":[1]}',
    '{"id":"a","notes":{}}',
    '{"id":"a","steps":[""]}',
    '{"id":"a","limits":{"most":"7"}}',
]
USER_OPTIONS = """{
  "compilerOptions": {
    "target": "ES2022", "module": "NodeNext", "strict": true, "exactOptionalPropertyTypes": true
  },
  "files": ["program.ts"]
}
"""
PROGRAM = """
import { Message, type Part, type Thing } from "mist-client";

const part: Part = { name: "p", parts: [{ name: "q" }] };
const thing: Thing = {
  id: "a", part, colour: "blue", size: 2, seen_ns: 5n, percent: 7, count: 3n, constructor: "me",
  limits: { most: 1n, until_ns: 5n },
};
Message.create("s", "acme.thing", thing);
Message.create("s", "acme.part", part);
// @ts-expect-error -- no such colour
Message.create("s", "acme.thing", { ...thing, colour: "green" });
// @ts-expect-error -- it has no id
Message.create("s", "acme.thing", { constructor: "me", limits: { most: 1n, until_ns: 5n } });

export function describe(message: Message): string | null {
  const { type, payload } = message.decode();
  switch (type) {
    case "acme.thing":
      return payload.part?.name ?? payload["from-where"] ?? null;
    case "acme.part":
      return payload.parts?.at(0)?.name ?? null;
    case undefined:
      return null;
  }
}
"""
CYCLE = """
import { Message } from "mist-client";

const part = { name: "p" };
part.parts = [part];
try {
  Message.create("s", "acme.part", part);
} catch ({ name, message }) {
  console.log(`${name}: ${message}`);
}
"""


@pytest.fixture
def own(tmp_path):
    """A project with a client for payloads of its own."""
    payload_type("acme.thing")(Thing)
    payload_type("acme.part")(Part)
    for name, text in render("typescript", describe(TYPES)).items():
        path = tmp_path / "node_modules" / "mist-client" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


def test_it_reads_and_writes_what_mist_does(own, judge_in, verdict_of_python):
    """Payloads of every kind are judged as mist-protocol judges them, and made anew the same."""
    wires = [
        f'{{"version":"1","id":"a","source":"s","type":"acme.thing","timestamp_ns":1,"payload":{each}}}'
        for each in SOUND + WRONG
    ]
    verdicts = judge_in(own, [{"wire": wire} for wire in wires])
    for wire, verdict in zip(wires, verdicts, strict=True):
        assert verdict["in_a_word"] == verdict_of_python(wire), (wire, verdict)
        if verdict["in_a_word"] == "sound":
            message = Message.unmarshal(wire)
            again = msgspec.structs.replace(message, payload=msgspec.Raw(verdict["again"].encode()))
            assert again.decode() == message.decode()
    assert [each["in_a_word"] for each in verdicts].count("sound") == len(SOUND)


def test_its_types_are_those_of_the_classes(own, compile_project):
    """A strict compiler takes the declarations, and a program that uses them."""
    (own / "program.ts").write_text(PROGRAM)
    (own / "tsconfig.json").write_text(USER_OPTIONS)
    assert compile_project(own, "--noEmit") == ""


def test_the_modules_agree_with_the_compiler(own, compile_project):
    """What was written as JavaScript and declarations is what the compiler makes of the source.

    However few payloads there are, the source imports nothing that it does not use.
    """
    clients = {"many": TYPES, "one": ["acme.part"], "plain": ["health.ping"]}
    for name, types in clients.items():
        generate("typescript", own / "src" / name, protocol=describe(types))
    options = (own / "src" / "many" / "tsconfig.json").read_text()
    (own / "tsconfig.json").write_text(options.replace('["src"]', '["src/*/src"]'))
    assert compile_project(own, "--outDir", "made") == ""
    for client in clients:
        for name in ("protocol.js", "protocol.d.ts"):
            written = (own / "src" / client / "lib" / name).read_text()
            made = (own / "made" / client / "src" / name).read_text()
            assert written[written.index("import ") :] == made[made.index("import ") :]


def test_a_record_that_contains_itself_is_an_error(own, node, run):
    """It is one of the client's own kinds, however deep the stack was."""
    (own / "cycle.js").write_text(CYCLE)
    assert run(node, "cycle.js", cwd=own).stdout == (
        "ProtocolError: payload of acme.part:"
        " it contains itself, is nested too deeply, or is too long\n"
    )


def test_a_key_that_is_no_member_of_an_object_is_refused():
    """In JavaScript, setting `__proto__` makes no member."""
    payload_type("acme.taken")(msgspec.defstruct("Taken", [("__proto__", int)]))
    with pytest.raises(BindingsError, match="Taken cannot have a field __proto__"):
        render("typescript", describe(["acme.taken"]))


@pytest.mark.parametrize("name", ["Message", "Record", "Transport", "Int64", "HTTP", "string"])
def test_a_name_that_is_taken_is_refused(name):
    """A class whose name means something else in the package is an error that says so."""
    payload_type("acme.taken")(msgspec.defstruct(name, [("x", int)]))
    with pytest.raises(BindingsError, match=f"the class {name} cannot have that name"):
        render("typescript", describe(["acme.taken"]))


def test_a_pattern_of_python_alone_is_refused():
    """A pattern that JavaScript would read in another way, or not at all, is an error."""
    kind = Annotated[str, msgspec.Meta(pattern=r"(?P<year>\d+)\Z")]
    payload_type("acme.taken")(msgspec.defstruct("Taken", [("x", kind)]))
    with pytest.raises(BindingsError, match=r"field x: the pattern .* is one of Python alone"):
        render("typescript", describe(["acme.taken"]))
