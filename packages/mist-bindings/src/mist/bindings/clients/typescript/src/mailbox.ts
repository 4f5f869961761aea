import type { ProtocolError, TransportError } from "./errors.js";
import type { Message } from "./message.js";
import { onAbort } from "./signals.js";
import type { CallOptions } from "./transport.js";

/** What there is to receive: a message, or why there is none in its place. */
export type Arrival = Message | ProtocolError | TransportError;

interface Waiter {
  resolve(message: Message): void;
  reject(error: unknown): void;
}

/** Holds what has arrived until it is received, and the receivers that wait for more. */
export class Mailbox {
  readonly #arrivals: { arrival: Arrival; bytes: number }[] = [];
  readonly #waiters: Waiter[] = [];
  #bytes = 0;
  #end: TransportError | undefined;

  /** How many arrivals wait to be received. */
  get size(): number {
    return this.#arrivals.length;
  }

  /** How many bytes those have that wait, as far as `put` was told. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether somebody waits for an arrival. */
  get isAwaited(): boolean {
    return this.#waiters.length > 0;
  }

  /** Hand an arrival to who waits longest, or keep it. */
  put(arrival: Arrival, bytes = 0): void {
    const waiter = this.#waiters.shift();
    if (waiter) {
      settle(waiter, arrival);
    } else {
      this.#arrivals.push({ arrival, bytes });
      this.#bytes += bytes;
    }
  }

  /** Say that there will be no more: whoever looks for more is told so. */
  end(reason: TransportError): void {
    this.#end ??= reason;
    for (const waiter of this.#waiters.splice(0)) {
      waiter.reject(this.#end);
    }
  }

  /** Take the next message. */
  take({ signal }: CallOptions = {}): Promise<Message> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const next = this.#arrivals.shift();
      this.#bytes -= next?.bytes ?? 0;
      const arrival = next?.arrival ?? this.#end;
      if (arrival) {
        settle({ resolve, reject }, arrival);
        return;
      }
      const waiter: Waiter = {
        resolve(message) {
          release();
          resolve(message);
        },
        reject(error) {
          release();
          reject(error);
        },
      };
      const release = onAbort(signal, () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        waiter.reject(signal?.reason);
      });
      this.#waiters.push(waiter);
    });
  }
}

function settle(waiter: Waiter, arrival: Arrival): void {
  if (arrival instanceof Error) {
    waiter.reject(arrival);
  } else {
    waiter.resolve(arrival);
  }
}
