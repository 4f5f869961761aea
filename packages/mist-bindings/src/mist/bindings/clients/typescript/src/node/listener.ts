/** The receiving side of HTTP: a server that puts the messages posted to it into an inbox. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";

import {
  MessageTooLarge,
  ProtocolError,
  TransportClosed,
  TransportError,
} from "../errors.js";
import { Mailbox } from "../mailbox.js";
import { type Message, parseReceived, sizeOver } from "../message.js";
import { checkBounds, MAX_TIMER_MS } from "../options.js";
import { HTTP, MAX_ENVELOPE_SIZE, MAX_MESSAGE_SIZE } from "../protocol.js";
import type { CallOptions, ReceiveOptions, Receiver } from "../transport.js";
import { messagesOf } from "../transport.js";
import { admit, foreignOrigin, preflightHeaders, refuse, Refused, RETRY_AFTER } from "./admission.js";
import { BodyReader, Disconnected, linesOf } from "./body.js";

/** Where and how to listen. */
export interface ListenOptions extends ReceiveOptions {
  /** The interface to listen at; by default this machine only. */
  host?: string | undefined;
  /** The port; 0, which is the default, for any that is free. */
  port?: number | undefined;
  /** Where messages are taken. */
  path?: string | undefined;
  /** Bearer token (RFC 6750) to demand of whoever posts here. */
  token?: string | undefined;
  /** How many messages may wait to be received; beyond that, peers are told to come back. */
  inbox?: number | undefined;
  /**
   * How many bytes of messages may wait in all, and how many of bodies that are still arriving;
   * beyond either, peers are told to come back.
   */
  inboxBytes?: number | undefined;
  /** Whether to take batches. */
  batch?: boolean | undefined;
  /** The largest payload, in bytes. */
  maxMessageSize?: number | undefined;
  /** Bound on the arrival of a request's head, in milliseconds. */
  headerTimeoutMs?: number | undefined;
  /** Bound on the arrival of a request's body, in milliseconds. */
  bodyTimeoutMs?: number | undefined;
  /** How long `close` waits for requests that have begun, in milliseconds. */
  shutdownTimeoutMs?: number | undefined;
  /** How many connections are served at once; more are turned away. */
  maxConnections?: number | undefined;
  /** Origins whose pages may post here from a browser; `*` allows all. */
  allowOrigins?: readonly string[] | undefined;
}

const BOUNDS = {
  port: [0, 65535],
  inbox: [1, Infinity],
  inboxBytes: [1, Infinity],
  maxMessageSize: [1, MAX_MESSAGE_SIZE],
  headerTimeoutMs: [1, MAX_TIMER_MS],
  bodyTimeoutMs: [1, MAX_TIMER_MS],
  shutdownTimeoutMs: [0, MAX_TIMER_MS],
  maxConnections: [1, Infinity],
} as const;
const ENVELOPE_ALLOWANCE = MAX_ENVELOPE_SIZE - MAX_MESSAGE_SIZE;
// Lines of a few bytes are no messages, and five million of them would each be an error.
const MAX_BATCH_LINES = 16 * HTTP.maxBatchMessages;
// Longer than clients keep an idle connection (Go: 90 s), so that no request meets the closing.
const IDLE_MS = 120_000;

const incoming = new WeakMap<Message, Readonly<Record<string, string>>>();

/** Return the trace headers (`traceparent`, `tracestate`) with which a message came over HTTP. */
export function incomingHeaders(message: Message): Readonly<Record<string, string>> {
  return incoming.get(message) ?? {};
}

/** Receives the messages that are posted to it. What it has accepted stands in its inbox. */
export class HttpListener implements Receiver {
  readonly #server: Server;
  readonly #mailbox = new Mailbox();
  readonly #bodies: BodyReader;
  readonly #options: Required<{ [K in keyof ListenOptions]: NonNullable<ListenOptions[K]> }>;
  #url = "";
  #closing: Promise<void> | undefined;

  private constructor(options: ListenOptions) {
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    this.#options = {
      host: "127.0.0.1",
      port: 0,
      path: HTTP.path,
      token: "",
      inbox: 1024,
      inboxBytes: 256 << 20,
      batch: true,
      maxMessageSize: MAX_MESSAGE_SIZE,
      headerTimeoutMs: 10_000,
      bodyTimeoutMs: 10_000,
      shutdownTimeoutMs: 5000,
      maxConnections: 1000,
      allowOrigins: [],
      anyVersion: false,
      ...Object.fromEntries(given),
    };
    checkBounds(this.#options, BOUNDS);
    if (!this.#options.path.startsWith("/")) {
      throw new TransportError("path must begin with a slash", { code: "validation" });
    }
    const { headerTimeoutMs, bodyTimeoutMs, inboxBytes } = this.#options;
    this.#bodies = new BodyReader(bodyTimeoutMs, inboxBytes);
    this.#server = createServer(
      {
        headersTimeout: headerTimeoutMs,
        // A body that is read has a bound of its own; this is for that of a request that was
        // refused by its head, which is dropped as it comes.
        requestTimeout: headerTimeoutMs + bodyTimeoutMs,
        keepAliveTimeout: IDLE_MS,
        connectionsCheckingInterval: Math.min(1000, headerTimeoutMs / 2),
      },
      (request, response) => {
        void this.#serve(request, response);
      },
    );
    this.#server.maxConnections = this.#options.maxConnections;
  }

  /**
   * Listen; once it returns, connections are accepted.
   *
   * @throws {TransportError} The address is in use (code `conflict`) or not this machine's, or an
   *   option is wrong (both `validation`).
   */
  static async listen(options: ListenOptions = {}): Promise<HttpListener> {
    const listener = new HttpListener(options);
    const { host, port } = listener.#options;
    await new Promise<void>((resolve, reject) => {
      listener.#server.once("error", (error: NodeJS.ErrnoException) => {
        const code = error.code === "EADDRINUSE" ? "conflict" : "validation";
        reject(new TransportError(`cannot listen at ${host}:${port}: ${error.message}`, { code, cause: error }));
      });
      listener.#server.listen(port, host, resolve);
    });
    listener.#url = urlOf(listener.#server.address() as AddressInfo, listener.#options.path);
    return listener;
  }

  /** What to post to from this machine. */
  get url(): string {
    return this.#url;
  }

  /** Wait for a message that somebody posts; see `Receiver.receive`. */
  receive(options?: CallOptions): Promise<Message> {
    return this.#mailbox.take(options);
  }

  /** Accept nothing more, and finish what was begun. What was accepted can still be received. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncIterator](): AsyncIterator<Message> {
    return messagesOf(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => {
      this.#server.closeAllConnections();
    }, this.#options.shutdownTimeoutMs);
    await closed;
    clearTimeout(timer);
    this.#mailbox.end(new TransportClosed("the listener was closed"));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const kinds = this.#options.batch ? `${HTTP.json}, ${HTTP.ndjson}` : HTTP.json;
    response.setHeader(HTTP.announcement, kinds);
    if (this.#closing) {
      response.setHeader("connection", "close");
    }
    try {
      const origin = foreignOrigin(request, this.#options.allowOrigins);
      if (origin) {
        response.setHeader("access-control-allow-origin", origin);
        response.setHeader("access-control-expose-headers", `${HTTP.announcement}, Retry-After`);
        response.setHeader("vary", "Origin");
      }
      if (request.method === "OPTIONS") {
        response.writeHead(204, preflightHeaders(origin)).end();
        return;
      }
      const isBatch = admit(request, this.#options);
      const limit = isBatch ? MAX_ENVELOPE_SIZE : this.#options.maxMessageSize + ENVELOPE_ALLOWANCE;
      const body = await this.#bodies.read(request, limit);
      if (isBatch) {
        this.#takeBatch(body, request, response);
      } else {
        this.#take(body, request);
        response.writeHead(202).end();
      }
    } catch (error) {
      if (error instanceof Refused) {
        refuse(error, request, response);
      } else if (error instanceof Disconnected) {
        response.destroy();
      } else {
        refuse(new Refused(500, "the listener failed"), request, response);
      }
    }
  }

  #take(body: Buffer, request: IncomingMessage): void {
    const refused = this.#put(body, request);
    if (refused) {
      throw refused;
    }
  }

  /** Take what can be taken, and tell the fate of each. */
  #takeBatch(body: Buffer, request: IncomingMessage, response: ServerResponse): void {
    const lines: Buffer[] = [];
    for (const line of linesOf(body)) {
      if (lines.length === MAX_BATCH_LINES) {
        throw new Refused(413, `the batch has more than ${MAX_BATCH_LINES} messages`);
      }
      lines.push(line);
    }
    if (!lines.length) {
      // Whoever sends one had messages: something in between has dropped them.
      throw new Refused(400, "there is no message in this batch");
    }
    const rejected: { index: number; status: number; error: string }[] = [];
    for (const [index, line] of lines.entries()) {
      const refused = this.#put(line, request);
      if (refused) {
        rejected.push({ index, status: refused.status, error: refused.message });
      }
    }
    if (!rejected.length) {
      response.writeHead(202).end();
      return;
    }
    const isFull = rejected.some(({ status }) => status === 503);
    response.writeHead(200, { "content-type": HTTP.json, ...(isFull ? RETRY_AFTER : {}) });
    response.end(JSON.stringify({ accepted: lines.length - rejected.length, rejected }));
  }

  #put(data: Buffer, request: IncomingMessage): Refused | undefined {
    const { anyVersion, inbox, inboxBytes, maxMessageSize } = this.#options;
    try {
      const message = parseReceived(data, anyVersion);
      const size = sizeOver(message.payload, maxMessageSize);
      if (size !== undefined) {
        throw new MessageTooLarge(size, maxMessageSize, "payload");
      }
      if (this.#mailbox.size >= inbox) {
        return new Refused(503, `the inbox is full: ${inbox} messages wait`, RETRY_AFTER);
      }
      // One message alone may be of any size that is allowed.
      if (this.#mailbox.size && this.#mailbox.bytes + data.length > inboxBytes) {
        return new Refused(503, `the inbox is full: ${this.#mailbox.bytes} bytes wait`, RETRY_AFTER);
      }
      remember(message, request);
      this.#mailbox.put(message, data.length);
      return undefined;
    } catch (error) {
      if (error instanceof ProtocolError) {
        return new Refused(error instanceof MessageTooLarge ? 413 : 400, error.message);
      }
      throw error;
    }
  }
}

function urlOf({ address, port }: AddressInfo, path: string): string {
  const dialed = { "0.0.0.0": "127.0.0.1", "::": "127.0.0.1" }[address] ?? address;
  return `http://${isIPv6(dialed) ? `[${dialed}]` : dialed}:${port}${path}`;
}

function remember(message: Message, { headers }: IncomingMessage): void {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent === "string") {
    // Node has joined the headers of one list already.
    incoming.set(message, {
      traceparent,
      ...(tracestate === undefined ? {} : { tracestate: String(tracestate) }),
    });
  }
}
