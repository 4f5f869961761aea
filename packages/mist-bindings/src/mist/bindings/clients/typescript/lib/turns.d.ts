/** So many at once, and no more: the others wait for their turn, in the order in which they came. */
export declare class Turns {
    #private;
    /** @param limit - How many at once. */
    constructor(limit: number);
    /** Wait for a turn; whoever has had it gives it back by `end`. */
    begin(signal: AbortSignal | undefined): Promise<void>;
    /** Let the next one have the turn. */
    end(): void;
    /** Refuse those that have waited since a moment, in milliseconds of `performance.now()`, or longer. */
    refuse(reason: unknown, since?: number): void;
}
