/** The envelope that everything crossing a tool boundary travels in. */
import type { JsonValue } from "./json.js";
import type { Payloads } from "./protocol.js";
import { Envelope } from "./protocol.js";
import type { RecordType } from "./records.js";
/**
 * The payload of a message type: its record, or what has a JSON form where the type is not known.
 *
 * To the compiler, an object that is declared as an interface is no `JsonObject`; so any object is
 * accepted here, and `Message.create` refuses one that has no JSON form.
 */
export type PayloadOf<T extends string> = T extends keyof Payloads ? Payloads[T] : JsonValue | object;
/**
 * What a message says, by its type. Where the type is not known here, it is undefined, and the
 * payload is plain JSON.
 */
export type Decoded = {
    [T in keyof Payloads]: {
        type: T;
        payload: Payloads[T];
    };
}[keyof Payloads] | {
    type: undefined;
    payload: JsonValue;
};
/** One MIST message. Its payload is JSON text, kept to the letter; `decode` makes sense of it. */
export declare class Message implements Envelope {
    #private;
    readonly version: string;
    readonly id: string;
    readonly source: string;
    readonly type: string;
    readonly timestamp_ns: bigint;
    readonly payload: string;
    readonly checksum: number;
    /** Take the fields of an envelope as they are; see `create` and `parse` for the usual ways. */
    constructor(fields: Envelope);
    /**
     * Make a message of a payload, with a fresh id and the present time.
     *
     * @param source - The tool that makes it, such as `Source.MATCHSPEC`.
     * @param type - What the payload is, such as `MessageType.INFER_REQUEST`.
     * @param payload - The type's record, or any JSON where the type is not known.
     * @throws {ProtocolError} `source` or `type` is empty, or a value in the payload is wrong or has
     *   no JSON form; the text names its path.
     * @throws {MessageTooLarge} The payload is over `MAX_MESSAGE_SIZE`.
     */
    static create<T extends string>(source: string, type: T, payload: PayloadOf<T>): Message;
    /**
     * Read one encoded message. A string in it that is not UTF-8 is refused wherever it stands.
     *
     * @param data - The JSON of one envelope; surrounding white space is allowed.
     * @throws {ProtocolError} It is not a message; the text says where and why.
     * @throws {MessageTooLarge} It is over the size limit.
     */
    static parse(data: string | Uint8Array): Message;
    /**
     * Return the payload, and the type that says what it is.
     *
     * @throws {ProtocolError} The payload does not fit its type; the text names the field's path.
     */
    decode(): Decoded;
    /**
     * Return the payload as a record, whatever the message's type.
     *
     * @param type - The record, such as `InferRequest`.
     * @throws {ProtocolError} The payload does not fit; the text names the field's path.
     */
    decodeAs<T extends object>(type: RecordType<T>): T;
    /**
     * Return the payload as plain JSON; integers that a number does not hold exactly are bigints.
     *
     * @throws {ProtocolError} There is no payload, or a number in it is out of range.
     */
    value(): JsonValue;
    /** Return the envelope as JSON, the payload to the letter. */
    marshal(): string;
    /**
     * Return the envelope as one line of JSON, its newline included.
     *
     * A line break inside the payload, which a peer may have put between its values, becomes a
     * space; a checksum that was right stays right.
     */
    marshalLine(): string;
    /** Return a copy that carries the checksum of its payload. */
    withChecksum(): Message;
    /** Tell whether the payload matches the checksum; true where there is none. */
    verifyChecksum(): boolean;
}
/**
 * Read one message that a peer has sent.
 *
 * @param anyVersion - Whether versions of the protocol that are not supported pass, as they do
 *   through a relay.
 */
export declare function parseReceived(data: Uint8Array, anyVersion: boolean): Message;
/** Return how many bytes a text has in UTF-8, or undefined if that is within the limit. */
export declare function sizeOver(text: string, limit: number): number | undefined;
