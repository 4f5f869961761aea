/**
 * Sends that wait while a request is in flight, put together into the next one.
 *
 * A send that finds nothing in flight goes at once, so that coalescing adds no delay; the longer a
 * request takes, the more the next one carries.
 */
import { TransportClosed, TransportError, TransportTimeout } from "./errors.js";
import { onAbort } from "./signals.js";
// Turns of the microtask queue in which a sender that was told its message's fate, through the few
// promises in between, sends the next.
const TURNS = 16;
/** Sends lines in batches, each batch one request, and tells each line's fate. */
export class Coalescer {
    #post;
    #maxMessages;
    #maxBytes;
    // Lines with the same headers keep their order; those with others do not wait for them.
    #lanes = new Map();
    /**
     * @param post - Makes one request.
     * @param maxMessages - How many lines a request carries at most.
     * @param maxBytes - How many bytes its lines have at most; a longer line goes alone.
     */
    constructor(post, maxMessages, maxBytes) {
        this.#post = post;
        this.#maxMessages = maxMessages;
        this.#maxBytes = maxBytes;
    }
    /** Send one line, at once or with those that wait; it throws if the line was not taken. */
    send(line, headers, signal) {
        return new Promise((resolve, reject) => {
            const key = JSON.stringify(Object.entries(headers));
            // A signal that aborted while its message had another turn to wait for tells nobody any more.
            signal?.throwIfAborted();
            const running = this.#lanes.get(key);
            const lane = running ?? [];
            const waiting = {
                line,
                settle(fate) {
                    release();
                    if (fate === undefined) {
                        resolve();
                    }
                    else {
                        reject(fate);
                    }
                },
            };
            // Aborted while it waits, it is not sent; one that is on its way may still arrive.
            const release = onAbort(signal, () => {
                const place = lane.indexOf(waiting);
                if (place >= 0) {
                    lane.splice(place, 1);
                }
                reject(signal?.reason);
            });
            lane.push(waiting);
            if (!running) {
                this.#lanes.set(key, lane);
                // As soon as the caller has made all the sends that it makes without waiting.
                queueMicrotask(() => void this.#run(key, lane, headers));
            }
        });
    }
    /** Fail whatever still waits for its turn. */
    abandon(reason) {
        for (const lane of this.#lanes.values()) {
            for (const waiting of lane.splice(0)) {
                waiting.settle(reason);
            }
        }
    }
    async #run(key, lane, headers) {
        while (lane.length) {
            await this.#sendBatch(this.#nextBatch(lane), lane, headers);
            for (let turn = 0; turn < TURNS; turn += 1) {
                await undefined;
            }
        }
        this.#lanes.delete(key);
    }
    #nextBatch(lane) {
        let count = 0;
        let room = this.#maxBytes;
        for (const { line } of lane.slice(0, this.#maxMessages)) {
            // A unit of a string has three bytes at most: what is within the bound by that measure is.
            room -= line.length * 3;
            if (count && room < 0) {
                break;
            }
            count += 1;
        }
        return lane.splice(0, count);
    }
    async #sendBatch(batch, lane, headers) {
        const waitedThroughout = lane.length;
        try {
            const fates = await this.#post(batch.map((waiting) => waiting.line), headers);
            batch.forEach((waiting, index) => {
                waiting.settle(fates[index]);
            });
        }
        catch (error) {
            // These have waited as long as a request may take. Were each batch of them given as long
            // again, a peer that hangs would hold the last for ever.
            const late = error instanceof TransportTimeout ? lane.splice(0, waitedThroughout) : [];
            for (const waiting of [...batch, ...late]) {
                waiting.settle(error);
            }
        }
    }
}
