/** What can be wrong with a message: it, or a value that was to become one, is not as it should be. */
export declare class ProtocolError extends Error {
    readonly name: string;
    /** The standard error code. */
    readonly code = "protocol";
    /** Where the fault is: `$` is the value as a whole, then `.key` and `[index]`; empty if unknown. */
    readonly path: string;
    constructor(message: string, path?: string, options?: ErrorOptions);
}
/** A message beyond the size limit. */
export declare class MessageTooLarge extends ProtocolError {
    readonly name = "MessageTooLarge";
    /** Size of what was refused, in bytes; a lower bound where reading stopped early. */
    readonly size: number;
    /** The limit in force, in bytes. */
    readonly limit: number;
    constructor(size: number, limit: number, what?: string);
}
/** A protocol version, or a range of them, that this client does not speak. */
export declare class UnsupportedVersion extends ProtocolError {
    readonly name = "UnsupportedVersion";
}
/** The standard error codes, on which retries and exit codes of every tool agree. */
export type ErrorCode = "auth" | "conflict" | "internal" | "not_found" | "protocol" | "rate_limit" | "timeout" | "transport" | "unavailable" | "validation";
/** What is known of a transport's error besides its text. */
export interface TransportErrorOptions extends ErrorOptions {
    code?: ErrorCode | undefined;
    retryAfter?: number | undefined;
}
/** A message could not be sent or received. */
export declare class TransportError extends Error {
    readonly name: string;
    /** The standard error code, `transport` unless a better one is known. */
    readonly code: ErrorCode;
    /** Seconds after which the peer asks to be tried again, if it said so. */
    readonly retryAfter: number | undefined;
    constructor(message: string, options?: TransportErrorOptions);
}
/** The transport was closed, by this side or by its peer. */
export declare class TransportClosed extends TransportError {
    readonly name = "TransportClosed";
}
/** The source has no more messages, and will have none. */
export declare class EndOfStream extends TransportError {
    readonly name = "EndOfStream";
}
/** The peer did not answer in time; whether it took the message is not known. */
export declare class TransportTimeout extends TransportError {
    readonly name = "TransportTimeout";
    constructor(message: string, options?: ErrorOptions);
}
/** The peer answered, and did not take the message. */
export declare class Rejected extends TransportError {
    readonly name = "Rejected";
    /** The HTTP status of the answer, or of this message in a batch. */
    readonly status: number;
    /** The beginning of the answer's body. */
    readonly body: string;
    constructor(message: string, status: number, body?: string, retryAfter?: number);
}
