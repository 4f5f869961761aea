// Sending over HTTP, to servers that behave and to servers that do not.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { afterEach, test } from "node:test";

import { HttpSender, Message, Rejected, TransportClosed, TransportError, TransportTimeout } from "mist-client";

const cleanups = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) {
    await cleanup();
  }
});

const JSON_TYPE = "application/json";
const NDJSON = "application/x-ndjson";
const BATCHES = { "accept-post": `${JSON_TYPE}, ${NDJSON}` };

/** Serve what `answer` returns for each request; the requests are kept. */
async function serve(answer) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const body = Buffer.concat(chunks).toString();
    const seen = { url: request.url, method: request.method, headers: request.headers, body };
    requests.push(seen);
    const { status = 202, headers = {}, text = "" } = (await answer(seen, requests.length)) ?? {};
    response.writeHead(status, headers).end(text);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, requests };
}

function dial(url, options) {
  const sender = new HttpSender(url, options);
  cleanups.push(() => sender.close());
  return sender;
}

const message = (payload = 1) => Message.create("s", "t", payload);
const idsIn = ({ body }) => body.trim().split("\n").map((line) => JSON.parse(line).payload);

async function until(condition) {
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Send the first payload, and the others while its request is in flight. */
async function sendInTurn(sender, requests, [first, ...others], signalOf = () => undefined) {
  const before = requests.length;
  const send = (n) => sender.send(message(n), { signal: signalOf(n) });
  const sends = [send(first)];
  await until(() => requests.length > before);
  return sends.concat(others.map(send));
}

/** Resolves when it is told to. */
function gate() {
  let open;
  const opened = new Promise((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test("a message is posted to the URL's path, or to /mist where it has none", async () => {
  const { url, requests } = await serve(() => undefined);
  const sent = message();
  await dial(url, { token: "secret" }).send(sent, { headers: { traceparent: "00-1-2-01" } });
  await dial(`${url}/in/box?x=1`).send(sent);
  const [first, second] = requests;
  assert.equal(first.url, "/mist");
  assert.equal(first.method, "POST");
  assert.equal(first.body, sent.marshal());
  assert.equal(first.headers["content-type"], JSON_TYPE);
  assert.equal(first.headers.authorization, "Bearer secret");
  assert.equal(first.headers.traceparent, "00-1-2-01");
  assert.equal(second.url, "/in/box?x=1");
  assert.equal(second.headers.authorization, undefined);
});

test("a URL that cannot be posted to is refused, without repeating its secrets", () => {
  for (const [url, what] of [
    ["nonsense", /not a URL/],
    ["ftp://host/", /cannot post to ftp:/],
    ["http://me:secret@host/", /holds credentials/],
  ]) {
    assert.throws(() => new HttpSender(url), (error) => {
      assert.equal(error.code, "validation");
      assert.match(error.message, what);
      assert.ok(!error.message.includes("secret"));
      return true;
    });
  }
});

test("a token that no header can hold is refused, without repeating it", () => {
  assert.throws(() => new HttpSender("http://host", { token: "sec\nret" }), (error) => {
    assert.equal(error.code, "validation");
    assert.ok(!error.message.includes("sec"));
    return true;
  });
});

test("a peer that announces no batches is sent single messages", async () => {
  const { url, requests } = await serve(() => undefined);
  const sender = dial(url);
  await Promise.all([1, 2, 3].map((n) => sender.send(message(n))));
  await Promise.all([4, 5].map((n) => sender.send(message(n))));
  assert.deepEqual(requests.map((each) => each.headers["content-type"]), Array(5).fill(JSON_TYPE));
});

test("sends that wait while a request is in flight go together in the next one, in order", async () => {
  const { open, opened } = gate();
  const { url, requests } = await serve(async (_, count) => {
    if (count === 2) {
      await opened;
    }
    return { headers: BATCHES };
  });
  const sender = dial(url, { maxBatchMessages: 3 });
  await sender.send(message(0));
  assert.ok(sender.peerBatches);
  const sends = await sendInTurn(sender, requests, [1, 2, 3, 4, 5]);
  open();
  await Promise.all(sends);
  assert.deepEqual(requests.map(idsIn), [[0], [1], [2, 3, 4], [5]]);
  assert.deepEqual(
    requests.map((each) => each.headers["content-type"]),
    [JSON_TYPE, JSON_TYPE, NDJSON, JSON_TYPE],
  );
});

test("sends that are made at once go together, without waiting for anything", async () => {
  const { url, requests } = await serve(() => ({ headers: BATCHES }));
  const sender = dial(url);
  await sender.send(message(0));
  await Promise.all([1, 2, 3].map((n) => sender.send(message(n))));
  await sender.send(message(4)); // a lone one goes alone
  assert.deepEqual(requests.map(idsIn), [[0], [1, 2, 3], [4]]);
});

test("a batch has no more bytes than it may, and a longer message goes alone", async () => {
  const { open, opened } = gate();
  const { url, requests } = await serve(async (_, count) => {
    if (count === 2) {
      await opened;
    }
    return { headers: BATCHES };
  });
  const sender = dial(url, { maxBatchBytes: 2000 });
  await sender.send(message(0));
  const long = "x".repeat(5000);
  const sends = await sendInTurn(sender, requests, [1, 2, 3, long, 4, 5, 6, 7, 8]);
  open();
  await Promise.all(sends);
  assert.deepEqual(requests.map(idsIn).flat(), [0, 1, 2, 3, long, 4, 5, 6, 7, 8]);
  for (const request of requests) {
    assert.ok(request.body.length <= 2000 || idsIn(request).length === 1);
  }
  assert.ok(requests.length < 9);
});

test("each send has the fate of its own message, and those of other headers do not wait", async () => {
  const { open, opened } = gate();
  const { url, requests } = await serve(async ({ headers }, count) => {
    if (count === 2) {
      await opened;
    }
    if (headers["content-type"] === NDJSON) {
      const rejected = [{ index: 1, status: 400, error: "no" }];
      return { status: 200, headers: BATCHES, text: JSON.stringify({ accepted: 2, rejected }) };
    }
    return { headers: BATCHES };
  });
  const sender = dial(url);
  await sender.send(message(0));
  const sends = await sendInTurn(sender, requests, [1, 2, 3, 4]);
  await sender.send(message("traced"), { headers: { traceparent: "x" } });
  open();
  const fates = await Promise.allSettled(sends);
  assert.deepEqual(fates.map((each) => each.status), ["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  const { reason } = fates[2];
  assert.ok(reason instanceof Rejected);
  assert.equal(reason.status, 400);
  assert.equal(reason.code, "protocol");
  assert.deepEqual(requests.map(idsIn), [[0], [1], ["traced"], [2, 3, 4]]);
});

test("a batch that is too large, or not understood any more, is sent one by one", async () => {
  for (const status of [413, 415]) {
    const { open, opened } = gate();
    const { url, requests } = await serve(async ({ headers }, count) => {
      if (count === 2) {
        await opened;
      }
      if (headers["content-type"] === NDJSON) {
        return { status, headers: status === 413 ? BATCHES : {} };
      }
      return { headers: count < 3 ? BATCHES : {} };
    });
    const sender = dial(url);
    await sender.send(message(0));
    const sends = await sendInTurn(sender, requests, [1, 2, 3]);
    open();
    await Promise.all(sends);
    assert.deepEqual(requests.map(idsIn), [[0], [1], [2, 3], [2], [3]]);
  }
});

test("503 with Retry-After is tried again, as long as it may", async () => {
  const busy = { status: 503, headers: { "retry-after": "0" }, text: "full" };
  const { url, requests } = await serve((_, count) => (count < 3 ? busy : undefined));
  await dial(url).send(message());
  assert.equal(requests.length, 3);
  const always = await serve(() => busy);
  await assert.rejects(dial(always.url, { retries: 1 }).send(message()), (error) => {
    assert.ok(error instanceof Rejected);
    assert.equal(error.status, 503);
    assert.equal(error.code, "unavailable");
    assert.equal(error.retryAfter, 0);
    assert.match(error.message, /503: full/);
    return true;
  });
  assert.equal(always.requests.length, 2);
  // Without a word on when to come back, or with one that asks for too much, it is not.
  for (const headers of [{}, { "retry-after": "3600" }]) {
    const once = await serve(() => ({ status: 503, headers }));
    await assert.rejects(dial(once.url).send(message()), Rejected);
    assert.equal(once.requests.length, 1);
  }
});

test("a message of a batch that met a full inbox is sent again alone", async () => {
  const { open, opened } = gate();
  const { url, requests } = await serve(async ({ headers }, count) => {
    if (count === 2) {
      await opened;
    }
    if (headers["content-type"] === NDJSON) {
      const text = JSON.stringify({ accepted: 1, rejected: [{ index: 1, status: 503, error: "full" }] });
      return { status: 200, headers: { ...BATCHES, "retry-after": "0" }, text };
    }
    return { headers: BATCHES };
  });
  const sender = dial(url);
  await sender.send(message(0));
  const sends = await sendInTurn(sender, requests, [1, 2, 3]);
  open();
  await Promise.all(sends);
  assert.deepEqual(requests.map(idsIn), [[0], [1], [2, 3], [3]]);
});

test("a proxy that answers with a page has not taken the message", async () => {
  const { url } = await serve(() => ({ status: 200, text: "<!doctype html><p>Log in" }));
  await assert.rejects(dial(url).send(message()), /is not a MIST listener: it answered 200 with a page/);
  const login = await serve(() => ({ status: 302, headers: { location: "/login" } }));
  await assert.rejects(dial(login.url).send(message()), /302, redirecting to \/login; use that URL/);
  assert.equal(login.requests.length, 1);
});

test("what a peer says is repeated in part, and never the token", async () => {
  const { url } = await serve(() => ({ status: 401, text: `bad token secret ${"x".repeat(1000)}` }));
  await assert.rejects(dial(url, { token: "secret" }).send(message()), (error) => {
    assert.equal(error.code, "auth");
    assert.match(error.body, /^bad token \*\*\* x/);
    assert.ok(error.message.length < 400);
    return true;
  });
});

test("a peer that cannot be reached, hangs or hangs up is an error", async () => {
  const { url } = await serve(() => new Promise(() => {}));
  await assert.rejects(dial(url, { timeoutMs: 50 }).send(message()), (error) => {
    assert.ok(error instanceof TransportTimeout);
    assert.equal(error.code, "timeout");
    assert.match(error.message, /did not answer within 0.05 seconds/);
    return true;
  });
  const tcp = createTcpServer((socket) => socket.destroy());
  await once(tcp.listen(0, "127.0.0.1"), "listening");
  const { port } = tcp.address();
  await assert.rejects(dial(`http://127.0.0.1:${port}`).send(message()), TransportError);
  tcp.close();
  await once(tcp, "close");
  await assert.rejects(dial(`http://127.0.0.1:${port}`).send(message()), /ECONNREFUSED/);
});

test("a batch that gets no answer fails every send in it, and those that waited with it", async () => {
  const { url, requests } = await serve((_, count) =>
    count === 1 ? { headers: BATCHES } : new Promise(() => {}),
  );
  const sender = dial(url, { timeoutMs: 1000, maxBatchMessages: 1 });
  await sender.send(message(0));
  const fates = await Promise.allSettled([1, 2, 3].map((n) => sender.send(message(n))));
  assert.ok(fates.every(({ reason }) => reason instanceof TransportTimeout));
  assert.deepEqual(requests.map(idsIn), [[0], [1]]);
});

test("a batch whose fates make no sense has not been taken", async () => {
  const refusals = [
    { index: -1, status: 400 },
    { index: 2, status: 400 },
    { index: 0, status: "400" },
    { index: 0, status: 400, error: {} },
    null,
  ];
  for (const refusal of refusals) {
    const { url, requests } = await serve(({ headers }) =>
      headers["content-type"] === NDJSON
        ? { status: 200, headers: BATCHES, text: JSON.stringify({ rejected: [refusal] }) }
        : { headers: BATCHES },
    );
    const sender = dial(url);
    await sender.send(message());
    const fates = await Promise.allSettled([sender.send(message(2)), sender.send(message(3))]);
    assert.equal(requests.length, 2);
    for (const { reason } of fates) {
      assert.match(reason.message, /did not tell the fate of a batch/, JSON.stringify(refusal));
    }
  }
});

test("an answer that is a bomb is an error, and the next send goes on", async () => {
  const answers = [
    { status: 200, text: "[".repeat(100_000) },
    { status: 200, text: "[".repeat(100_000_000) },
    { status: 503, headers: { "retry-after": "9".repeat(400) } },
    { status: 503, headers: { "retry-after": "\xb2" } },
    { status: 400, text: "\0\ud800".repeat(100_000) },
  ];
  const { url } = await serve((_, count) => answers[count - 1]);
  const sender = dial(url, { retries: 1 });
  for (const { status } of answers) {
    await assert.rejects(sender.send(message()), (error) => {
      assert.ok(error instanceof Rejected);
      assert.equal(error.status, status);
      assert.ok(error.message.length < 400);
      return true;
    });
  }
  await sender.send(message());
});

test("a send that is aborted while it waits is not sent, and harms no other", async () => {
  const { open, opened } = gate();
  const { url, requests } = await serve(async (_, count) => {
    if (count === 2) {
      await opened;
    }
    return { headers: BATCHES };
  });
  const sender = dial(url);
  await sender.send(message(0));
  const stop = new AbortController();
  const sends = await sendInTurn(sender, requests, [1, 2, 3], (n) => (n === 2 ? stop.signal : undefined));
  stop.abort(new Error("enough"));
  await assert.rejects(sends[1], /enough/);
  open();
  await Promise.all([sends[0], sends[2]]);
  assert.deepEqual(requests.map(idsIn), [[0], [1], [3]]);
  await assert.rejects(sender.send(message(), { signal: AbortSignal.abort(new Error("no")) }), /no/);
});

test("an aborted send does not wait for the answer, nor for the time to try again", async () => {
  const hanging = await serve(() => new Promise(() => {}));
  const stop = new AbortController();
  const sending = dial(hanging.url).send(message(), { signal: stop.signal });
  setTimeout(() => stop.abort(new Error("enough")), 20);
  await assert.rejects(sending, /enough/);
  const busy = await serve(() => ({ status: 503, headers: { "retry-after": "20" } }));
  await assert.rejects(dial(busy.url).send(message(), { signal: AbortSignal.timeout(100) }), { name: "TimeoutError" });
});

test("closing waits for what was begun, then refuses", async () => {
  const { open, opened } = gate();
  const { url } = await serve(() => opened.then(() => undefined));
  const sender = new HttpSender(url);
  const sending = sender.send(message());
  const closing = sender.close();
  await assert.rejects(sender.send(message()), TransportClosed);
  open();
  await Promise.all([sending, closing]);
  const busy = await serve(() => ({ status: 503, headers: { "retry-after": "20" } }));
  const patient = new HttpSender(busy.url);
  const waiting = assert.rejects(patient.send(message()), Rejected);
  await until(() => busy.requests.length === 1);
  await patient.close();
  await waiting;
});
