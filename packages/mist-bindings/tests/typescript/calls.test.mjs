// Calls that are many, that are given up, and that are told nonsense.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { afterEach, test } from "node:test";

import { HttpSender, LineReader, Message, TransportClosed, TransportTimeout } from "mist-client";
import { HttpListener } from "mist-client/node";

const cleanups = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) {
    await cleanup();
  }
});

const message = (payload = 1) => Message.create("s", "t", payload);

/** Serve by a function of each response; how many requests are in flight is counted. */
async function serve(answer) {
  const seen = { total: 0, present: 0, most: 0 };
  const server = createServer((request, response) => {
    seen.total += 1;
    seen.present += 1;
    seen.most = Math.max(seen.most, seen.present);
    response.once("close", () => {
      seen.present -= 1;
    });
    request.resume().once("end", () => answer(response, seen.total));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, seen };
}

test("a signal that aborts just before its message joins a batch keeps it from being sent", async () => {
  const receiver = await HttpListener.listen();
  cleanups.push(() => receiver.close());
  const sender = new HttpSender(receiver.url);
  await sender.send(message(1));
  const stop = new AbortController();
  // Looked at when the message looks for the batch that it could join.
  const headers = {
    get tracestate() {
      stop.abort(new Error("enough"));
      return "x=1";
    },
  };
  await assert.rejects(sender.send(message(2), { headers, signal: stop.signal }), /enough/);
  await sender.send(message(3));
  await sender.close();
  const received = [await receiver.receive(), await receiver.receive()];
  assert.deepEqual(
    received.map((each) => each.payload),
    ["1", "3"],
  );
});

test("of sends that are made at once, a bounded number is in flight", async () => {
  const { url, seen } = await serve((response) => response.writeHead(202).end());
  const sender = new HttpSender(url);
  await Promise.all(Array.from({ length: 500 }, (_, n) => sender.send(message(n))));
  assert.equal(seen.total, 500);
  assert.ok(seen.most <= 64, `${seen.most} at once`);
});

test("sends that are made before the peer is known go in batches once it is", async () => {
  const listener = await HttpListener.listen({ inbox: 5000 });
  cleanups.push(() => listener.close());
  let requests = 0;
  const counted = (...request) => {
    requests += 1;
    return fetch(...request);
  };
  const sender = new HttpSender(listener.url, { fetch: counted });
  await Promise.all(Array.from({ length: 5000 }, (_, n) => sender.send(message(n))));
  assert.ok(requests < 100, `${requests} requests`);
  const received = new Set();
  for (let n = 0; n < 5000; n += 1) {
    received.add((await listener.receive()).value());
  }
  assert.equal(received.size, 5000);
});

test("a peer that hangs holds no send for longer than a request may take", async () => {
  const { url, seen } = await serve(() => undefined);
  const sender = new HttpSender(url, { timeoutMs: 300 });
  const begin = performance.now();
  const fates = await Promise.allSettled(Array.from({ length: 500 }, () => sender.send(message())));
  assert.ok(fates.every(({ reason }) => reason instanceof TransportTimeout));
  assert.ok(performance.now() - begin < 10_000);
  assert.ok(seen.total < 500);
});

test("a send that waits for its turn can be given up, and ends when the sender is closed", async () => {
  const { url, seen } = await serve(() => undefined);
  const sender = new HttpSender(url, { timeoutMs: 60_000 });
  const stop = new AbortController();
  const first = Array.from({ length: 64 }, () => sender.send(message(), { signal: stop.signal }));
  const given = assert.rejects(sender.send(message(), { signal: AbortSignal.timeout(10) }), {
    name: "TimeoutError",
  });
  await given;
  while (seen.total < 64) {
    await new Promise(setImmediate);
  }
  stop.abort(new Error("enough"));
  const fates = await Promise.allSettled(first);
  assert.ok(fates.every(({ reason }) => reason.message === "enough"));
  assert.equal(seen.total, 64);
  const short = new HttpSender(url, { timeoutMs: 500 });
  const sends = Array.from({ length: 65 }, () => short.send(message()));
  const closing = short.close();
  const ends = await Promise.allSettled(sends);
  await closing;
  assert.ok(ends.every(({ reason }) => reason instanceof TransportTimeout || reason instanceof TransportClosed));
});

test("any number of calls can share a signal, without a warning", async () => {
  const warnings = [];
  const onWarning = (warning) => warnings.push(warning.message);
  process.on("warning", onWarning);
  cleanups.push(() => process.off("warning", onWarning));
  const listener = await HttpListener.listen();
  cleanups.push(() => listener.close());
  const { signal } = new AbortController();
  const sender = new HttpSender(listener.url);
  for (const _ of [1, 2]) {
    await Promise.all(Array.from({ length: 100 }, (_, n) => sender.send(message(n), { signal })));
  }
  await Promise.all(Array.from({ length: 200 }, () => listener.receive({ signal })));
  const stop = new AbortController();
  const waits = Array.from({ length: 100 }, () => listener.receive({ signal: stop.signal }));
  stop.abort(new Error("enough"));
  for (const { reason } of await Promise.allSettled(waits)) {
    assert.equal(reason.message, "enough");
  }
  await new Promise(setImmediate);
  assert.deepEqual(warnings, []);
});

test("an option out of its bounds is refused by its name", async () => {
  for (const [options, what] of [
    [{ timeoutMs: Infinity }, /timeoutMs must be a number, at least 1 and at most 2147483647; got Infinity/],
    [{ timeoutMs: "5" }, /timeoutMs must .* got a string/],
    [{ retries: -1 }, /retries must be a number, at least 0; got -1/],
    [{ maxBatchMessages: NaN }, /maxBatchMessages must be a number, at least 1; got NaN/],
  ]) {
    assert.throws(() => new HttpSender("http://host", options), { code: "validation", message: what });
  }
  for (const [options, what] of [
    [{ port: 70_000 }, /port must be a number, at least 0 and at most 65535; got 70000/],
    [{ inbox: 0 }, /inbox must be a number, at least 1; got 0/],
    [{ path: "mist" }, /path must begin with a slash/],
  ]) {
    await assert.rejects(HttpListener.listen(options), { code: "validation", message: what });
  }
});

test("what can be closed can be disposed of", async () => {
  const listener = await HttpListener.listen();
  const sender = new HttpSender(listener.url);
  const reader = new LineReader(new Response("\n").body, "body");
  for (const each of [sender, listener, reader]) {
    await each[Symbol.asyncDispose]();
  }
  await assert.rejects(sender.send(message()), TransportClosed);
  await assert.rejects(listener.receive(), TransportClosed);
  await assert.rejects(reader.receive(), TransportClosed);
});
