import type { ProtocolError, TransportError } from "./errors.js";
import type { Message } from "./message.js";
import type { CallOptions } from "./transport.js";
/** What there is to receive: a message, or why there is none in its place. */
export type Arrival = Message | ProtocolError | TransportError;
/** Holds what has arrived until it is received, and the receivers that wait for more. */
export declare class Mailbox {
    #private;
    /** How many arrivals wait to be received. */
    get size(): number;
    /** How many bytes those have that wait, as far as `put` was told. */
    get bytes(): number;
    /** Whether somebody waits for an arrival. */
    get isAwaited(): boolean;
    /** Hand an arrival to who waits longest, or keep it. */
    put(arrival: Arrival, bytes?: number): void;
    /** Say that there will be no more: whoever looks for more is told so. */
    end(reason: TransportError): void;
    /** Take the next message. */
    take({ signal }?: CallOptions): Promise<Message>;
}
