/** Objects with known members: what each member is, and how the whole is read and written. */

import { encodeString, memberPath } from "./encoding.js";
import { ProtocolError } from "./errors.js";
import { expectKind, expectObject, type FieldType } from "./fields.js";
import type { Cursor, JsonValue } from "./json.js";

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
        members.push(`${encodeString(each.key, path)}:${written}`);
      }
    }
    return `{${members.join(",")}}`;
  }

  #writeMember(member: Field, given: unknown, path: string, isPayload: boolean): string | undefined {
    if (given === undefined && member.required) {
      throw new ProtocolError(`missing \`${member.key}\` of ${this.name}`, path);
    }
    // A default is not held against the limits of a value.
    if (member.omitted !== undefined && (given === undefined || given === member.fallback)) {
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
