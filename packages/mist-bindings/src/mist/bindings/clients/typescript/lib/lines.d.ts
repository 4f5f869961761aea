/** Messages as JSON lines: what files and pipes have in common. */
import { Message } from "./message.js";
import type { CallOptions, ReceiveOptions, Receiver } from "./transport.js";
/** Bytes in pieces: a stream of Node or of the web, or anything that can be iterated over. */
export type ByteSource = AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;
/**
 * Receives from a stream of bytes, one message a line.
 *
 * `\n` and `\r\n` end a line, and blank lines are skipped. A line that is not a message is one
 * error, and the line after it can be received. Memory is bounded: of a line over the size limit no
 * more than the limit is held, and nothing is read before somebody waits for it.
 */
export declare class LineReader implements Receiver {
    #private;
    /**
     * @param source - The bytes, such as `process.stdin`, `createReadStream(path)` or the body of a
     *   response.
     * @param name - What errors call it, such as a path.
     */
    constructor(source: ByteSource, name: string, options?: ReceiveOptions);
    /** Read the next message; see `Receiver.receive`. Errors name the line, counted from 1. */
    receive(options?: CallOptions): Promise<Message>;
    /** Read no more; what was read already can still be received. */
    close(): Promise<void>;
    [Symbol.asyncIterator](): AsyncIterator<Message>;
    [Symbol.asyncDispose](): Promise<void>;
}
/** Return the messages of JSON lines; see `LineReader`, which needs not have all of them at once. */
export declare function parseLines(lines: string): Message[];
