/** What a peer answers to what was posted. */
/** An answer, read as far as it is of interest. */
export interface Answer {
    readonly status: number;
    readonly headers: Headers;
    /** The beginning of its body. */
    readonly body: string;
}
/** Why one message of a batch was not taken. */
export interface Refusal {
    /** Which one: 0 is the first message of the batch. */
    readonly index: number;
    /** The HTTP status that it would have met alone. */
    readonly status: number;
    /** The reason, for a human reader. */
    readonly error: string;
}
/** Read an answer; of a long body, the beginning. */
export declare function readAnswer(response: Response): Promise<Answer>;
/**
 * Return what the answer to a batch says of its messages; undefined where it does not say.
 *
 * @param count - How many messages the batch had.
 */
export declare function refusalsIn(body: string, count: number): Refusal[] | undefined;
/** Tell whether text is JSON. */
export declare function isJson(text: string): boolean;
/** Return the seconds that Retry-After asks for (RFC 9110, section 10.2.3), if it does. */
export declare function retryAfter(headers: Headers): number | undefined;
