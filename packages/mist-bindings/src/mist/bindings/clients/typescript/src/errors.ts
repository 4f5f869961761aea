/** What can be wrong with a message: it, or a value that was to become one, is not as it should be. */
export class ProtocolError extends Error {
  override readonly name: string = "ProtocolError";
  /** The standard error code. */
  readonly code = "protocol";
  /** Where the fault is: `$` is the value as a whole, then `.key` and `[index]`; empty if unknown. */
  readonly path: string;

  constructor(message: string, path = "", options?: ErrorOptions) {
    super(path ? `${message} - at \`${path}\`` : message, options);
    this.path = path;
  }
}

/** A message beyond the size limit. */
export class MessageTooLarge extends ProtocolError {
  override readonly name = "MessageTooLarge";
  /** Size of what was refused, in bytes; a lower bound where reading stopped early. */
  readonly size: number;
  /** The limit in force, in bytes. */
  readonly limit: number;

  constructor(size: number, limit: number, what = "message") {
    super(`${what} of ${size} bytes is over the limit of ${limit} bytes`);
    this.size = size;
    this.limit = limit;
  }
}

/** A protocol version, or a range of them, that this client does not speak. */
export class UnsupportedVersion extends ProtocolError {
  override readonly name = "UnsupportedVersion";
}

/** The standard error codes, on which retries and exit codes of every tool agree. */
export type ErrorCode =
  | "auth"
  | "conflict"
  | "internal"
  | "not_found"
  | "protocol"
  | "rate_limit"
  | "timeout"
  | "transport"
  | "unavailable"
  | "validation";

/** What is known of a transport's error besides its text. */
export interface TransportErrorOptions extends ErrorOptions {
  code?: ErrorCode | undefined;
  retryAfter?: number | undefined;
}

/** A message could not be sent or received. */
export class TransportError extends Error {
  override readonly name: string = "TransportError";
  /** The standard error code, `transport` unless a better one is known. */
  readonly code: ErrorCode;
  /** Seconds after which the peer asks to be tried again, if it said so. */
  readonly retryAfter: number | undefined;

  constructor(message: string, options: TransportErrorOptions = {}) {
    super(message, options);
    this.code = options.code ?? "transport";
    this.retryAfter = options.retryAfter;
  }
}

/** The transport was closed, by this side or by its peer. */
export class TransportClosed extends TransportError {
  override readonly name = "TransportClosed";
}

/** The source has no more messages, and will have none. */
export class EndOfStream extends TransportError {
  override readonly name = "EndOfStream";
}

/** The peer did not answer in time; whether it took the message is not known. */
export class TransportTimeout extends TransportError {
  override readonly name = "TransportTimeout";

  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, code: "timeout" });
  }
}

const CODES: Readonly<Record<number, ErrorCode>> = {
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
  override readonly name = "Rejected";
  /** The HTTP status of the answer, or of this message in a batch. */
  readonly status: number;
  /** The beginning of the answer's body. */
  readonly body: string;

  constructor(message: string, status: number, body = "", retryAfter?: number) {
    // RFC 9110, section 15: a 4xx that is not known is treated as a 400.
    const code = CODES[status] ?? (status >= 400 && status < 500 ? "protocol" : "transport");
    super(message, { code, retryAfter });
    this.status = status;
    this.body = body;
  }
}
