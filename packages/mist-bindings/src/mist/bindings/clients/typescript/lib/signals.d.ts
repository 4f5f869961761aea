/** Waiting that ends early. */
/** Abort when any of the signals does, until the returned function is called. */
export declare function relay(stop: AbortController, ...signals: (AbortSignal | undefined)[]): () => void;
/** Wait, at most until the transport is being closed; an aborted wait throws the reason. */
export declare function pause(ms: number, signal: AbortSignal | undefined, closing: AbortSignal): Promise<void>;
