/**
 * Sends that wait while a request is in flight, put together into the next one.
 *
 * A send that finds nothing in flight goes at once, so that coalescing adds no delay; the longer a
 * request takes, the more the next one carries.
 */
import { TransportClosed, TransportError } from "./errors.js";
/** What became of one line: undefined when it was taken. */
export type Fate = TransportError | undefined;
/** Posts lines with extra headers and returns the fate of each, or throws for all of them. */
export type Post = (lines: string[], headers: Readonly<Record<string, string>>) => Promise<Fate[]>;
/** Sends lines in batches, each batch one request, and tells each line's fate. */
export declare class Coalescer {
    #private;
    /**
     * @param post - Makes one request.
     * @param maxMessages - How many lines a request carries at most.
     * @param maxBytes - How many bytes its lines have at most; a longer line goes alone.
     */
    constructor(post: Post, maxMessages: number, maxBytes: number);
    /** Send one line, at once or with those that wait; it throws if the line was not taken. */
    send(line: string, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<void>;
    /** Fail whatever still waits for its turn. */
    abandon(reason: TransportClosed): void;
}
