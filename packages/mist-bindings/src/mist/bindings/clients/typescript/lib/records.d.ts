/** Objects with known members: what each member is, and how the whole is read and written. */
import { type FieldType } from "./fields.js";
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
export declare function field(key: string, type: FieldType<any>, options?: FieldOptions): Field;
/** The type of an object with known members. */
export declare class RecordType<T extends object> implements FieldType<T> {
    #private;
    readonly name: string;
    /**
     * @param name - What errors call it.
     * @param fields - Its members in the order in which they are written; asked for when first needed,
     *   as a record may refer to itself or to one that is declared after it.
     * @param closed - Whether keys that are not known are refused, rather than ignored, on reading.
     */
    constructor(name: string, fields: () => readonly Field[], closed?: boolean);
    /** The record with every member at its default. */
    get zero(): T;
    read(cursor: Cursor, path: string): T;
    write(value: T, path: string): string;
    /** Return a whole payload as JSON. */
    writePayload(value: T): string;
}
/** An object that is a record. */
export declare function record<T extends object>(type: () => RecordType<T>): FieldType<T>;
