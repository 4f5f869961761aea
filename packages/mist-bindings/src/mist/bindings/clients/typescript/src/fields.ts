/** What the fields of messages can be, how each is read, and how it is written. */

import {
  describe,
  encodeJson,
  encodeNumber,
  encodeString,
  memberPath,
} from "./encoding.js";
import { ProtocolError } from "./errors.js";
import type { Cursor, JsonValue } from "./json.js";
import { finite, setMember, toBigInt, toNumber } from "./json.js";

/** A 64-bit integer: a number where that is exact, else a bigint. */
export type Int64 = number | bigint;

/** How the values of one type are read and written. */
export interface FieldType<T> {
  /** What null stands for; undefined where null is a value of the type, or stands for nothing. */
  readonly zero: T | undefined;
  /** Whether null is a value of the type. */
  readonly takesNull?: boolean;
  /** Read a value; one that is null only where there is no zero. */
  read(cursor: Cursor, path: string): T;
  /** Return a value as JSON. */
  write(value: T, path: string): string;
}

/** One member of a record. */
export interface Field {
  /** Its key on the wire, and of the object that holds it here. */
  readonly key: string;
  readonly type: FieldType<any>;
  /** Whether a record without it is refused. */
  readonly required: boolean;
  /** What it is where it is missing; undefined where that is its type's zero, or nothing at all. */
  readonly fallback: JsonValue | undefined;
  /** Its JSON at which it is not written; absent where it is written always. */
  readonly omitted: string | undefined;
  /** Whether an empty list is written as null, where the record is a whole payload. */
  readonly nullWhenEmpty: boolean;
}

/** How a field differs from one that is always written, and reads as zero where it is missing. */
export interface FieldOptions {
  required?: boolean;
  fallback?: JsonValue;
  omitted?: string;
  nullWhenEmpty?: boolean;
}

/** Declare a member of a record. */
export function field(key: string, type: FieldType<any>, options: FieldOptions = {}): Field {
  return {
    key,
    type,
    required: options.required ?? false,
    fallback: options.fallback,
    omitted: options.omitted,
    nullWhenEmpty: options.nullWhenEmpty ?? false,
  };
}

/** A string; lengths are counted in characters. */
export function text(
  limits: { minLength?: number; maxLength?: number; pattern?: RegExp } = {},
): FieldType<string> {
  const check = (value: string, path: string): string => {
    const { minLength = 0, maxLength = Infinity, pattern } = limits;
    // A character is one unit of the string or two.
    const isWithin = value.length >= minLength * 2 && value.length <= maxLength;
    const length = isWithin ? value.length : charactersIn(value);
    if (length < minLength || length > maxLength) {
      const bound = length < minLength ? `at least ${minLength}` : `at most ${maxLength}`;
      const expected = length ? `a string of ${bound} characters, got ${length}` : "a non-empty string";
      throw new ProtocolError(`expected ${expected}`, path);
    }
    if (pattern && !pattern.test(value)) {
      throw new ProtocolError(`expected a string that matches ${pattern.source}`, path);
    }
    return value;
  };
  return {
    zero: "",
    read(cursor, path) {
      expectKind(cursor, "a string", path);
      return check(cursor.string(), path);
    },
    write(value, path) {
      expectType(value, "string", path);
      return encodeString(check(value, path), path);
    },
  };
}

/** True or false. */
export const boolean: FieldType<boolean> = {
  zero: false,
  read(cursor, path) {
    expectKind(cursor, "a boolean", path);
    return cursor.boolean();
  },
  write(value, path) {
    expectType(value, "boolean", path);
    return String(value);
  },
};

/** A finite number. */
export function number(limits: { minimum?: number; maximum?: number } = {}): FieldType<number> {
  const { minimum = -Infinity, maximum = Infinity } = limits;
  const check = (value: number, path: string): number => inRange(value, minimum, maximum, path);
  return {
    zero: 0,
    read(cursor, path) {
      expectKind(cursor, "a number", path);
      return check(finite(Number(cursor.numeral()), path), path);
    },
    write(value, path) {
      expectType(value, "number", path);
      return encodeNumber(check(value, path), path);
    },
  };
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

function integers<T extends Int64>(
  zero: T,
  read: (numeral: string, path: string) => T,
  minimum: bigint,
  maximum: bigint,
): FieldType<T> {
  const check = (value: T, path: string): T => inRange(value, minimum, maximum, path);
  return {
    zero,
    read(cursor, path) {
      expectKind(cursor, "a number", path);
      const numeral = cursor.numeral();
      toBigInt(numeral, path);
      return check(read(numeral, path), path);
    },
    write(value, path) {
      if (typeof value !== "bigint" && !Number.isSafeInteger(value)) {
        const got = typeof value === "number" ? String(value) : describe(value);
        throw new ProtocolError(
          `expected a whole number, as a bigint where a number is not exact, got ${got}`,
          path,
        );
      }
      return String(check(value, path) || 0); // -0 is no integer
    },
  };
}

/** An integer that may be beyond what a number holds. */
export function int64(minimum = INT64_MIN, maximum = INT64_MAX): FieldType<Int64> {
  return integers<Int64>(0, toNumber, minimum, maximum);
}

/** An integer that always is, or soon would be, beyond what a number holds, such as nanoseconds. */
export function bigint(minimum = INT64_MIN, maximum = INT64_MAX): FieldType<bigint> {
  return integers(0n, toBigInt, minimum, maximum);
}

/** An integer whose bounds are such that a number holds it. */
export function integer(minimum: bigint, maximum: bigint): FieldType<number> {
  return integers(0, (numeral, path) => Number(toBigInt(numeral, path)), minimum, maximum);
}

/** One of a few values. */
export function choice<const T extends string | number>(...values: readonly T[]): FieldType<T> {
  const check = (value: JsonValue, path: string): T => {
    if (!values.includes(value as T)) {
      const known = values.map((each) => JSON.stringify(each)).join(", ");
      const got = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : describe(value);
      throw new ProtocolError(`expected one of ${known}, got ${got}`, path);
    }
    return value as T;
  };
  return {
    zero: undefined,
    read: (cursor, path) => check(cursor.value(path), path),
    write: (value, path) => encodeJson(check(value, path), path),
  };
}

/** Any JSON, null included. */
export const json: FieldType<JsonValue> = {
  zero: undefined,
  takesNull: true,
  read: (cursor, path) => cursor.value(path),
  write: encodeJson,
};

/** The text of any JSON, as it stands. */
export const raw: FieldType<string> = {
  zero: undefined,
  takesNull: true,
  read: (cursor) => cursor.raw(),
  write: (value) => value,
};

/** Null, or what is inside. */
export function nullable<T>(inner: FieldType<T>): FieldType<T | null> {
  return {
    zero: undefined,
    takesNull: true,
    read(cursor, path) {
      if (cursor.kind === "null") {
        cursor.null();
        return null;
      }
      return inner.read(cursor, path);
    },
    write: (value, path) => (value === null ? "null" : inner.write(value, path)),
  };
}

/** An array. */
export function list<T>(item: FieldType<T>): FieldType<T[]> {
  return {
    get zero() {
      return [];
    },
    read(cursor, path) {
      expectKind(cursor, "an array", path);
      const values: T[] = [];
      for (const index of cursor.elements()) {
        values.push(readOrZero(item, cursor, `${path}[${index}]`));
      }
      return values;
    },
    write(value, path) {
      if (!Array.isArray(value)) {
        throw new ProtocolError(`expected an array, got ${describe(value)}`, path);
      }
      return `[${Array.from(value, (each, index) => item.write(each, `${path}[${index}]`)).join(",")}]`;
    },
  };
}

/** An object whose keys are free. */
export function map<T>(item: FieldType<T>): FieldType<Record<string, T>> {
  return {
    get zero() {
      return {};
    },
    read(cursor, path) {
      expectKind(cursor, "an object", path);
      const values: Record<string, T> = {};
      for (const key of cursor.members()) {
        setMember(values, key, readOrZero(item, cursor, memberPath(path, key)));
      }
      return values;
    },
    write(value, path) {
      expectObject(value, path);
      const members: string[] = [];
      for (const [key, each] of Object.entries(value)) {
        if (each !== undefined) {
          const place = memberPath(path, key);
          members.push(`${encodeString(key, place)}:${item.write(each, place)}`);
        }
      }
      return `{${members.join(",")}}`;
    },
  };
}

/** The type of an object with known members. */
export class RecordType<T extends object> implements FieldType<T> {
  readonly name: string;
  readonly #describe: () => readonly Field[];
  readonly #closed: boolean;
  #fields: ReadonlyMap<string, Field> | undefined;

  /**
   * @param name - What errors call it.
   * @param fields - Its members in the order in which they are written; asked for when first needed,
   *   as a record may refer to itself or to one that is declared after it.
   * @param closed - Whether keys that are not known are refused, rather than ignored, on reading.
   */
  constructor(name: string, fields: () => readonly Field[], closed = false) {
    this.name = name;
    this.#describe = fields;
    this.#closed = closed;
  }

  /** The record with every member at its default. */
  get zero(): T {
    return this.#complete({}, "$");
  }

  read(cursor: Cursor, path: string): T {
    expectKind(cursor, "an object", path);
    const found: Record<string, unknown> = {};
    for (const key of cursor.members()) {
      const known = this.#members.get(key);
      if (known) {
        readMember(found, known, cursor, memberPath(path, key));
      } else if (this.#closed) {
        throw new ProtocolError(`${this.name} has no such member`, memberPath(path, key));
      } else {
        cursor.raw();
      }
    }
    return this.#complete(found, path);
  }

  write(value: T, path: string): string {
    return this.#write(value, path, false);
  }

  /** Return a whole payload as JSON. */
  writePayload(value: T): string {
    return this.#write(value, "$", true);
  }

  get #members(): ReadonlyMap<string, Field> {
    this.#fields ??= new Map(this.#describe().map((each) => [each.key, each]));
    return this.#fields;
  }

  #complete(found: Record<string, unknown>, path: string): T {
    const complete: Record<string, unknown> = {};
    for (const each of this.#members.values()) {
      if (Object.hasOwn(found, each.key)) {
        complete[each.key] = found[each.key];
      } else if (each.required) {
        throw new ProtocolError(`missing \`${each.key}\` of ${this.name}`, path);
      } else if (each.fallback !== undefined) {
        complete[each.key] = structuredClone(each.fallback);
      } else if (each.omitted === undefined) {
        complete[each.key] = zeroOf(each.type);
      }
    }
    return complete as T;
  }

  #write(value: T, path: string, isPayload: boolean): string {
    expectObject(value, path);
    const given = value as Record<string, unknown>;
    const members: string[] = [];
    for (const key of Object.keys(given)) {
      if (!this.#members.has(key)) {
        throw new ProtocolError(`${this.name} has no such member`, memberPath(path, key));
      }
    }
    for (const each of this.#members.values()) {
      // A member may have the name of what every object inherits, such as `constructor`.
      const own = Object.hasOwn(given, each.key) ? given[each.key] : undefined;
      const written = this.#writeMember(each, own, memberPath(path, each.key), isPayload);
      if (written !== each.omitted) {
        members.push(`"${each.key}":${written}`);
      }
    }
    return `{${members.join(",")}}`;
  }

  #writeMember(member: Field, given: unknown, path: string, isPayload: boolean): string | undefined {
    if (given === undefined && member.required) {
      throw new ProtocolError(`missing \`${member.key}\` of ${this.name}`, path);
    }
    if (given === undefined && member.omitted !== undefined) {
      return member.omitted;
    }
    const isAbsent = given === undefined || (given === null && !member.type.takesNull);
    const value = isAbsent ? (member.fallback ?? zeroOf(member.type)) : given;
    const written = member.type.write(value, path);
    return member.nullWhenEmpty && isPayload && written === "[]" ? "null" : written;
  }
}

/** An object that is a record. */
export function record<T extends object>(type: () => RecordType<T>): FieldType<T> {
  return {
    get zero() {
      return type().zero;
    },
    read: (cursor, path) => type().read(cursor, path),
    write: (value, path) => type().write(value, path),
  };
}

/** What a member is that is missing and has no fallback. */
function zeroOf(type: FieldType<unknown>): unknown {
  return type.zero ?? null;
}

/** Read a value, or take null for what it stands for, as Go's decoder does. */
function readOrZero<T>(type: FieldType<T>, cursor: Cursor, path: string): T {
  if (cursor.kind === "null" && type.zero !== undefined) {
    cursor.null();
    return type.zero;
  }
  return type.read(cursor, path);
}

/** Read a member; null where that is not allowed is as good as its absence. */
function readMember(
  into: Record<string, unknown>,
  member: Field,
  cursor: Cursor,
  path: string,
): void {
  if (cursor.kind === "null" && !member.type.takesNull && !member.required) {
    cursor.null();
    delete into[member.key];
  } else {
    into[member.key] = member.type.read(cursor, path);
  }
}

function charactersIn(value: string): number {
  let count = 0;
  for (let at = 0; at < value.length; at += (value.codePointAt(at) as number) > 0xffff ? 2 : 1) {
    count += 1;
  }
  return count;
}

function expectKind(cursor: Cursor, kind: Cursor["kind"], path: string): void {
  if (cursor.kind !== kind) {
    throw new ProtocolError(`expected ${kind}, got ${cursor.kind}`, path);
  }
}

function expectType(value: unknown, kind: "string" | "number" | "boolean", path: string): void {
  if (typeof value !== kind) {
    throw new ProtocolError(`expected a ${kind}, got ${describe(value)}`, path);
  }
}

function expectObject(value: unknown, path: string): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ProtocolError(`expected an object, got ${describe(value)}`, path);
  }
}

function inRange<T extends Int64>(value: T, minimum: T | bigint, maximum: T | bigint, path: string): T {
  if (value < minimum || value > maximum) {
    const bound = value < minimum ? `at least ${minimum}` : `at most ${maximum}`;
    throw new ProtocolError(`expected ${bound}, got ${value}`, path);
  }
  return value;
}
