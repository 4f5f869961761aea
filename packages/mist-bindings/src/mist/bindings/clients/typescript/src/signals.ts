/** Waiting that ends early. */

/** Abort when any of the signals does, until the returned function is called. */
export function relay(stop: AbortController, ...signals: (AbortSignal | undefined)[]): () => void {
  const releases = signals.map((signal) => {
    const onAbort = (): void => {
      stop.abort(signal?.reason);
    };
    if (signal?.aborted) {
      onAbort();
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    return () => signal?.removeEventListener("abort", onAbort);
  });
  return () => {
    for (const release of releases) {
      release();
    }
  };
}

/** Wait, at most until the transport is being closed; an aborted wait throws the reason. */
export function pause(ms: number, signal: AbortSignal | undefined, closing: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = new AbortController();
    const timer = setTimeout(finish, ms);
    const release = relay(stop, signal, closing);
    stop.signal.addEventListener("abort", finish, { once: true });
    if (stop.signal.aborted) {
      finish();
    }
    function finish(): void {
      clearTimeout(timer);
      release();
      if (signal?.aborted) {
        reject(signal.reason);
      } else {
        resolve();
      }
    }
  });
}
