/** Waiting that ends early. */
const callbacksOf = new WeakMap();
/**
 * Call back when a signal aborts, until the returned function is called.
 *
 * However many calls share a signal, it gets one listener: Node warns of a leak at eleven.
 */
export function onAbort(signal, callback) {
    if (!signal) {
        return () => undefined;
    }
    const callbacks = callbacksOf.get(signal) ?? new Set();
    if (!callbacksOf.has(signal)) {
        callbacksOf.set(signal, callbacks);
        const callAll = () => {
            for (const each of callbacks) {
                each();
            }
        };
        signal.addEventListener("abort", callAll, { once: true });
    }
    callbacks.add(callback);
    return () => callbacks.delete(callback);
}
/** Abort when any of the signals does, until the returned function is called. */
export function relay(stop, ...signals) {
    const releases = signals.map((signal) => {
        const abort = () => {
            stop.abort(signal?.reason);
        };
        if (signal?.aborted) {
            abort();
        }
        return onAbort(signal, abort);
    });
    return () => {
        for (const release of releases) {
            release();
        }
    };
}
/** Wait, at most until the transport is being closed; an aborted wait throws the reason. */
export function pause(ms, signal, closing) {
    return new Promise((resolve, reject) => {
        const stop = new AbortController();
        const timer = setTimeout(finish, ms);
        const release = relay(stop, signal, closing);
        stop.signal.addEventListener("abort", finish, { once: true });
        if (stop.signal.aborted) {
            finish();
        }
        function finish() {
            clearTimeout(timer);
            release();
            if (signal?.aborted) {
                reject(signal.reason);
            }
            else {
                resolve();
            }
        }
    });
}
