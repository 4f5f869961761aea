/** Where messages are posted: one request within its time, its answer, and what errors say of both. */
import { type Answer, type Refusal } from "./answer.js";
import { Rejected, TransportError } from "./errors.js";
/** How an endpoint is posted to. */
export interface EndpointOptions {
    /** Bearer token to send along. */
    readonly token: string | undefined;
    /** Bound on one request, in milliseconds. */
    readonly timeoutMs: number;
    readonly fetch: typeof fetch;
}
/** A URL that is posted to. */
export declare class Endpoint {
    #private;
    /** The URL without the query. */
    readonly name: string;
    /** @throws {TransportError} Code `validation`: the URL or the token is wrong. */
    constructor(url: string | URL, options: EndpointOptions);
    /**
     * Post a body, and return the answer, whatever its status.
     *
     * @throws {TransportTimeout} There was none in time.
     * @throws {TransportError} The peer could not be reached, or went away.
     */
    post(body: string, contentType: string, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Answer>;
    /** End the requests that are in flight. */
    abort(reason: TransportError): void;
    /** Return what an answer is to who sent a message that was not taken. */
    rejected(answer: Answer, why?: string): Rejected;
    /** Return what the answer to a batch is to who sent the message of it that was refused. */
    refused({ status, error }: Refusal, answer: Answer): Rejected;
}
