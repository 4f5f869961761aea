/** The receiving side of HTTP: a server that puts the messages posted to it into an inbox. */
import { timingSafeEqual } from "node:crypto";
import { createServer, } from "node:http";
import { isIP, isIPv6 } from "node:net";
import { MessageTooLarge, ProtocolError, TransportClosed, TransportError, } from "../errors.js";
import { Mailbox } from "../mailbox.js";
import { parseReceived, sizeOver } from "../message.js";
import { HTTP, MAX_ENVELOPE_SIZE, MAX_MESSAGE_SIZE } from "../protocol.js";
import { messagesOf } from "../transport.js";
const ENVELOPE_ALLOWANCE = MAX_ENVELOPE_SIZE - MAX_MESSAGE_SIZE;
const BATCH_TYPES = [HTTP.ndjson, "application/ndjson", "application/jsonl"];
const RETRY_AFTER = { "retry-after": "1" };
const NEWLINE = 0x0a;
// An answer that is given before the body has been read would be lost if the connection were closed
// under a peer that still writes: so what it writes is read for a while, and dropped.
const LINGER_MS = 1000;
// Longer than clients keep an idle connection (Go: 90 s), so that no request meets the closing.
const IDLE_MS = 120_000;
const incoming = new WeakMap();
/** Return the trace headers (`traceparent`, `tracestate`) with which a message came over HTTP. */
export function incomingHeaders(message) {
    return incoming.get(message) ?? {};
}
/** Tell whether the host of an origin is an address or `localhost`, and no other name. */
function isAddress(origin) {
    const { hostname } = URL.canParse(origin) ? new URL(origin) : { hostname: "" };
    return hostname === "localhost" || isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
}
/** A request that is answered with this status, and of which nothing is taken. */
class Refused extends Error {
    status;
    headers;
    constructor(status, message, headers = {}) {
        super(message);
        this.status = status;
        this.headers = headers;
    }
}
/** The peer went away before its request was complete. */
class Disconnected extends Error {
}
/** Receives the messages that are posted to it. What it has accepted stands in its inbox. */
export class HttpListener {
    #server;
    #mailbox = new Mailbox();
    #options;
    #url = "";
    #closing;
    constructor(options) {
        const given = Object.entries(options).filter(([, value]) => value !== undefined);
        this.#options = {
            host: "127.0.0.1",
            port: 0,
            path: HTTP.path,
            token: "",
            inbox: 1024,
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
        this.#server = createServer({
            headersTimeout: this.#options.headerTimeoutMs,
            requestTimeout: 0, // the body has a bound of its own
            keepAliveTimeout: IDLE_MS,
            connectionsCheckingInterval: Math.min(1000, this.#options.headerTimeoutMs / 2),
        }, (request, response) => {
            void this.#serve(request, response);
        });
        this.#server.maxConnections = this.#options.maxConnections;
    }
    /**
     * Listen; once it returns, connections are accepted.
     *
     * @throws {TransportError} The address is in use (code `conflict`) or not this machine's.
     */
    static async listen(options = {}) {
        const listener = new HttpListener(options);
        const { host, port } = listener.#options;
        await new Promise((resolve, reject) => {
            listener.#server.once("error", (error) => {
                const code = error.code === "EADDRINUSE" ? "conflict" : "validation";
                reject(new TransportError(`cannot listen at ${host}:${port}: ${error.message}`, { code, cause: error }));
            });
            listener.#server.listen(port, host, resolve);
        });
        listener.#url = urlOf(listener.#server.address(), listener.#options.path);
        return listener;
    }
    /** What to post to from this machine. */
    get url() {
        return this.#url;
    }
    /** Wait for a message that somebody posts; see `Receiver.receive`. */
    receive(options) {
        return this.#mailbox.take(options);
    }
    /** Accept nothing more, and finish what was begun. What was accepted can still be received. */
    close() {
        this.#closing ??= this.#close();
        return this.#closing;
    }
    [Symbol.asyncIterator]() {
        return messagesOf(this);
    }
    async #close() {
        const closed = new Promise((resolve) => this.#server.close(resolve));
        this.#server.closeIdleConnections();
        const timer = setTimeout(() => {
            this.#server.closeAllConnections();
        }, this.#options.shutdownTimeoutMs);
        await closed;
        clearTimeout(timer);
        this.#mailbox.end(new TransportClosed("the listener was closed"));
    }
    async #serve(request, response) {
        const kinds = this.#options.batch ? `${HTTP.json}, ${HTTP.ndjson}` : HTTP.json;
        response.setHeader(HTTP.announcement, kinds);
        if (this.#closing) {
            response.setHeader("connection", "close");
        }
        try {
            const origin = this.#foreignOrigin(request);
            if (origin) {
                response.setHeader("access-control-allow-origin", origin);
                response.setHeader("access-control-expose-headers", `${HTTP.announcement}, Retry-After`);
                response.setHeader("vary", "Origin");
            }
            if (request.method === "OPTIONS") {
                response.writeHead(204, preflightHeaders(origin)).end();
                return;
            }
            const isBatch = this.#admit(request);
            const body = await this.#body(request, isBatch);
            if (isBatch) {
                this.#takeBatch(body, request, response);
            }
            else {
                this.#take(body, request);
                response.writeHead(202).end();
            }
        }
        catch (error) {
            if (error instanceof Refused) {
                refuse(error, request, response);
            }
            else if (error instanceof Disconnected) {
                response.destroy();
            }
            else {
                refuse(new Refused(500, "the listener failed"), request, response);
            }
        }
    }
    /**
     * Return the origin of the page that posts, or nothing when it is our own or no page.
     *
     * Any page that somebody looks at can post to a listener on their machine. So only pages of the
     * listener's own origin may, and those of the origins that were allowed. An origin whose host is a
     * name is not known to be our own: whoever holds the name can have it lead here once the page is
     * loaded (DNS rebinding).
     */
    #foreignOrigin({ headers }) {
        const { origin } = headers;
        if (!origin) {
            return "";
        }
        const { allowOrigins } = this.#options;
        if (allowOrigins.includes(origin) || allowOrigins.includes("*")) {
            return origin;
        }
        if (origin.slice(origin.indexOf("://") + 3) === headers.host && isAddress(origin)) {
            return "";
        }
        throw new Refused(403, "pages of this origin may not post here; allowOrigins names those that may");
    }
    /** Let a request in by its head, and tell whether it brings a batch. */
    #admit({ headers, method, url }) {
        if (url?.split("?")[0] !== this.#options.path) {
            throw new Refused(404, `messages are taken at ${this.#options.path}`);
        }
        if (method !== "POST") {
            throw new Refused(405, "post a message", { allow: "POST, OPTIONS" });
        }
        if (this.#options.token && !hasToken(headers.authorization, this.#options.token)) {
            throw new Refused(401, "no token, or the wrong one", {
                "www-authenticate": 'Bearer realm="mist"',
            });
        }
        if ((headers["content-encoding"] ?? "identity").toLowerCase() !== "identity") {
            throw new Refused(415, "send the body without Content-Encoding", {
                "accept-encoding": "identity",
            });
        }
        const type = (headers["content-type"] ?? "").split(";")[0] ?? "";
        const isBatch = BATCH_TYPES.includes(type.trim().toLowerCase());
        if (isBatch && !this.#options.batch) {
            throw new Refused(415, `post one message, as ${HTTP.json}`);
        }
        return isBatch;
    }
    async #body(request, isBatch) {
        const limit = isBatch ? MAX_ENVELOPE_SIZE : this.#options.maxMessageSize + ENVELOPE_ALLOWANCE;
        if (Number(request.headers["content-length"] ?? 0) > limit) {
            throw tooLong(limit);
        }
        const { bodyTimeoutMs } = this.#options;
        return await new Promise((resolve, reject) => {
            const chunks = [];
            let size = 0;
            const timer = setTimeout(() => {
                const seconds = bodyTimeoutMs / 1000;
                stop(new Refused(408, `the body did not arrive within ${seconds} seconds`, CLOSE));
            }, bodyTimeoutMs);
            const stop = (error) => {
                clearTimeout(timer);
                request.removeAllListeners("data");
                reject(error);
            };
            request.on("data", (chunk) => {
                size += chunk.length;
                chunks.push(chunk);
                if (size > limit) {
                    stop(tooLong(limit));
                }
            });
            request.on("end", () => {
                clearTimeout(timer);
                resolve(Buffer.concat(chunks));
            });
            request.on("error", () => {
                stop(new Disconnected());
            });
            request.on("close", () => {
                stop(new Disconnected());
            });
        });
    }
    #take(body, request) {
        const refused = this.#put(body, request);
        if (refused) {
            throw refused;
        }
    }
    /** Take what can be taken, and tell the fate of each. */
    #takeBatch(body, request, response) {
        const rejected = [];
        let count = 0;
        for (const line of linesOf(body)) {
            const refused = this.#put(line, request);
            if (refused) {
                rejected.push({ index: count, status: refused.status, error: refused.message });
            }
            count += 1;
        }
        if (!count) {
            // Whoever sends one had messages: something in between has dropped them.
            throw new Refused(400, "there is no message in this batch");
        }
        if (!rejected.length) {
            response.writeHead(202).end();
            return;
        }
        const isFull = rejected.some(({ status }) => status === 503);
        response.writeHead(200, { "content-type": HTTP.json, ...(isFull ? RETRY_AFTER : {}) });
        response.end(JSON.stringify({ accepted: count - rejected.length, rejected }));
    }
    #put(data, request) {
        const { anyVersion, inbox, maxMessageSize } = this.#options;
        try {
            const message = parseReceived(data, anyVersion);
            const size = sizeOver(message.payload, maxMessageSize);
            if (size !== undefined) {
                throw new MessageTooLarge(size, maxMessageSize, "payload");
            }
            if (this.#mailbox.size >= inbox) {
                return new Refused(503, `the inbox is full: ${inbox} messages wait`, RETRY_AFTER);
            }
            remember(message, request);
            this.#mailbox.put(message);
            return undefined;
        }
        catch (error) {
            if (error instanceof ProtocolError) {
                return new Refused(error instanceof MessageTooLarge ? 413 : 400, error.message);
            }
            throw error;
        }
    }
}
const CLOSE = { connection: "close" };
function urlOf({ address, port }, path) {
    const dialed = { "0.0.0.0": "127.0.0.1", "::": "127.0.0.1" }[address] ?? address;
    return `http://${isIPv6(dialed) ? `[${dialed}]` : dialed}:${port}${path}`;
}
function tooLong(limit) {
    return new Refused(413, `the body is over the limit of ${limit} bytes`, CLOSE);
}
function preflightHeaders(origin) {
    return {
        allow: "POST, OPTIONS",
        ...(origin && {
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": "authorization, content-type, traceparent, tracestate",
            "access-control-max-age": "600",
        }),
    };
}
function refuse(refused, request, response) {
    const body = `${refused.message}\n`;
    response.writeHead(refused.status, {
        "content-type": "text/plain; charset=utf-8",
        "content-length": Buffer.byteLength(body),
        ...refused.headers,
    });
    if (refused.headers.connection !== "close") {
        response.end(body);
        return;
    }
    response.write(body);
    request.resume();
    const timer = setTimeout(finish, LINGER_MS);
    request.once("end", finish);
    request.once("close", finish);
    function finish() {
        clearTimeout(timer);
        response.end();
    }
}
function hasToken(authorization, token) {
    const [, scheme = "", given = ""] = /^(\S*) *(.*?) *$/.exec(authorization ?? "") ?? [];
    const [expected, shown] = [Buffer.from(token), Buffer.from(given)];
    return (scheme.toLowerCase() === "bearer" &&
        expected.length === shown.length &&
        timingSafeEqual(expected, shown));
}
function remember(message, { headers }) {
    const { traceparent, tracestate } = headers;
    if (typeof traceparent === "string") {
        // Node has joined the headers of one list already.
        incoming.set(message, {
            traceparent,
            ...(tracestate === undefined ? {} : { tracestate: String(tracestate) }),
        });
    }
}
function* linesOf(body) {
    for (let start = 0; start < body.length;) {
        const newline = body.indexOf(NEWLINE, start);
        const end = newline < 0 ? body.length : newline;
        const line = body.subarray(start, end);
        if (!line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) {
            yield line;
        }
        start = end + 1;
    }
}
