/** The sending side of HTTP: posts messages one by one, or in batches to a peer that takes them. */
import { type Message } from "./message.js";
import type { Sender, SendOptions } from "./transport.js";
/** How an `HttpSender` sends. */
export interface HttpSenderOptions {
    /** Bearer token (RFC 6750) to send along. */
    token?: string | undefined;
    /** Bound on one request, in milliseconds. */
    timeoutMs?: number | undefined;
    /** How often a message is sent again that was answered with 503 and Retry-After. */
    retries?: number | undefined;
    /** The longest that Retry-After may ask for, in milliseconds; beyond it, sending fails. */
    maxRetryAfterMs?: number | undefined;
    /** Whether to send batches to a peer that takes them. */
    batch?: boolean | undefined;
    /** How many messages a batch has at most. */
    maxBatchMessages?: number | undefined;
    /** How many bytes a batch has at most; a longer message goes alone. */
    maxBatchBytes?: number | undefined;
    /** What makes requests, instead of the platform's `fetch`. */
    fetch?: typeof fetch | undefined;
}
/**
 * Posts messages to one URL.
 *
 * To a peer that takes batches, the sends that wait while a request is in flight go together in the
 * next one. Each still gets its own message's fate, and they arrive in the order in which they were
 * sent, except for one that is sent again because the peer had no room for it. To any other peer, and
 * before the first answer, messages go alone, a bounded number at once, and may overtake each other.
 */
export declare class HttpSender implements Sender {
    #private;
    /** Where it posts, without the query. */
    readonly name: string;
    /** Whether the peer has said that it takes batches. */
    peerBatches: boolean;
    /**
     * Nothing is looked up or connected before the first message is sent.
     *
     * @param url - Where to post: `http://host:port/path` or `https://...`; without a path, to `/mist`.
     * @throws {TransportError} Code `validation`: the URL, the token or an option is wrong.
     */
    constructor(url: string | URL, options?: HttpSenderOptions);
    /**
     * Post one message and wait until the peer has taken it.
     *
     * @throws {MessageTooLarge} It is over the limit; nothing was sent.
     * @throws {Rejected} The peer answered, and did not take it.
     * @throws {TransportTimeout} There was no answer in time; the peer may have taken it.
     * @throws {TransportError} The peer could not be reached, or went away; in the latter case it may
     *   have taken it.
     * @throws {TransportClosed} The transport was closed.
     */
    send(message: Message, options?: SendOptions): Promise<void>;
    /** Refuse further sends, wait for those that have begun as long as a request may take. */
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}
