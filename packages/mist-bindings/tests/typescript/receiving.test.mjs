// Receiving: over HTTP, and from lines.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { afterEach, test } from "node:test";

import {
  EndOfStream,
  HttpSender,
  LineReader,
  Message,
  MessageTooLarge,
  TransportClosed,
  UnsupportedVersion,
} from "mist-client";
import { HttpListener, incomingHeaders } from "mist-client/node";

const cleanups = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) {
    await cleanup();
  }
});

async function listen(options) {
  const listener = await HttpListener.listen(options);
  cleanups.push(() => listener.close());
  return listener;
}

const message = (payload = 1) => Message.create("s", "t", payload);
const post = (url, body, headers = {}, method = "POST") => fetch(url, { method, body, headers });
const NDJSON = { "content-type": "application/x-ndjson" };

test("what is posted is received, with the trace that it came with", async () => {
  const listener = await listen();
  const sender = new HttpSender(listener.url);
  const sent = message({ n: 2n ** 63n - 1n }).withChecksum();
  await sender.send(sent, { headers: { traceparent: "00-a-b-01", tracestate: "x=1" } });
  const received = await listener.receive();
  assert.equal(received.marshal(), sent.marshal());
  assert.deepEqual(incomingHeaders(received), { traceparent: "00-a-b-01", tracestate: "x=1" });
  assert.deepEqual(incomingHeaders(sent), {});
  assert.ok(sender.peerBatches);
  await sender.close();
});

test("requests that are no message have the status that says why", async () => {
  const listener = await listen({ token: "secret", maxMessageSize: 1000 });
  const auth = { authorization: "Bearer secret" };
  const body = message().marshal();
  const statuses = async (...args) => (await post(...args)).status;
  assert.equal(await statuses(listener.url, body, auth), 202);
  assert.equal(await statuses(listener.url, "{}", auth), 400);
  assert.equal(await statuses(listener.url, body), 401);
  assert.equal(await statuses(listener.url, body, { authorization: "Bearer secre" }), 401);
  assert.equal(await statuses(listener.url.replace("/mist", "/"), body, auth), 404);
  assert.equal(await statuses(listener.url, undefined, auth, "GET"), 405);
  assert.equal(await statuses(listener.url, message("x".repeat(1001)).marshal(), auth), 413);
  assert.equal(await statuses(listener.url, "x".repeat(200_000), auth), 413);
  assert.equal(await statuses(listener.url, body, { ...auth, "content-encoding": "gzip" }), 415);
  const refused = await post(listener.url, '{"version":1}', auth);
  assert.match(await refused.text(), /expected a string, got a number - at `\$.version`/);
  assert.equal(refused.headers.get("accept-post"), "application/json, application/x-ndjson");
});

test("a full inbox asks to be tried again, and what was accepted is not lost", async () => {
  const listener = await listen({ inbox: 1 });
  assert.equal((await post(listener.url, message(1).marshal())).status, 202);
  const full = await post(listener.url, message(2).marshal());
  assert.equal(full.status, 503);
  assert.equal(full.headers.get("retry-after"), "1");
  await listener.close();
  assert.equal((await listener.receive()).value(), 1);
  await assert.rejects(listener.receive(), TransportClosed);
});

test("of a batch, what can be taken is, and the rest is told apart", async () => {
  const listener = await listen({ inbox: 2 });
  const lines = [message(0).marshal(), "", "nonsense", message(2).marshal(), message(3).marshal()];
  const answer = await post(listener.url, lines.join("\r\n"), NDJSON);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("retry-after"), "1");
  const { accepted, rejected } = await answer.json();
  assert.equal(accepted, 2);
  assert.deepEqual(rejected.map(({ index, status }) => [index, status]), [[1, 400], [3, 503]]);
  assert.equal((await listener.receive()).value(), 0);
  assert.equal((await listener.receive()).value(), 2);
  assert.equal((await post(listener.url, `${message().marshal()}\n`, NDJSON)).status, 202);
  assert.equal((await post(listener.url, "\n", NDJSON)).status, 400);
  const single = await listen({ batch: false });
  const refused = await post(single.url, message().marshal(), NDJSON);
  assert.equal(refused.status, 415);
  assert.equal(refused.headers.get("accept-post"), "application/json");
});

test("pages of other origins may post only where that was allowed", async () => {
  const origin = "http://page.example";
  const closed = await listen();
  assert.equal((await post(closed.url, message().marshal(), { origin })).status, 403);
  assert.equal((await post(closed.url, undefined, { origin }, "OPTIONS")).status, 403);
  const open = await listen({ allowOrigins: [origin] });
  const preflight = await post(open.url, undefined, { origin }, "OPTIONS");
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), origin);
  assert.match(preflight.headers.get("access-control-allow-headers"), /content-type/);
  const refused = await post(open.url, "{}", { origin });
  assert.equal(refused.headers.get("access-control-allow-origin"), origin);
  assert.equal(refused.headers.get("access-control-expose-headers"), "Accept-Post, Retry-After");
});

test("a page of the listener's own origin may post, unless a name leads there", async () => {
  const listener = await listen();
  const { port } = new URL(listener.url);
  for (const [host, expected] of [["localhost", 202], ["127.0.0.1", 202], ["evil.example", 403]]) {
    const authority = `${host}:${port}`;
    const headers = { host: authority, origin: `http://${authority}` };
    const posting = request({ port, host: "127.0.0.1", path: "/mist", method: "POST", headers });
    posting.end(message().marshal());
    const [answer] = await once(posting, "response");
    answer.resume();
    assert.equal(answer.statusCode, expected, host);
  }
});

test("a client that is slow to say what it wants is turned away", async () => {
  const listener = await listen({ headerTimeoutMs: 200, bodyTimeoutMs: 200 });
  const { port } = new URL(listener.url);
  for (const head of ["POST /mist HTTP/1.1\r\nHost: x\r\n", "POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"]) {
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(head);
    const chunks = await socket.toArray();
    assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1.1 408 /);
  }
});

/** Wait until a socket is closed, be it in the middle of what is written to it. */
function closing(socket) {
  socket.on("error", () => undefined);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, 20_000, new Error("the listener keeps the connection"));
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

test("a request that is refused by its head does not hold its connection", async () => {
  const listener = await listen({ headerTimeoutMs: 200, bodyTimeoutMs: 200, token: "secret" });
  const { port } = new URL(listener.url);
  for (const [start, status] of [
    ["POST /elsewhere", 404],
    ["POST /mist", 401],
    ["OPTIONS /mist", 204],
  ]) {
    const socket = connect(Number(port), "127.0.0.1");
    const closed = closing(socket);
    socket.write(`${start} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const dripping = setInterval(() => socket.write("1\r\na\r\n"), 20);
    let said = "";
    socket.on("data", (data) => {
      said += data;
    });
    await closed;
    clearInterval(dripping);
    assert.match(said, new RegExp(`^HTTP/1.1 ${status} `));
  }
});

test("bodies that arrive at once share a bound, and one alone may be of any size", async () => {
  const listener = await listen({ inboxBytes: 1 << 20, bodyTimeoutMs: 60_000, shutdownTimeoutMs: 0 });
  const { port } = new URL(listener.url);
  const large = message("a".repeat(2 << 20)).marshal();
  /** Have a body arrive in part; it is the one that is refused where its bytes come last. */
  const begin = () => {
    const socket = connect(Number(port), "127.0.0.1");
    socket.write("POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n");
    socket.write(" ".repeat(800_000));
    return socket.on("error", () => undefined).once("data", () => socket.destroy());
  };
  /** Post it until it meets a status: another body's bytes are under way, or its end is. */
  const postUntil = async (wanted) => {
    for (const _ of Array.from({ length: 100 })) {
      if (wanted === 503 && waiting.destroyed) {
        waiting = begin();
      }
      const answer = await post(listener.url, large);
      await answer.text();
      if (answer.status === wanted) {
        return answer;
      }
      if (answer.status === 202) {
        await listener.receive();
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no ${wanted} in a hundred times`);
  };
  let waiting = begin();
  assert.equal((await postUntil(503)).headers.get("retry-after"), "1");
  waiting.destroy();
  await postUntil(202);
  assert.equal((await post(listener.url, message().marshal())).status, 503, "two megabytes wait");
  assert.equal((await listener.receive()).payload.length, (2 << 20) + 2);
  assert.equal((await post(listener.url, message().marshal())).status, 202);
});

test("a body of any length or form leaves the listener usable", async () => {
  const listener = await listen();
  const { port } = new URL(listener.url);
  const head = "POST /mist HTTP/1.1\r\nHost: x\r\n";
  for (const [start, more] of [
    ["Content-Length: 100000000000\r\n\r\n", Buffer.alloc(1 << 20)],
    ["Transfer-Encoding: chunked\r\n\r\n", `100000\r\n${"a".repeat(1 << 20)}\r\n`],
    ["Transfer-Encoding: chunked\r\n\r\n1;", "a".repeat(1 << 20)],
    ["X: ", "a".repeat(1 << 20)],
  ]) {
    const socket = connect(Number(port), "127.0.0.1");
    const closed = closing(socket);
    let said = "";
    socket.on("data", (data) => {
      said += data;
    });
    const write = () => {
      while (!socket.destroyed && socket.write(more));
    };
    socket.on("drain", write);
    socket.write(head + start);
    write();
    await closed;
    assert.match(said, /^HTTP\/1.1 (413|431) /, start);
  }
  const nested = await post(listener.url, `{"payload":${"[".repeat(100_000)}`);
  assert.equal(nested.status, 400);
  assert.match(await nested.text(), /nested deeper than 1000 levels/);
  assert.equal((await post(listener.url, message().marshal())).status, 202);
  assert.equal((await listener.receive()).decode().payload, 1);
});

test("a batch of lines that are no messages is refused as a whole", async () => {
  const listener = await listen();
  const answer = await post(listener.url, "x\n".repeat(5_000_000), NDJSON);
  assert.equal(answer.status, 413);
  assert.match(await answer.text(), /the batch has more than 16384 messages/);
});

test("an address that is in use is an error that names it", async () => {
  const { url } = await listen();
  const port = Number(new URL(url).port);
  await assert.rejects(HttpListener.listen({ port }), (error) => {
    assert.equal(error.code, "conflict");
    assert.match(error.message, new RegExp(`cannot listen at 127.0.0.1:${port}`));
    return true;
  });
});

test("closing ends who waits, and an aborted wait loses no message", async () => {
  const listener = await listen();
  await assert.rejects(listener.receive({ signal: AbortSignal.timeout(10) }), { name: "TimeoutError" });
  await post(listener.url, message(7).marshal());
  assert.equal((await listener.receive()).value(), 7);
  const waiting = assert.rejects(listener.receive(), TransportClosed);
  const iterating = (async () => {
    for await (const _ of listener) {
      assert.fail("nothing was posted");
    }
  })();
  await listener.close();
  await Promise.all([waiting, iterating]);
});

test("lines are read however they are cut up, and a bad one costs no other", async () => {
  const text = `\r\n${message("é🎉").marshal()}\r\n \n{nonsense}\n${message(2).marshal()}\n{"torn`;
  const bytes = Buffer.from(text);
  for (const size of [1, 7, bytes.length]) {
    const chunks = [];
    for (let at = 0; at < bytes.length; at += size) {
      chunks.push(bytes.subarray(at, at + size));
    }
    const reader = new LineReader(Readable.from(chunks), "in.jsonl");
    assert.equal((await reader.receive()).value(), "é🎉");
    await assert.rejects(reader.receive(), /^ProtocolError: in.jsonl:4: not a message: JSON is malformed/);
    assert.equal((await reader.receive()).value(), 2);
    await assert.rejects(reader.receive(), /in.jsonl:6: .*, the input ends inside this line/);
    await assert.rejects(reader.receive(), EndOfStream);
    await assert.rejects(reader.receive(), EndOfStream);
  }
});

test("a line over the limit is one error, and is not held in memory", async () => {
  const chunk = Buffer.alloc(1 << 20, "x");
  async function* source() {
    for (let count = 0; count < 50; count += 1) {
      yield chunk;
    }
    yield Buffer.from(`\n${message(1).marshal()}\n`);
  }
  const reader = new LineReader(source(), "in");
  await assert.rejects(reader.receive(), (error) => {
    assert.ok(error instanceof MessageTooLarge);
    assert.equal(error.size, 50 << 20);
    return true;
  });
  assert.equal((await reader.receive()).value(), 1);
});

test("closing a reader of lines releases its source", async () => {
  const input = new PassThrough();
  const reader = new LineReader(input, "in");
  const waiting = assert.rejects(reader.receive(), TransportClosed);
  await reader.close();
  await waiting;
  input.write("\n");
  while (!input.destroyed) {
    await new Promise(setImmediate);
  }
});

test("the body of a response is read, and closing gives the rest of it up", async () => {
  let cancelled = false;
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from(`${message(1).marshalLine()}`));
    },
    cancel() {
      cancelled = true;
    },
  });
  // As in Safari, whose streams cannot be iterated over.
  Object.defineProperty(stream, Symbol.asyncIterator, { value: undefined });
  const reader = new LineReader(stream, "body");
  assert.equal((await reader.receive()).value(), 1);
  const waiting = assert.rejects(reader.receive(), TransportClosed);
  await reader.close();
  await waiting;
  assert.ok(cancelled);
});

test("a source that gives text, not bytes, is an error that says what to do", async () => {
  const reader = new LineReader(Readable.from([message().marshalLine()]).setEncoding("utf8"), "in");
  await assert.rejects(reader.receive(), /cannot read in: it gives no bytes; leave out setEncoding/);
});

test("a wait for a line can be given up, and the line is there for the next", async () => {
  const input = new PassThrough();
  const reader = new LineReader(input, "in");
  const stop = new AbortController();
  const waiting = reader.receive({ signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  const both = Promise.all([reader.receive(), reader.receive()]);
  input.write(`${message(1).marshal()}\n${message(2).marshal()}\n`);
  assert.deepEqual((await both).map((each) => each.value()), [1, 2]);
  input.destroy(new Error("the disk is gone"));
  await assert.rejects(reader.receive(), /cannot read in: the disk is gone/);
});

test("a peer of an unsupported version is refused, unless any version is to pass", async () => {
  const old = new Message({ ...message(1), version: "9" });
  const lines = () => Readable.from([Buffer.from(`${old.marshalLine()}${message(2).marshalLine()}`)]);
  const reader = new LineReader(lines(), "in");
  await assert.rejects(reader.receive(), (error) => {
    assert.ok(error instanceof UnsupportedVersion);
    assert.match(error.message, /in:1: version '9' is too new \(supported: 1-1\)/);
    return true;
  });
  assert.equal((await reader.receive()).value(), 2);
  const relay = new LineReader(lines(), "in", { anyVersion: true });
  assert.equal((await relay.receive()).version, "9");
  const answer = await post((await listen()).url, old.marshal());
  assert.equal(answer.status, 400);
  assert.match(await answer.text(), /version '9' is too new \(supported: 1-1\)/);
  assert.equal((await post((await listen({ anyVersion: true })).url, old.marshal())).status, 202);
});
