/** Messages as JSON lines: what files and pipes have in common. */
import { EndOfStream, MessageTooLarge, ProtocolError, TransportClosed, TransportError } from "./errors.js";
import { Mailbox } from "./mailbox.js";
import { Message, parseReceived } from "./message.js";
import { MAX_ENVELOPE_SIZE, MAX_MESSAGE_SIZE } from "./protocol.js";
import { messagesOf } from "./transport.js";
const NEWLINE = 0x0a;
const BLANK = /^[ \t\r]*$/;
/**
 * Receives from a stream of bytes, one message a line.
 *
 * `\n` and `\r\n` end a line, and blank lines are skipped. A line that is not a message is one
 * error, and the line after it can be received. Memory is bounded: of a line over the size limit no
 * more than the limit is held, and nothing is read before somebody waits for it.
 */
export class LineReader {
    #name;
    #source;
    #anyVersion;
    #mailbox = new Mailbox();
    #pieces = [];
    #size = 0;
    #number = 0;
    #reading = false;
    /**
     * @param source - The bytes, such as `process.stdin`, `createReadStream(path)` or the body of a
     *   response.
     * @param name - What errors call it, such as a path.
     */
    constructor(source, name, options = {}) {
        this.#anyVersion = options.anyVersion ?? false;
        this.#source = chunksOf(source);
        this.#name = name;
    }
    /** Read the next message; see `Receiver.receive`. Errors name the line, counted from 1. */
    receive(options) {
        const received = this.#mailbox.take(options);
        void this.#read();
        return received;
    }
    /** Read no more; what was read already can still be received. */
    close() {
        this.#mailbox.end(new TransportClosed(`${this.#name} was closed`));
        // Not waited for: where a read is under way, it would be until there is something to read.
        this.#source.return?.().catch(() => undefined);
        return Promise.resolve();
    }
    [Symbol.asyncIterator]() {
        return messagesOf(this);
    }
    [Symbol.asyncDispose]() {
        return this.close();
    }
    async #read() {
        if (this.#reading) {
            return;
        }
        this.#reading = true;
        try {
            while (this.#mailbox.isAwaited) {
                const { done, value } = await this.#source.next();
                if (done) {
                    this.#end();
                }
                else if (ArrayBuffer.isView(value)) {
                    this.#take(value);
                }
                else {
                    throw new TypeError("it gives no bytes; leave out setEncoding");
                }
            }
        }
        catch (error) {
            const reason = error instanceof Error ? error.message : String(error);
            this.#mailbox.end(new TransportError(`cannot read ${this.#name}: ${reason}`, { cause: error }));
        }
        finally {
            this.#reading = false;
        }
    }
    #take(chunk) {
        let start = 0;
        for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
            this.#extend(chunk.subarray(start, end));
            this.#endLine("");
            start = end + 1;
        }
        this.#extend(chunk.subarray(start));
    }
    #end() {
        if (this.#size) {
            this.#endLine(", the input ends inside this line");
        }
        this.#mailbox.end(new EndOfStream(`${this.#name} has ended`));
    }
    #extend(piece) {
        this.#size += piece.length;
        if (this.#size > MAX_ENVELOPE_SIZE) {
            this.#pieces = [];
        }
        else if (piece.length) {
            this.#pieces.push(piece);
        }
    }
    #endLine(remark) {
        const [pieces, size] = [this.#pieces, this.#size];
        this.#pieces = [];
        this.#size = 0;
        this.#number += 1;
        try {
            if (size > MAX_ENVELOPE_SIZE) {
                throw new MessageTooLarge(size, MAX_MESSAGE_SIZE);
            }
            const line = joined(pieces, size);
            if (!isBlank(line)) {
                this.#mailbox.put(parseReceived(line, this.#anyVersion));
            }
        }
        catch (error) {
            if (!(error instanceof ProtocolError)) {
                throw error;
            }
            error.message = `${this.#name}:${this.#number}: ${error.message}${remark}`;
            this.#mailbox.put(error);
        }
    }
}
/** Return the messages of JSON lines; see `LineReader`, which needs not have all of them at once. */
export function parseLines(lines) {
    const messages = [];
    for (const [index, line] of lines.split("\n").entries()) {
        if (!BLANK.test(line)) {
            try {
                messages.push(Message.parse(line));
            }
            catch (error) {
                if (error instanceof ProtocolError) {
                    error.message = `line ${index + 1}: ${error.message}`;
                }
                throw error;
            }
        }
    }
    return messages;
}
/** Iterate over a source; Safari has web streams that cannot be iterated over. */
function chunksOf(source) {
    if (!("getReader" in source)) {
        return source[Symbol.asyncIterator]();
    }
    const reader = source.getReader();
    return {
        next: () => reader.read(),
        async return() {
            await reader.cancel();
            return { done: true, value: undefined };
        },
    };
}
function joined(pieces, size) {
    if (pieces.length === 1) {
        return pieces[0];
    }
    const whole = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
        whole.set(piece, at);
        at += piece.length;
    }
    return whole;
}
function isBlank(line) {
    return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
