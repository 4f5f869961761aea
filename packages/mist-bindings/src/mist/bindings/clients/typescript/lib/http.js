/** The sending side of HTTP: posts messages one by one, or in batches to a peer that takes them. */
import { isJson, refusalsIn } from "./answer.js";
import { Coalescer } from "./coalescing.js";
import { Endpoint } from "./endpoint.js";
import { MessageTooLarge, Rejected, TransportClosed, TransportError, TransportTimeout } from "./errors.js";
import { sizeOver } from "./message.js";
import { checkBounds, MAX_TIMER_MS } from "./options.js";
import { HTTP, MAX_ENVELOPE_SIZE, MAX_MESSAGE_SIZE } from "./protocol.js";
import { pause } from "./signals.js";
import { Turns } from "./turns.js";
const BOUNDS = {
    timeoutMs: [1, MAX_TIMER_MS],
    retries: [0, Infinity],
    maxRetryAfterMs: [0, MAX_TIMER_MS],
    maxBatchMessages: [1, Infinity],
    maxBatchBytes: [1, Infinity],
};
// Each has a connection of its own, of which neither side can have any number.
const MAX_SINGLES_IN_FLIGHT = 64;
const NOT_UNDERSTOOD = [400, 404, 405, 415];
/**
 * Posts messages to one URL.
 *
 * To a peer that takes batches, the sends that wait while a request is in flight go together in the
 * next one. Each still gets its own message's fate, and they arrive in the order in which they were
 * sent, except for one that is sent again because the peer had no room for it. To any other peer, and
 * before the first answer, messages go alone, a bounded number at once, and may overtake each other.
 */
export class HttpSender {
    /** Where it posts, without the query. */
    name;
    /** Whether the peer has said that it takes batches. */
    peerBatches = false;
    #endpoint;
    #timeoutMs;
    #retries;
    #maxRetryAfterMs;
    #batch;
    #coalescer;
    #turns = new Turns(MAX_SINGLES_IN_FLIGHT);
    #pending = new Set();
    #closing = new AbortController();
    /**
     * Nothing is looked up or connected before the first message is sent.
     *
     * @param url - Where to post: `http://host:port/path` or `https://...`; without a path, to `/mist`.
     * @throws {TransportError} Code `validation`: the URL, the token or an option is wrong.
     */
    constructor(url, options = {}) {
        const numbers = {
            timeoutMs: options.timeoutMs ?? HTTP.timeoutMs,
            retries: options.retries ?? 3,
            maxRetryAfterMs: options.maxRetryAfterMs ?? 30_000,
            maxBatchMessages: options.maxBatchMessages ?? HTTP.maxBatchMessages,
            maxBatchBytes: options.maxBatchBytes ?? HTTP.maxBatchBytes,
        };
        checkBounds(numbers, BOUNDS);
        this.#timeoutMs = numbers.timeoutMs;
        this.#retries = numbers.retries;
        this.#maxRetryAfterMs = numbers.maxRetryAfterMs;
        this.#batch = options.batch ?? true;
        this.#endpoint = new Endpoint(url, {
            token: options.token,
            timeoutMs: this.#timeoutMs,
            fetch: options.fetch ?? fetch,
        });
        this.name = this.#endpoint.name;
        this.#coalescer = new Coalescer((lines, headers) => this.#postBatch(lines, headers), numbers.maxBatchMessages, numbers.maxBatchBytes);
    }
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
    async send(message, options = {}) {
        const sending = this.#send(message, options);
        const settled = sending.catch(() => undefined);
        this.#pending.add(settled);
        try {
            await sending;
        }
        finally {
            this.#pending.delete(settled);
        }
    }
    /** Refuse further sends, wait for those that have begun as long as a request may take. */
    async close() {
        const reason = new TransportClosed(`the transport to ${this.name} was closed`);
        this.#closing.abort(reason);
        const timer = setTimeout(() => {
            this.#coalescer.abandon(reason);
            this.#turns.refuse(reason);
            this.#endpoint.abort(reason);
        }, this.#timeoutMs);
        await Promise.all(this.#pending);
        clearTimeout(timer);
    }
    [Symbol.asyncDispose]() {
        return this.close();
    }
    async #send(message, { headers = {}, signal }) {
        signal?.throwIfAborted();
        this.#closing.signal.throwIfAborted();
        const line = marshalled(message);
        for (let attempt = 0;; attempt += 1) {
            try {
                await this.#sendOnce(line, headers, signal);
                return;
            }
            catch (error) {
                const delay = error instanceof Rejected ? this.#retryDelay(error, attempt) : undefined;
                if (delay === undefined) {
                    throw error;
                }
                // A transport that is being closed does not wait: the message's fate is what it was.
                await pause(delay, signal, this.#closing.signal);
                if (this.#closing.signal.aborted) {
                    throw error;
                }
            }
        }
    }
    #retryDelay(error, attempt) {
        if (error.status !== 503 || error.retryAfter === undefined || attempt >= this.#retries) {
            return undefined;
        }
        const delay = error.retryAfter * 1000;
        return delay <= this.#maxRetryAfterMs ? delay : undefined;
    }
    async #sendOnce(line, headers, signal) {
        // A payload that came with line breaks keeps them where it can: alone in its request.
        const goesAlone = line.includes("\n");
        if (goesAlone || !this.peerBatches) {
            await this.#turns.begin(signal);
            try {
                // While this one waited, the first answer may have told that the peer takes batches.
                if (goesAlone || !this.peerBatches) {
                    await this.#sendAlone(line, headers, signal);
                    return;
                }
            }
            finally {
                this.#turns.end();
            }
        }
        await this.#coalescer.send(line, headers, signal);
    }
    async #sendAlone(line, headers, signal) {
        const begun = performance.now();
        let fault;
        try {
            fault = await this.#postSingle(line, headers, signal);
        }
        catch (error) {
            if (error instanceof TransportTimeout) {
                // Those have waited as long as a request may take; a peer that hangs holds none for longer.
                this.#turns.refuse(error, begun);
            }
            throw error;
        }
        if (fault) {
            throw fault;
        }
    }
    async #postSingle(line, headers, signal) {
        const answer = await this.#exchange(line, HTTP.json, headers, signal);
        if (answer.status === 200 && answer.body && !isJson(answer.body)) {
            return this.#endpoint.rejected(answer, "is not a MIST listener: it answered 200 with a page");
        }
        return answer.status >= 200 && answer.status < 300 ? undefined : this.#endpoint.rejected(answer);
    }
    async #postBatch(lines, headers) {
        if (lines.length === 1) {
            return [await this.#postSingle(lines[0], headers)];
        }
        const answer = await this.#exchange(`${lines.join("\n")}\n`, HTTP.ndjson, headers);
        if (answer.status === 202) {
            return lines.map(() => undefined);
        }
        if (answer.status === 200) {
            return this.#fates(answer, lines.length);
        }
        const takesNone = NOT_UNDERSTOOD.includes(answer.status) && !this.peerBatches;
        if (answer.status === 413 || takesNone) {
            // Nothing of it was taken: the peer at this address takes no batches any more, or smaller
            // ones than this. One after the other, so that they keep their order.
            const fates = [];
            for (const line of lines) {
                fates.push(await this.#retryAlone(line, headers));
            }
            return fates;
        }
        return lines.map(() => this.#endpoint.rejected(answer));
    }
    async #retryAlone(line, headers) {
        try {
            return await this.#postSingle(line, headers);
        }
        catch (error) {
            if (error instanceof TransportError) {
                return error;
            }
            throw error;
        }
    }
    /** Read the answer to a batch that was not taken as a whole. */
    #fates(answer, count) {
        const rejected = refusalsIn(answer.body, count);
        if (!rejected) {
            return Array.from({ length: count }, () => this.#endpoint.rejected(answer, "did not tell the fate of a batch"));
        }
        const fates = new Array(count).fill(undefined);
        for (const refusal of rejected) {
            fates[refusal.index] = this.#endpoint.refused(refusal, answer);
        }
        return fates;
    }
    async #exchange(body, contentType, headers, signal) {
        const answer = await this.#endpoint.post(body, contentType, headers, signal);
        this.#learn(answer);
        return answer;
    }
    #learn(answer) {
        if (answer.headers.get(HTTP.announcement)?.includes(HTTP.ndjson)) {
            this.peerBatches = this.#batch;
        }
        else if (answer.status < 300 || NOT_UNDERSTOOD.includes(answer.status)) {
            this.peerBatches = false;
        }
        // Any other answer may come from something in between, and tells nothing of the peer.
    }
}
function marshalled(message) {
    const payload = sizeOver(message.payload, MAX_MESSAGE_SIZE);
    if (payload !== undefined) {
        throw new MessageTooLarge(payload, MAX_MESSAGE_SIZE, "payload");
    }
    const line = message.marshal();
    const envelope = sizeOver(line, MAX_ENVELOPE_SIZE);
    if (envelope !== undefined) {
        throw new MessageTooLarge(envelope, MAX_ENVELOPE_SIZE);
    }
    return line;
}
