/**
 * Reading JSON without losing any of it: integers stay exact, and the text of a value can be had
 * as it stands.
 */

import { ProtocolError } from "./errors.js";
import { checkSyntax } from "./syntax.js";

/** Any JSON. An integer that a number does not hold exactly is a bigint. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject;

/** A JSON object; a member that is undefined is not written. */
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

/** More digits than anybody means, and few enough to be read in no time. */
const MAX_DIGITS = 4300;

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const INTEGER = /^-?\d+$/;

const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What a JSON value can be, in words. */
export type Kind = "an object" | "an array" | "a string" | "a number" | "a boolean" | "null";

/** Return JSON text as a value; integers beyond what a number holds become bigints. */
export function parseJson(text: string): JsonValue {
  return cursorOver(text).value("$");
}

/**
 * Return a cursor at the beginning of JSON text.
 *
 * @throws {ProtocolError} It is not JSON, or not JSON that every peer can read.
 */
export function cursorOver(text: string): Cursor {
  checkSyntax(text);
  return new Cursor(text);
}

/** Walks over JSON text that is known to be well-formed. */
export class Cursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skipSpace();
  }

  /** What the value is at which the cursor stands. */
  get kind(): Kind {
    switch (this.#text[this.#at]) {
      case "{":
        return "an object";
      case "[":
        return "an array";
      case '"':
        return "a string";
      case "t":
      case "f":
        return "a boolean";
      case "n":
        return "null";
      default:
        return "a number";
    }
  }

  /** Read a string. */
  string(): string {
    return JSON.parse(this.#take(this.#endOfString())) as string;
  }

  /** Read true or false. */
  boolean(): boolean {
    return this.#take(this.#endOfScalar()) === "true";
  }

  /** Step over null. */
  null(): void {
    this.#take(this.#endOfScalar());
  }

  /** Read a number as it is written. */
  numeral(): string {
    return this.#take(this.#endOfScalar());
  }

  /** Read the keys of an object; the caller reads the value after each. */
  *members(): Generator<string, void, undefined> {
    while (this.#enters(CLOSING_BRACE)) {
      const key = this.string();
      this.#step(); // the colon
      yield key;
    }
  }

  /** Count the elements of an array from 0; the caller reads each. */
  *elements(): Generator<number, void, undefined> {
    for (let index = 0; this.#enters(CLOSING_BRACKET); index += 1) {
      yield index;
    }
  }

  /** Step over a value of any kind, and return its text. */
  raw(): string {
    let depth = 0;
    let end = this.#at;
    do {
      switch (this.#text.charCodeAt(end)) {
        case OPENING_BRACE:
        case OPENING_BRACKET:
          depth += 1;
          end += 1;
          break;
        case CLOSING_BRACE:
        case CLOSING_BRACKET:
          depth -= 1;
          end += 1;
          break;
        case QUOTE:
          end = this.#endOfString(end);
          break;
        default:
          end = depth ? end + 1 : this.#endOfScalar();
      }
    } while (depth);
    return this.#take(end);
  }

  /** Read a value of any kind. */
  value(path: string): JsonValue {
    // The containers around the present value, innermost last, each with how to add to it.
    const enclosing: Container[] = [];
    for (;;) {
      const kind = this.kind;
      const opened = kind === "an object" ? new Members() : kind === "an array" ? new Elements() : null;
      if (opened) {
        enclosing.push(opened);
      }
      let done = opened ? undefined : this.#scalar(kind, path);
      // Close what ends here, then go on with the next member of what does not.
      for (;;) {
        const inner = enclosing.at(-1);
        if (!inner) {
          return done as JsonValue;
        }
        if (done !== undefined) {
          inner.add(done);
        }
        if (this.#enters(inner.closing)) {
          if (inner instanceof Members) {
            inner.key = this.string();
            this.#step(); // the colon
          }
          break;
        }
        enclosing.pop();
        done = inner.value;
      }
    }
  }

  #scalar(kind: Kind, path: string): JsonValue {
    switch (kind) {
      case "a string":
        return this.string();
      case "a number":
        return toNumber(this.numeral(), path);
      case "a boolean":
        return this.boolean();
      default:
        this.null();
        return null;
    }
  }

  /** Step over the bracket or comma before an element, or over the bracket after the last. */
  #enters(closing: number): boolean {
    if (this.#text.charCodeAt(this.#at) === closing) {
      this.#step();
      return false;
    }
    this.#step(); // the opening bracket, or a comma
    if (this.#text.charCodeAt(this.#at) === closing) {
      this.#step(); // there was nothing between the brackets
      return false;
    }
    return true;
  }

  #step(): void {
    this.#at += 1;
    this.#skipSpace();
  }

  #take(end: number): string {
    const taken = this.#text.slice(this.#at, end);
    this.#at = end;
    this.#skipSpace();
    return taken;
  }

  #skipSpace(): void {
    let code = this.#text.charCodeAt(this.#at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      this.#at += 1;
      code = this.#text.charCodeAt(this.#at);
    }
  }

  #endOfScalar(): number {
    NUMBER.lastIndex = this.#at;
    if (NUMBER.test(this.#text)) {
      return NUMBER.lastIndex;
    }
    return this.#at + (this.#text[this.#at] === "f" ? "false" : "true").length;
  }

  #endOfString(start = this.#at): number {
    for (let end = start; ; ) {
      end = this.#text.indexOf('"', end + 1);
      let backslashes = 0;
      while (this.#text.charCodeAt(end - 1 - backslashes) === BACKSLASH) {
        backslashes += 1;
      }
      if (backslashes % 2 === 0) {
        return end + 1;
      }
    }
  }
}

class Members {
  readonly closing = CLOSING_BRACE;
  readonly value: JsonObject = {};
  key = "";

  add(item: JsonValue): void {
    setMember(this.value, this.key, item);
  }
}

class Elements {
  readonly closing = CLOSING_BRACKET;
  readonly value: JsonValue[] = [];

  add(item: JsonValue): void {
    this.value.push(item);
  }
}

type Container = Members | Elements;

/** Set a member whatever its key, `__proto__` included. */
export function setMember<T>(target: Record<string, T>, key: string, value: T): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  } else {
    target[key] = value;
  }
}

/** Return a numeral's value: a number where that is exact or it is no integer, else a bigint. */
export function toNumber(numeral: string, path: string): number | bigint {
  const value = Number(numeral);
  if (Number.isSafeInteger(value) || !isInteger(numeral)) {
    return finite(value, path);
  }
  return toBigInt(numeral, path);
}

/** Tell whether a number is spelled as an integer. */
export function isInteger(numeral: string): boolean {
  return INTEGER.test(numeral);
}

/** Return an integer's value. */
export function toBigInt(numeral: string, path: string): bigint {
  if (!isInteger(numeral)) {
    throw new ProtocolError(`expected an integer, got ${numeral.slice(0, 40)}`, path);
  }
  if (numeral.length > MAX_DIGITS) {
    throw new ProtocolError(`an integer of ${numeral.length} digits is out of range`, path);
  }
  return BigInt(numeral);
}

/** Return a number that a double can hold. */
export function finite(value: number, path: string): number {
  if (!Number.isFinite(value)) {
    throw new ProtocolError("number out of range", path);
  }
  return value;
}
