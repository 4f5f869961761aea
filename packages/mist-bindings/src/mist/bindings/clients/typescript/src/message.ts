/** The envelope that everything crossing a tool boundary travels in. */

import { crc32 } from "./checksum.js";
import { encodeJson } from "./encoding.js";
import { MessageTooLarge, ProtocolError } from "./errors.js";
import type { JsonValue } from "./json.js";
import { cursorOver } from "./json.js";
import type { Payloads } from "./protocol.js";
import {
  CURRENT_VERSION,
  Envelope,
  MAX_ENVELOPE_SIZE,
  MAX_MESSAGE_SIZE,
  PAYLOADS,
} from "./protocol.js";
import type { RecordType } from "./records.js";
import { checkVersion } from "./version.js";

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
export type Decoded =
  | { [T in keyof Payloads]: { type: T; payload: Payloads[T] } }[keyof Payloads]
  | { type: undefined; payload: JsonValue };

const REQUIRED = ["version", "id", "source", "type"] as const;

const utf8 = new TextEncoder();
// A byte order mark is part of the text, as it is to every other peer: JSON has none.
const fromUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** One MIST message. Its payload is JSON text, kept to the letter; `decode` makes sense of it. */
export class Message implements Envelope {
  readonly version: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly timestamp_ns: bigint;
  readonly payload: string;
  readonly checksum: number;

  /** Take the fields of an envelope as they are; see `create` and `parse` for the usual ways. */
  constructor(fields: Envelope) {
    this.version = fields.version;
    this.id = fields.id;
    this.source = fields.source;
    this.type = fields.type;
    this.timestamp_ns = fields.timestamp_ns;
    this.payload = fields.payload;
    this.checksum = fields.checksum;
  }

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
  static create<T extends string>(source: string, type: T, payload: PayloadOf<T>): Message {
    const known = recordOf(type);
    const encoded = named(type, () =>
      known ? known.writePayload(payload as object) : encodeJson(payload),
    );
    const message = new Message({
      version: CURRENT_VERSION,
      id: newId(),
      source,
      type,
      timestamp_ns: now(),
      payload: encoded,
      checksum: 0,
    });
    message.#refuseIncomplete();
    refuseLarge(encoded, MAX_MESSAGE_SIZE, "payload");
    return message;
  }

  /**
   * Read one encoded message. A string in it that is not UTF-8 is refused wherever it stands.
   *
   * @param data - The JSON of one envelope; surrounding white space is allowed.
   * @throws {ProtocolError} It is not a message; the text says where and why.
   * @throws {MessageTooLarge} It is over the size limit.
   */
  static parse(data: string | Uint8Array): Message {
    const text = typeof data === "string" ? wellFormed(data) : decodeUtf8(data);
    const message = new Message(notAMessage(() => readEnvelope(text)));
    message.#refuseIncomplete();
    refuseLarge(message.payload, MAX_MESSAGE_SIZE, "payload");
    return message;
  }

  /**
   * Return the payload, and the type that says what it is.
   *
   * @throws {ProtocolError} The payload does not fit its type; the text names the field's path.
   */
  decode(): Decoded {
    const known = recordOf(this.type);
    if (!known) {
      return { type: undefined, payload: this.value() };
    }
    return { type: this.type, payload: this.decodeAs(known) } as unknown as Decoded;
  }

  /**
   * Return the payload as a record, whatever the message's type.
   *
   * @param type - The record, such as `InferRequest`.
   * @throws {ProtocolError} The payload does not fit; the text names the field's path.
   */
  decodeAs<T extends object>(type: RecordType<T>): T {
    return named(this.type, () => {
      const cursor = cursorOver(this.#presentPayload());
      return cursor.kind === "null" ? type.zero : type.read(cursor, "$");
    });
  }

  /**
   * Return the payload as plain JSON; integers that a number does not hold exactly are bigints.
   *
   * @throws {ProtocolError} There is no payload, or a number in it is out of range.
   */
  value(): JsonValue {
    return named(this.type, () => cursorOver(this.#presentPayload()).value("$"));
  }

  /** Return the envelope as JSON, the payload to the letter. */
  marshal(): string {
    this.#refuseIncomplete();
    const payload = this.payload && `,"payload":${this.payload}`;
    const checksum = this.checksum ? `,"checksum":${this.checksum}` : "";
    return (
      `{"version":${JSON.stringify(this.version)},"id":${JSON.stringify(this.id)}` +
      `,"source":${JSON.stringify(this.source)},"type":${JSON.stringify(this.type)}` +
      `,"timestamp_ns":${this.timestamp_ns}${payload}${checksum}}`
    );
  }

  /**
   * Return the envelope as one line of JSON, its newline included.
   *
   * A line break inside the payload, which a peer may have put between its values, becomes a
   * space; a checksum that was right stays right.
   */
  marshalLine(): string {
    if (!this.payload.includes("\n")) {
      return `${this.marshal()}\n`;
    }
    const unbroken = new Message({ ...this, payload: this.payload.replaceAll("\n", " ") });
    const wasRight = this.checksum !== 0 && this.verifyChecksum();
    return `${(wasRight ? unbroken.withChecksum() : unbroken).marshal()}\n`;
  }

  /** Return a copy that carries the checksum of its payload. */
  withChecksum(): Message {
    return new Message({ ...this, checksum: crc32(utf8.encode(this.payload)) });
  }

  /** Tell whether the payload matches the checksum; true where there is none. */
  verifyChecksum(): boolean {
    return this.checksum === 0 || this.checksum === crc32(utf8.encode(this.payload));
  }

  #presentPayload(): string {
    if (!this.payload) {
      throw new ProtocolError("there is none");
    }
    return this.payload;
  }

  #refuseIncomplete(): void {
    for (const name of REQUIRED) {
      if (typeof this[name] !== "string" || !this[name].isWellFormed() || !this[name]) {
        throw new ProtocolError(`missing ${name}: expected a non-empty string of whole characters`);
      }
    }
  }
}

/**
 * Read one message that a peer has sent.
 *
 * @param anyVersion - Whether versions of the protocol that are not supported pass, as they do
 *   through a relay.
 */
export function parseReceived(data: Uint8Array, anyVersion: boolean): Message {
  const message = Message.parse(data);
  if (!anyVersion) {
    checkVersion(message.version);
  }
  return message;
}

/** Return how many bytes a text has in UTF-8, or undefined if that is within the limit. */
export function sizeOver(text: string, limit: number): number | undefined {
  if (text.length * 3 <= limit) {
    return undefined;
  }
  const size = utf8.encode(text).length;
  return size > limit ? size : undefined;
}

function readEnvelope(text: string): Envelope {
  const cursor = cursorOver(text);
  return cursor.kind === "null" ? Envelope.zero : Envelope.read(cursor, "$");
}

function recordOf(type: string): RecordType<object> | undefined {
  return Object.hasOwn(PAYLOADS, type) ? PAYLOADS[type as keyof Payloads] : undefined;
}

function named<T>(type: string, work: () => T): T {
  return prefixed(`payload of ${type}`, work);
}

function notAMessage<T>(work: () => T): T {
  return prefixed("not a message", work);
}

/** Do work, and name what it was about in the error that comes of it. */
function prefixed<T>(prefix: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ProtocolError) {
      error.message = `${prefix}: ${error.message}`;
    } else if (error instanceof RangeError) {
      // The stack is used up, or a string would be longer than any may be.
      const reason = "it contains itself, is nested too deeply, or is too long";
      throw new ProtocolError(`${prefix}: ${reason}`, "", { cause: error });
    }
    throw error;
  }
}

function wellFormed(text: string): string {
  refuseLarge(text, MAX_ENVELOPE_SIZE, "message");
  if (!text.isWellFormed()) {
    throw new ProtocolError("not a message: a lone surrogate has no UTF-8 form");
  }
  return text;
}

function decodeUtf8(bytes: Uint8Array): string {
  if (bytes.length > MAX_ENVELOPE_SIZE) {
    throw new MessageTooLarge(bytes.length, MAX_MESSAGE_SIZE);
  }
  try {
    return fromUtf8.decode(bytes);
  } catch (error) {
    throw new ProtocolError("not a message: it is not UTF-8", "", { cause: error });
  }
}

function refuseLarge(text: string, limit: number, what: string): void {
  const size = sizeOver(text, limit);
  if (size !== undefined) {
    throw new MessageTooLarge(size, MAX_MESSAGE_SIZE, what);
  }
}

function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return the present time in nanoseconds since the Unix epoch, as fine as the clock is. */
function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
