// Messages to and from another process, and a process that is told to end.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { test } from "node:test";

import { EndOfStream, HttpSender, Message, ProtocolError, TransportClosed } from "mist-client";
import { Stdio } from "mist-client/node";

const message = (payload = 1) => Message.create("s", "t", payload);

const CHILD = `
  import { Stdio } from "mist-client/node";
  const stdio = new Stdio();
  console.log("printed");
  try {
    new Stdio();
  } catch (error) {
    console.log(error.code);
  }
  for await (const message of stdio) await stdio.send(message);
  await stdio.close();
  console.log("at the end");
`;

test("a process in a pipe echoes messages, and its prints go to standard error", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", CHILD], { cwd: import.meta.dirname });
  const stderr = child.stderr.toArray();
  const peer = new Stdio(child.stdout, child.stdin);
  const sent = message({ text: "<é🎉\u2028>" }).withChecksum();
  await peer.send(sent);
  assert.equal((await peer.receive()).marshal(), sent.marshal());
  child.stdin.end();
  await assert.rejects(peer.receive(), ProtocolError); // what it prints once it has let go
  await assert.rejects(peer.receive(), EndOfStream);
  assert.deepEqual(await once(child, "exit"), [0, null]);
  assert.equal(Buffer.concat(await stderr).toString(), "printed\nconflict\n");
  await peer.close();
});

test("the death of the other process ends pending calls", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", CHILD], { cwd: import.meta.dirname });
  const peer = new Stdio(child.stdout, child.stdin);
  const waiting = assert.rejects(peer.receive(), EndOfStream);
  child.kill("SIGKILL");
  await waiting;
  await once(child, "exit");
  await assert.rejects(
    (async () => {
      for (;;) {
        await peer.send(message("x".repeat(100_000)));
      }
    })(),
    TransportClosed,
  );
  await peer.close();
  await peer.close();
  await assert.rejects(peer.send(message()), TransportClosed);
});

test("a peer that is dead can be closed at once", async () => {
  // What its pipe still has to say must not end this process.
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"]);
  const peer = new Stdio(child.stdout, child.stdin);
  const sending = assert.rejects(peer.send(message("x".repeat(5_000_000))), TransportClosed);
  child.stdin.destroy(new Error("EPIPE"));
  await peer.close();
  await sending;
  child.kill("SIGKILL");
  await once(child, "exit");
});

test("any number of messages can be sent at once, and end with the pipe", async () => {
  const warnings = [];
  const onWarning = (warning) => warnings.push(warning.message);
  process.on("warning", onWarning);
  const output = new PassThrough({ highWaterMark: 1 });
  const peer = new Stdio(new PassThrough(), output);
  const sends = Array.from({ length: 100 }, (_, n) => peer.send(message(n)));
  output.destroy(new Error("it broke"));
  await peer.close();
  const [, ...fates] = await Promise.allSettled(sends);
  assert.ok(fates.every(({ reason }) => reason instanceof TransportClosed));
  await new Promise(setImmediate);
  process.off("warning", onWarning);
  assert.deepEqual(warnings, []);
});

const SERVICE = `
  import { HttpListener } from "mist-client/node";
  const listener = await HttpListener.listen();
  process.once("SIGINT", () => void listener.close());
  console.log(listener.url);
  for await (const message of listener) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log(message.value());
  }
  console.log("at the end");
`;

test("a service that closes its listener on Ctrl-C handles what it has accepted", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", SERVICE], { cwd: import.meta.dirname });
  const exit = once(child, "exit");
  const lines = child.stdout.setEncoding("utf8")[Symbol.asyncIterator]();
  const sender = new HttpSender((await lines.next()).value.trim());
  await Promise.all([1, 2, 3].map((n) => sender.send(message(n))));
  child.kill("SIGINT");
  let told = "";
  for await (const text of lines) {
    told += text;
  }
  assert.deepEqual(told.trim().split("\n").sort(), ["1", "2", "3", "at the end"]);
  assert.deepEqual(await exit, [0, null]);
});
