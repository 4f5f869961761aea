/** Messages on standard input and output, one JSON line each: a tool in a shell pipeline. */
import type { Readable, Writable } from "node:stream";
import { type Message } from "../message.js";
import type { CallOptions, ReceiveOptions, Transport } from "../transport.js";
/**
 * Receives from standard input and sends to standard output, or to and from a child process.
 *
 * While it holds the process's standard output, nothing but messages reaches that: what `console`
 * prints goes to standard error.
 */
export declare class Stdio implements Transport {
    #private;
    /**
     * @param input - What to receive from, such as a child's `stdout`.
     * @param output - What to send to, such as a child's `stdin`.
     * @throws {TransportError} Code `conflict`: another `Stdio` holds standard output.
     */
    constructor(input?: Readable, output?: Writable, options?: ReceiveOptions);
    /**
     * Write a message, waiting while the reader of the pipe is slow. A call that is aborted while its
     * message is being written leaves it whole.
     *
     * @throws {TransportClosed} The reader has closed its end.
     * @throws {MessageTooLarge} The payload is over the limit.
     */
    send(message: Message, { signal }?: CallOptions): Promise<void>;
    /** Read the next message; see `Receiver.receive`. */
    receive(options?: CallOptions): Promise<Message>;
    /** Give standard output back, end a child's input, and stop reading. */
    close(): Promise<void>;
    [Symbol.asyncIterator](): AsyncIterator<Message>;
    [Symbol.asyncDispose](): Promise<void>;
}
