/** Who is let in: a request is judged by its head, and refused with a status that says why. */
import { timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { HTTP } from "../protocol.js";
const BATCH_TYPES = [HTTP.ndjson, "application/ndjson", "application/jsonl"];
// An answer that is given before the body has been read would be lost if the connection were closed
// under a peer that still writes: so what it writes is read for a while, and dropped.
const LINGER_MS = 1000;
/** A request that is answered with this status, and of which nothing is taken. */
export class Refused extends Error {
    status;
    headers;
    constructor(status, message, headers = {}) {
        super(message);
        this.status = status;
        this.headers = headers;
    }
}
/** Headers of an answer to a peer that may come back, after a second. */
export const RETRY_AFTER = { "retry-after": "1" };
/** Headers of an answer after which the connection is of no more use. */
export const CLOSE = { connection: "close" };
/**
 * Return the origin of the page that posts, or nothing when it is our own or no page.
 *
 * Any page that somebody looks at can post to a listener on their machine. So only pages of the
 * listener's own origin may, and those of the origins that were allowed. An origin whose host is a
 * name is not known to be our own: whoever holds the name can have it lead here once the page is
 * loaded (DNS rebinding).
 */
export function foreignOrigin({ headers }, allowOrigins) {
    const { origin } = headers;
    if (!origin) {
        return "";
    }
    if (allowOrigins.includes(origin) || allowOrigins.includes("*")) {
        return origin;
    }
    if (origin.slice(origin.indexOf("://") + 3) === headers.host && isAddress(origin)) {
        return "";
    }
    throw new Refused(403, "pages of this origin may not post here; allowOrigins names those that may");
}
/** Let a request in by its head, and tell whether it brings a batch. */
export function admit({ headers, method, url }, { path, token, batch }) {
    if (url?.split("?")[0] !== path) {
        throw new Refused(404, `messages are taken at ${path}`);
    }
    if (method !== "POST") {
        throw new Refused(405, "post a message", { allow: "POST, OPTIONS" });
    }
    if (token && !hasToken(headers.authorization, token)) {
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
    if (isBatch && !batch) {
        throw new Refused(415, `post one message, as ${HTTP.json}`);
    }
    return isBatch;
}
/** Return the headers that tell a browser what a page of an origin may do. */
export function preflightHeaders(origin) {
    return {
        allow: "POST, OPTIONS",
        ...(origin && {
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": "authorization, content-type, traceparent, tracestate",
            "access-control-max-age": "600",
        }),
    };
}
/** Answer a request that is refused. */
export function refuse(refused, request, response) {
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
/** Tell whether the host of an origin is an address or `localhost`, and no other name. */
function isAddress(origin) {
    const { hostname } = URL.canParse(origin) ? new URL(origin) : { hostname: "" };
    return hostname === "localhost" || isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
}
function hasToken(authorization, token) {
    const [, scheme = "", given = ""] = /^(\S*) *(.*?) *$/.exec(authorization ?? "") ?? [];
    const [expected, shown] = [Buffer.from(token), Buffer.from(given)];
    return (scheme.toLowerCase() === "bearer" &&
        expected.length === shown.length &&
        timingSafeEqual(expected, shown));
}
