/** The bodies of requests: read as a whole, within bounds of size, of time and of memory. */
import type { IncomingMessage } from "node:http";
/** The peer went away before its request was complete. */
export declare class Disconnected extends Error {
}
/** Reads bodies; those that arrive at the same time share a bound. */
export declare class BodyReader {
    #private;
    /**
     * @param timeoutMs - Bound on the arrival of one body.
     * @param maxArriving - How many bytes of bodies that are not complete are held; one alone may have
     *   more.
     */
    constructor(timeoutMs: number, maxArriving: number);
    /**
     * Read the body of a request.
     *
     * @param limit - The most bytes that it may have.
     * @throws {Refused} It is too long, takes too long, or there is too much else.
     * @throws {Disconnected} The peer went away.
     */
    read(request: IncomingMessage, limit: number): Promise<Buffer>;
}
/** Return the lines of a body that are not blank. */
export declare function linesOf(body: Buffer): Generator<Buffer>;
