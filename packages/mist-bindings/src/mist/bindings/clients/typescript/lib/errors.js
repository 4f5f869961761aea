/** What can be wrong with a message: it, or a value that was to become one, is not as it should be. */
export class ProtocolError extends Error {
    name = "ProtocolError";
    /** The standard error code. */
    code = "protocol";
    /** Where the fault is: `$` is the value as a whole, then `.key` and `[index]`; empty if unknown. */
    path;
    constructor(message, path = "", options) {
        super(path ? `${message} - at \`${path}\`` : message, options);
        this.path = path;
    }
}
/** A message beyond the size limit. */
export class MessageTooLarge extends ProtocolError {
    name = "MessageTooLarge";
    /** Size of what was refused, in bytes; a lower bound where reading stopped early. */
    size;
    /** The limit in force, in bytes. */
    limit;
    constructor(size, limit, what = "message") {
        super(`${what} of ${size} bytes is over the limit of ${limit} bytes`);
        this.size = size;
        this.limit = limit;
    }
}
/** A protocol version, or a range of them, that this client does not speak. */
export class UnsupportedVersion extends ProtocolError {
    name = "UnsupportedVersion";
}
/** A message could not be sent or received. */
export class TransportError extends Error {
    name = "TransportError";
    /** The standard error code, `transport` unless a better one is known. */
    code;
    /** Seconds after which the peer asks to be tried again, if it said so. */
    retryAfter;
    constructor(message, options = {}) {
        super(message, options);
        this.code = options.code ?? "transport";
        this.retryAfter = options.retryAfter;
    }
}
/** The transport was closed, by this side or by its peer. */
export class TransportClosed extends TransportError {
    name = "TransportClosed";
}
/** The source has no more messages, and will have none. */
export class EndOfStream extends TransportError {
    name = "EndOfStream";
}
/** The peer did not answer in time; whether it took the message is not known. */
export class TransportTimeout extends TransportError {
    name = "TransportTimeout";
    constructor(message, options = {}) {
        super(message, { ...options, code: "timeout" });
    }
}
const CODES = {
    400: "protocol",
    401: "auth",
    403: "auth",
    404: "not_found",
    405: "not_found",
    408: "timeout",
    409: "conflict",
    410: "not_found",
    422: "validation",
    429: "rate_limit",
    503: "unavailable",
    504: "timeout",
};
/** The peer answered, and did not take the message. */
export class Rejected extends TransportError {
    name = "Rejected";
    /** The HTTP status of the answer, or of this message in a batch. */
    status;
    /** The beginning of the answer's body. */
    body;
    constructor(message, status, body = "", retryAfter) {
        // RFC 9110, section 15: a 4xx that is not known is treated as a 400.
        const code = CODES[status] ?? (status >= 400 && status < 500 ? "protocol" : "transport");
        super(message, { code, retryAfter });
        this.status = status;
        this.body = body;
    }
}
