// What a message is: made, read, passed on, and made sense of.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  InferRequest,
  MAX_MESSAGE_SIZE,
  Message,
  MessageTooLarge,
  MessageType,
  ProtocolError,
  Source,
  crc32,
  parseLines,
} from "mist-client";

const envelope = (payload, type = "t", more = "") =>
  `{"version":"1","id":"a","source":"s","type":"${type}","timestamp_ns":1,"payload":${payload}${more}}`;

const failsAt = (path, work) => {
  assert.throws(work, (error) => {
    assert.ok(error instanceof ProtocolError, String(error));
    assert.equal(error.path, path, error.message);
    assert.ok(error.message.includes(path));
    return true;
  });
};

test("a new message has an id, the time and a compact payload in the order of its fields", () => {
  const before = BigInt(Date.now()) * 1_000_000n;
  const message = Message.create(Source.MATCHSPEC, MessageType.INFER_REQUEST, {
    messages: [{ role: "user", content: "hi" }],
    model: "auto",
    params: { temperature: 0.7, seed: 2n ** 63n },
  });
  assert.match(message.id, /^[0-9a-f]{32}$/);
  assert.ok(message.timestamp_ns >= before);
  assert.equal(
    message.payload,
    '{"model":"auto","messages":[{"role":"user","content":"hi"}],' +
      '"params":{"temperature":0.7,"seed":9223372036854775808}}',
  );
});

test("fields that are empty are written or left out as the protocol wants it", () => {
  assert.equal(
    Message.create("s", "infer.request", { model: "", messages: [], provider: "" }).payload,
    '{"model":"","messages":null}',
  );
  assert.equal(
    Message.create("s", "eval.run", { suite: "x", baseline: false, tags: {}, tasks: [] }).payload,
    '{"suite":"x","baseline":false}',
  );
});

test("five characters are escaped, so that the bytes survive a relay that escapes them", () => {
  const { payload } = Message.create("s", "t", { "<k>": "a & b \u2028\u2029 🎉 \0 é" });
  assert.equal(payload, '{"\\u003ck\\u003e":"a \\u0026 b \\u2028\\u2029 🎉 \\u0000 é"}');
});

test("a received payload keeps its bytes and its checksum, however it is spaced and escaped", () => {
  const payload = '{ "b" : [1.0, 1E2,\t-0] , "a":"<&>\u2028 \\u003c \\/" }';
  const checksum = crc32(new TextEncoder().encode(payload));
  const wire = envelope(payload, "t", `,"checksum":${checksum}`);
  const message = Message.parse(new TextEncoder().encode(wire));
  assert.equal(message.payload, payload);
  assert.ok(message.verifyChecksum());
  assert.equal(message.marshal(), wire);
  assert.ok(!new Message({ ...message, payload: `${payload} ` }).verifyChecksum());
});

test("the checksum is the CRC-32 of IEEE 802.3", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
});

test("integers are exact to the limits of 64 bits and beyond", () => {
  for (const numeral of ["9223372036854775807", "-9223372036854775808", "18446744073709551616"]) {
    const message = Message.parse(envelope(`{"n":[${numeral}]}`));
    assert.deepEqual(message.value(), { n: [BigInt(numeral)] });
  }
  const message = Message.parse(envelope('{"tokens_in":9223372036854775807,"tokens_out":-1}', "infer.response"));
  const { payload } = message.decode();
  assert.equal(payload.tokens_in, 9223372036854775807n);
  assert.equal(payload.tokens_out, -1);
  assert.ok(Message.create("s", "infer.response", payload).payload.includes("9223372036854775807"));
});

test("nanoseconds are bigints, whatever their size", () => {
  const { payload } = Message.parse(envelope('{"start_ns":5,"end_ns":null}', "trace.span")).decode();
  assert.equal(payload.start_ns, 5n);
  assert.equal(payload.end_ns, 0n);
  assert.equal(Message.parse(envelope("1").replace('"timestamp_ns":1', '"timestamp_ns":-9223372036854775808')).timestamp_ns, -(2n ** 63n));
});

test("what is missing or null has its zero value, as in Go", () => {
  const { type, payload } = Message.parse(
    envelope('{"model":null,"messages":[null,{"role":"user"}],"meta":{"a":null}}', "infer.request"),
  ).decode();
  assert.equal(type, "infer.request");
  assert.deepEqual(payload, {
    model: "",
    messages: [
      { role: "", content: "" },
      { role: "user", content: "" },
    ],
    meta: { a: "" },
  });
  assert.deepEqual(Message.parse(envelope("null", "health.ping")).decode().payload, { from: "" });
});

test("a record that is read shares nothing with another", () => {
  const one = Message.parse(envelope("{}", "infer.request")).decode().payload;
  one.messages.push({ role: "user", content: "hi" });
  assert.deepEqual(Message.parse(envelope("{}", "infer.request")).decode().payload.messages, []);
});

test("an unknown type passes through untyped and intact", () => {
  const payload = '{"z":1e2,"a":[12345678901234567890,{"__proto__":{"x":null}}]}';
  const message = Message.parse(envelope(payload, "acme.order"));
  const { type, payload: value } = message.decode();
  assert.equal(type, undefined);
  assert.equal(message.type, "acme.order");
  assert.equal(value.z, 100);
  assert.equal(value.a[0], 12345678901234567890n);
  assert.deepEqual(Object.getOwnPropertyDescriptor(value.a[1], "__proto__").value, { x: null });
  assert.equal(message.marshal(), envelope(payload, "acme.order"));
  // A type is looked up among the known ones, not among what every object has.
  assert.equal(Message.parse(envelope("1", "constructor")).decode().type, undefined);
});

test("a received payload that is wrong is an error that names the path", () => {
  const decode = (payload, type = "infer.request") => Message.parse(envelope(payload, type)).decode();
  failsAt("$.model", () => decode('{"model":1}'));
  failsAt("$.messages[1].role", () => decode('{"messages":[{},{"role":true}]}'));
  failsAt('$.meta["a b"]', () => decode('{"meta":{"a b":1}}'));
  failsAt("$.params", () => decode('{"params":[]}'));
  failsAt("$", () => decode("[]"));
  failsAt("$.tokens_in", () => decode('{"tokens_in":1.0}', "infer.response"));
  failsAt("$.tokens_in", () => decode('{"tokens_in":9223372036854775808}', "infer.response"));
  failsAt("$.cost_usd", () => decode('{"cost_usd":1e400}', "infer.response"));
  assert.throws(() => decode('{"model":1}'), /^ProtocolError: payload of infer.request: expected a string, got a number/);
  assert.throws(() => new Message({ ...Message.create("s", "t", 1), payload: "" }).decode(), /payload of t: there is none/);
});

test("a payload that is wrong is not made into a message", () => {
  const cyclic = [];
  cyclic.push(cyclic);
  failsAt("$.messages[0].content", () =>
    Message.create("s", "infer.request", { model: "m", messages: [{ role: "user", content: 1 }] }),
  );
  failsAt("$.modle", () => Message.create("s", "infer.request", { modle: "m" }));
  failsAt("$.tokens_in", () => Message.create("s", "infer.response", { tokens_in: 1.5 }));
  failsAt("$.start_ns", () => Message.create("s", "trace.span", { start_ns: 1.7e18 }));
  failsAt("$.a.b", () => Message.create("s", "t", { a: { b: Number.NaN } }));
  failsAt("$.a[0]", () => Message.create("s", "t", { a: [2n ** 64n] }));
  failsAt("$.a", () => Message.create("s", "t", { a: new Map() }));
  failsAt("$[1]", () => Message.create("s", "t", [1, undefined]));
  failsAt('$["\\ud800"]', () => Message.create("s", "t", { "\ud800": 1 }));
  assert.throws(() => Message.create("s", "t", cyclic), /contains itself/);
  assert.throws(() => Message.create("", "t", 1), /missing source/);
  assert.throws(() => Message.create("s", "", 1), /missing type/);
});

test("a value with a JSON form of its own is written in it, and what is undefined is not", () => {
  const moment = new Date(0);
  assert.equal(
    Message.create("s", "t", { moment, nothing: undefined }).payload,
    '{"moment":"1970-01-01T00:00:00.000Z"}',
  );
});

test("what is not JSON is refused by position", () => {
  const broken = [
    "", "{", "[1,]", "{a:1}", "{'a':1}", '{"a":1,}', '{"a" 1}', "01", "1.", ".5", "+1", "1e", "nul",
    "tru", "[1 2]", "[]]", "1 2", '"', '"\t"', '"\\x"', '"\\u12g4"', "NaN", "\ufeff1", "\u00a01", "-",
  ];
  for (const text of broken) {
    assert.throws(() => JSON.parse(text), SyntaxError, text);
    assert.throws(() => Message.parse(envelope(text)), /JSON is malformed: .* \(position \d+\)/, text);
  }
  const sound = ['"\\/\\b\\u00e9"', "-0.0e-0", " [ ] ", ' { "a" : { } } ', "[[],{}]", "1E+5", '"\u007f"'];
  for (const text of sound) {
    assert.deepEqual(Message.parse(envelope(text)).value(), JSON.parse(text));
  }
});

test("half a character is refused wherever it stands, as it has no UTF-8 form", () => {
  for (const text of ['"\\ud800"', '"\\udc00x"', '"\\ud83d\\ud83d\\ude00"', '"\\ud800\\u0041"', '"\ud800"']) {
    assert.throws(() => Message.parse(envelope(text)), /lone surrogate/);
  }
  assert.equal(Message.parse(envelope('"\\ud83d\\ude00 \\\\ud800"')).value(), "😀 \\ud800");
  assert.throws(() => Message.parse(Uint8Array.of(0x22, 0xff, 0x22)), /it is not UTF-8/);
});

test("bombs are errors, not crashes", () => {
  const deep = (depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
  assert.throws(() => Message.parse(deep(5_000_000)), /nested deeper than 1000 levels/);
  assert.ok(Message.parse(envelope(deep(900))).value());
  assert.throws(() => Message.parse(envelope("9".repeat(100_000))).value(), /out of range/);
  const large = JSON.stringify("x".repeat(MAX_MESSAGE_SIZE));
  assert.throws(() => Message.parse(envelope(large)), MessageTooLarge);
  assert.throws(() => Message.create("s", "t", "é".repeat(MAX_MESSAGE_SIZE / 2)), MessageTooLarge);
  assert.throws(() => Message.parse(new Uint8Array(MAX_MESSAGE_SIZE * 2)), MessageTooLarge);
});

test("a payload can be read as a record that the caller names", () => {
  const message = Message.parse(envelope('{"model":"m"}', "acme.request"));
  assert.equal(message.decodeAs(InferRequest).model, "m");
});

test("a line break inside a payload does not break the line, and the checksum stays right", () => {
  const message = Message.parse(envelope('{\n"a":\n1}')).withChecksum();
  const line = message.marshalLine();
  assert.equal(line.indexOf("\n"), line.length - 1);
  const [again] = parseLines(`\r\n${line}\n`);
  assert.equal(again.payload, '{ "a": 1}');
  assert.ok(again.checksum && again.verifyChecksum());
  assert.throws(() => parseLines(`${line}{\n`), /^ProtocolError: line 2: /);
});
