import { onAbort } from "./signals.js";

interface Waiting {
  /** When it began to wait. */
  readonly since: number;
  enter(): void;
  refuse(reason: unknown): void;
}

/** So many at once, and no more: the others wait for their turn, in the order in which they came. */
export class Turns {
  readonly #waiting = new Set<Waiting>();
  #free: number;

  /** @param limit - How many at once. */
  constructor(limit: number) {
    this.#free = limit;
  }

  /** Wait for a turn; whoever has had it gives it back by `end`. */
  begin(signal: AbortSignal | undefined): Promise<void> {
    if (this.#free) {
      this.#free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(waiting);
        release();
      };
      const waiting: Waiting = {
        since: performance.now(),
        enter() {
          leave();
          resolve();
        },
        refuse(reason) {
          leave();
          reject(reason);
        },
      };
      const release = onAbort(signal, () => {
        waiting.refuse(signal?.reason);
      });
      this.#waiting.add(waiting);
    });
  }

  /** Let the next one have the turn. */
  end(): void {
    const [next] = this.#waiting;
    if (next) {
      next.enter();
    } else {
      this.#free += 1;
    }
  }

  /** Refuse those that have waited since a moment, in milliseconds of `performance.now()`, or longer. */
  refuse(reason: unknown, since = Infinity): void {
    for (const waiting of [...this.#waiting]) {
      if (waiting.since <= since) {
        waiting.refuse(reason);
      }
    }
  }
}
