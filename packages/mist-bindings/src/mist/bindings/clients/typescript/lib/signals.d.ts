/** Waiting that ends early. */
/**
 * Call back when a signal aborts, until the returned function is called.
 *
 * However many calls share a signal, it gets one listener: Node warns of a leak at eleven.
 */
export declare function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void;
/** Abort when any of the signals does, until the returned function is called. */
export declare function relay(stop: AbortController, ...signals: (AbortSignal | undefined)[]): () => void;
/** Wait, at most until the transport is being closed; an aborted wait throws the reason. */
export declare function pause(ms: number, signal: AbortSignal | undefined, closing: AbortSignal): Promise<void>;
