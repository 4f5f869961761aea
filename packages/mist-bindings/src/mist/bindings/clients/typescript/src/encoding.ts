/** From a value to compact JSON that survives every relay. */

import { ProtocolError } from "./errors.js";
import type { JsonValue } from "./json.js";

/** Nesting that every peer reads. */
export const MAX_WRITE_DEPTH = 500;

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 64n - 1n;

// A relay through mist-go escapes these; escaped from the start, the bytes and so the checksum
// stay the same through any number of relays.
const FRAGILE = /[<>&\u2028\u2029]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/**
 * Return any value as JSON.
 *
 * @param value - JSON values, or objects that say by `toJSON` which JSON value they are.
 * @param path - Where the value stands.
 * @throws {ProtocolError} A value has no faithful JSON form; the text names its path.
 */
export function encodeJson(value: unknown, path = "$", depth = 0): string {
  switch (typeof value) {
    case "string":
      return encodeString(value, path);
    case "number":
      return encodeNumber(value, path);
    case "bigint":
      return encodeInteger(value, path);
    case "boolean":
      return String(value);
    case "object":
      return value === null ? "null" : encodeObject(value, path, depth);
    default:
      throw new ProtocolError(`${describe(value)} has no JSON form`, path);
  }
}

/** Return a string as JSON. */
export function encodeString(value: string, path: string): string {
  if (!value.isWellFormed()) {
    throw new ProtocolError("a lone surrogate has no UTF-8 form", path);
  }
  return JSON.stringify(value).replace(FRAGILE, (found) => ESCAPES[found] as string);
}

/** Return a number as JSON, as Go writes it. */
export function encodeNumber(value: number, path: string): string {
  if (!Number.isFinite(value)) {
    throw new ProtocolError(`${value} has no JSON form, pass null`, path);
  }
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Return the path of a member of what stands at a path. */
export function memberPath(path: string, key: string): string {
  if (/^[\w-]+$/.test(key)) {
    return `${path}.${key.length > 40 ? `${key.slice(0, 37)}...` : key}`;
  }
  return `${path}[${JSON.stringify(key.length > 40 ? `${key.slice(0, 37)}...` : key)}]`;
}

/** Say what a value is, in words. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) {
    return String(value);
  }
  if (Array.isArray(value)) {
    return "an array";
  }
  return article(typeof value);
}

function article(kind: string): string {
  return `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind}`;
}

function encodeInteger(value: bigint, path: string): string {
  if (value < INT_MIN || value > INT_MAX) {
    throw new ProtocolError("an integer out of the 64-bit range, pass a string", path);
  }
  return String(value);
}

function encodeObject(value: object, path: string, depth: number): string {
  if (depth >= MAX_WRITE_DEPTH) {
    throw new ProtocolError(
      `a value that contains itself, or is nested deeper than ${MAX_WRITE_DEPTH} levels`,
      path.slice(0, 60),
    );
  }
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return encodeJson((value.toJSON as () => JsonValue)(), path, depth + 1);
  }
  if (Array.isArray(value)) {
    // Not map(), which would leave out the holes of a sparse array.
    const items = Array.from(value, (item, index) => encodeJson(item, `${path}[${index}]`, depth + 1));
    return `[${items.join(",")}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new ProtocolError(
      `a ${value.constructor.name} has no JSON form, pass a plain object or an array`,
      path,
    );
  }
  const members: string[] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) {
      const place = memberPath(path, key);
      members.push(`${encodeString(key, place)}:${encodeJson(item, place, depth + 1)}`);
    }
  }
  return `{${members.join(",")}}`;
}
