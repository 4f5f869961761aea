/** The bodies of requests: read as a whole, within bounds of size, of time and of memory. */

import type { IncomingMessage } from "node:http";

import { CLOSE, Refused, RETRY_AFTER } from "./admission.js";

const NEWLINE = 0x0a;

/** The peer went away before its request was complete. */
export class Disconnected extends Error {}

/** Reads bodies; those that arrive at the same time share a bound. */
export class BodyReader {
  readonly #timeoutMs: number;
  readonly #maxArriving: number;
  #arriving = 0;

  /**
   * @param timeoutMs - Bound on the arrival of one body.
   * @param maxArriving - How many bytes of bodies that are not complete are held; one alone may have
   *   more.
   */
  constructor(timeoutMs: number, maxArriving: number) {
    this.#timeoutMs = timeoutMs;
    this.#maxArriving = maxArriving;
  }

  /**
   * Read the body of a request.
   *
   * @param limit - The most bytes that it may have.
   * @throws {Refused} It is too long, takes too long, or there is too much else.
   * @throws {Disconnected} The peer went away.
   */
  async read(request: IncomingMessage, limit: number): Promise<Buffer> {
    if (Number(request.headers["content-length"] ?? 0) > limit) {
      throw tooLong(limit);
    }
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          const seconds = this.#timeoutMs / 1000;
          stop(new Refused(408, `the body did not arrive within ${seconds} seconds`, CLOSE));
        }, this.#timeoutMs);
        const stop = (error: Error): void => {
          clearTimeout(timer);
          request.removeAllListeners("data");
          reject(error);
        };
        request.on("data", (chunk: Buffer) => {
          size += chunk.length;
          this.#arriving += chunk.length;
          chunks.push(chunk);
          if (size > limit) {
            stop(tooLong(limit));
          } else if (this.#arriving > this.#maxArriving && this.#arriving > size) {
            stop(new Refused(503, "too much is arriving at once", { ...CLOSE, ...RETRY_AFTER }));
          }
        });
        request.on("end", () => {
          clearTimeout(timer);
          resolve();
        });
        request.on("error", () => {
          stop(new Disconnected());
        });
        request.on("close", () => {
          stop(new Disconnected());
        });
      });
      return Buffer.concat(chunks);
    } finally {
      this.#arriving -= size;
      chunks.length = 0; // the request, which may linger, holds on to them
    }
  }
}

/** Return the lines of a body that are not blank. */
export function* linesOf(body: Buffer): Generator<Buffer> {
  for (let start = 0; start < body.length; ) {
    const newline = body.indexOf(NEWLINE, start);
    const end = newline < 0 ? body.length : newline;
    const line = body.subarray(start, end);
    if (!line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) {
      yield line;
    }
    start = end + 1;
  }
}

function tooLong(limit: number): Refused {
  return new Refused(413, `the body is over the limit of ${limit} bytes`, CLOSE);
}
