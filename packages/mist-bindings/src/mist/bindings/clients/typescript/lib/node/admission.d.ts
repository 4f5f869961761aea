/** Who is let in: a request is judged by its head, and refused with a status that says why. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
/** What a listener admits. */
export interface Admission {
    /** Where messages are taken. */
    readonly path: string;
    /** The bearer token to demand; empty for none. */
    readonly token: string;
    /** Whether to take batches. */
    readonly batch: boolean;
}
/** A request that is answered with this status, and of which nothing is taken. */
export declare class Refused extends Error {
    readonly status: number;
    readonly headers: OutgoingHttpHeaders;
    constructor(status: number, message: string, headers?: OutgoingHttpHeaders);
}
/** Headers of an answer to a peer that may come back, after a second. */
export declare const RETRY_AFTER: {
    "retry-after": string;
};
/** Headers of an answer after which the connection is of no more use. */
export declare const CLOSE: {
    connection: string;
};
/**
 * Return the origin of the page that posts, or nothing when it is our own or no page.
 *
 * Any page that somebody looks at can post to a listener on their machine. So only pages of the
 * listener's own origin may, and those of the origins that were allowed. An origin whose host is a
 * name is not known to be our own: whoever holds the name can have it lead here once the page is
 * loaded (DNS rebinding).
 */
export declare function foreignOrigin({ headers }: IncomingMessage, allowOrigins: readonly string[]): string;
/** Let a request in by its head, and tell whether it brings a batch. */
export declare function admit({ headers, method, url }: IncomingMessage, { path, token, batch }: Admission): boolean;
/** Return the headers that tell a browser what a page of an origin may do. */
export declare function preflightHeaders(origin: string): OutgoingHttpHeaders;
/** Answer a request that is refused. */
export declare function refuse(refused: Refused, request: IncomingMessage, response: ServerResponse): void;
