// What the compiler accepts of the package, and what it refuses; compiled, never run.

import {
  HttpSender,
  type InferRequest,
  type JsonValue,
  LineReader,
  Message,
  type Receiver,
  type Sender,
  type Transport,
} from "mist-client";
import { HttpListener, Stdio } from "mist-client/node";

// A message's type says what its payload is, in every branch.
export function narrow(message: Message): string | JsonValue {
  const { type, payload } = message.decode();
  switch (type) {
    case "infer.request":
      return payload.messages[0]?.content ?? payload.model;
    case "trace.span":
      return String(payload.end_ns - payload.start_ns + 1n);
    case "eval.result":
      return `${payload.baseline_score + payload.score} ${payload.error ?? "fine"}`;
    case "health.pong":
      return `${payload.from} ${Number(payload.uptime_s)}`;
    case undefined:
      return payload;
    default:
      return payload satisfies object as unknown as string;
  }
}

export const request: InferRequest = { model: "m", messages: [{ role: "user", content: "hi" }] };

Message.create("s", "infer.request", request);
Message.create("s", "acme.order", { any: ["thing", 1n, null] });
interface Order {
  number: number;
  notes?: string[];
}
const order: Order = { number: 7 };
Message.create("s", "acme.order", order);
// @ts-expect-error -- this has no JSON form
Message.create("s", "acme.order", Symbol("x"));
Message.create("s", "data.entities", { count: 2n ** 60n, format: "jsonl", path: "x" });
// @ts-expect-error -- a member is missing
Message.create("s", "infer.request", { model: "m" });
// @ts-expect-error -- nanoseconds are not a number
Message.create("s", "trace.span", { trace_id: "", span_id: "", operation: "", start_ns: 1, end_ns: 2n, status: "ok" });
// @ts-expect-error -- a member that there is not
Message.create("s", "health.ping", { from: "me", form: "me" });
// @ts-expect-error -- the payload of a message is its text
Message.create("s", "health.ping", { from: "me" }).payload.from;

export const sender: Sender = new HttpSender("http://localhost", { timeoutMs: 1, token: undefined });
export const transport: Transport = new Stdio();
export const receivers = async (): Promise<Receiver[]> => [
  await HttpListener.listen({ port: 0 }),
  new LineReader(process.stdin, "stdin"),
  // @ts-expect-error -- it only sends
  new HttpSender("http://localhost"),
];

// What can be closed can be disposed of.
export async function greet(): Promise<void> {
  await using listener = await HttpListener.listen();
  await using sender = new HttpSender(listener.url);
  await sender.send(Message.create("s", "acme.greeting", "hello"));
}
