/** Messages on standard input and output, one JSON line each: a tool in a shell pipeline. */
import { Console } from "node:console";
import { MessageTooLarge, TransportClosed, TransportError } from "../errors.js";
import { LineReader } from "../lines.js";
import { sizeOver } from "../message.js";
import { MAX_MESSAGE_SIZE } from "../protocol.js";
import { onAbort } from "../signals.js";
import { messagesOf } from "../transport.js";
/**
 * Receives from standard input and sends to standard output, or to and from a child process.
 *
 * While it holds the process's standard output, nothing but messages reaches that: what `console`
 * prints goes to standard error.
 */
export class Stdio {
    #input;
    #output;
    #reader;
    #release;
    #sending = new Set();
    #onError = (error) => {
        this.#broken = error;
    };
    #onClose = () => {
        for (const finish of this.#sending) {
            finish(this.#broken);
        }
    };
    #broken;
    #closed = false;
    /**
     * @param input - What to receive from, such as a child's `stdout`.
     * @param output - What to send to, such as a child's `stdin`.
     * @throws {TransportError} Code `conflict`: another `Stdio` holds standard output.
     */
    constructor(input = process.stdin, output = process.stdout, options = {}) {
        this.#input = input;
        this.#output = output;
        this.#reader = new LineReader(input, input === process.stdin ? "stdin" : "input", options);
        this.#release = output === process.stdout ? divertConsole() : () => undefined;
        // Who sends is told, and nobody else: without a listener it would end the process.
        output.on("error", this.#onError);
        output.on("close", this.#onClose);
    }
    /**
     * Write a message, waiting while the reader of the pipe is slow. A call that is aborted while its
     * message is being written leaves it whole.
     *
     * @throws {TransportClosed} The reader has closed its end.
     * @throws {MessageTooLarge} The payload is over the limit.
     */
    send(message, { signal } = {}) {
        return new Promise((resolve, reject) => {
            signal?.throwIfAborted();
            const size = sizeOver(message.payload, MAX_MESSAGE_SIZE);
            if (size !== undefined) {
                throw new MessageTooLarge(size, MAX_MESSAGE_SIZE, "payload");
            }
            if (this.#closed || this.#broken || !this.#output.writable) {
                throw lost(this.#broken);
            }
            const finish = (error) => {
                release();
                this.#sending.delete(finish);
                // Of a write that it broke off, a stream that was destroyed tells no error.
                if (error || this.#output.destroyed) {
                    reject(lost(error ?? this.#broken));
                }
                else {
                    resolve();
                }
            };
            const release = onAbort(signal, () => {
                this.#sending.delete(finish);
                reject(signal?.reason);
            });
            this.#sending.add(finish);
            this.#output.write(message.marshalLine(), finish);
        });
    }
    /** Read the next message; see `Receiver.receive`. */
    receive(options) {
        return this.#reader.receive(options);
    }
    /** Give standard output back, end a child's input, and stop reading. */
    async close() {
        if (this.#closed) {
            return;
        }
        this.#closed = true;
        this.#release();
        await this.#reader.close();
        this.#input.destroy();
        if (this.#output !== process.stdout && this.#output.writable) {
            await new Promise((resolve) => {
                this.#output.once("close", resolve);
                this.#output.end(resolve);
            });
        }
        this.#output.off("close", this.#onClose);
        if (this.#output.destroyed) {
            this.#onClose();
        }
        // An error that is still to be told, such as that of a child that is dead, is nobody's by then.
        if (!this.#output.errored) {
            this.#output.off("error", this.#onError);
        }
    }
    [Symbol.asyncIterator]() {
        return messagesOf(this);
    }
    [Symbol.asyncDispose]() {
        return this.close();
    }
}
function lost(cause) {
    const code = cause && "code" in cause ? cause.code : undefined;
    if (!cause || code === "EPIPE" || code === undefined || code === "ERR_STREAM_DESTROYED") {
        return new TransportClosed("the reader of the output is gone, or it was closed", { cause });
    }
    return new TransportError(`cannot write: ${cause.message}`, { cause });
}
let isDiverted = false;
/** Have `console` print to standard error, until the returned function is called. */
function divertConsole() {
    if (isDiverted) {
        throw new TransportError("standard output is in use by another Stdio; close that first", {
            code: "conflict",
        });
    }
    isDiverted = true;
    const present = { ...console };
    Object.assign(console, new Console(process.stderr, process.stderr));
    return () => {
        Object.assign(console, present);
        isDiverted = false;
    };
}
