/** The receiving side of HTTP: a server that puts the messages posted to it into an inbox. */
import { type Message } from "../message.js";
import type { CallOptions, ReceiveOptions, Receiver } from "../transport.js";
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
/** Return the trace headers (`traceparent`, `tracestate`) with which a message came over HTTP. */
export declare function incomingHeaders(message: Message): Readonly<Record<string, string>>;
/** Receives the messages that are posted to it. What it has accepted stands in its inbox. */
export declare class HttpListener implements Receiver {
    #private;
    private constructor();
    /**
     * Listen; once it returns, connections are accepted.
     *
     * @throws {TransportError} The address is in use (code `conflict`) or not this machine's, or an
     *   option is wrong (both `validation`).
     */
    static listen(options?: ListenOptions): Promise<HttpListener>;
    /** What to post to from this machine. */
    get url(): string;
    /** Wait for a message that somebody posts; see `Receiver.receive`. */
    receive(options?: CallOptions): Promise<Message>;
    /** Accept nothing more, and finish what was begun. What was accepted can still be received. */
    close(): Promise<void>;
    [Symbol.asyncIterator](): AsyncIterator<Message>;
    [Symbol.asyncDispose](): Promise<void>;
}
