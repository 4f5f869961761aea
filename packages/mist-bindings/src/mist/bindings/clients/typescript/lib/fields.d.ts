/** What the fields of messages can be, how each is read, and how it is written. */
import type { Cursor, JsonValue } from "./json.js";
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
export declare function field(key: string, type: FieldType<any>, options?: FieldOptions): Field;
/** A string; lengths are counted in characters. */
export declare function text(limits?: {
    minLength?: number;
    maxLength?: number;
    pattern?: RegExp;
}): FieldType<string>;
/** True or false. */
export declare const boolean: FieldType<boolean>;
/** A finite number. */
export declare function number(limits?: {
    minimum?: number;
    maximum?: number;
}): FieldType<number>;
/** An integer that may be beyond what a number holds. */
export declare function int64(minimum?: bigint, maximum?: bigint): FieldType<Int64>;
/** An integer that always is, or soon would be, beyond what a number holds, such as nanoseconds. */
export declare function bigint(minimum?: bigint, maximum?: bigint): FieldType<bigint>;
/** An integer whose bounds are such that a number holds it. */
export declare function integer(minimum: bigint, maximum: bigint): FieldType<number>;
/** One of a few values. */
export declare function choice<const T extends string | number>(...values: readonly T[]): FieldType<T>;
/** Any JSON, null included. */
export declare const json: FieldType<JsonValue>;
/** The text of any JSON, as it stands. */
export declare const raw: FieldType<string>;
/** Null, or what is inside. */
export declare function nullable<T>(inner: FieldType<T>): FieldType<T | null>;
/** An array. */
export declare function list<T>(item: FieldType<T>): FieldType<T[]>;
/** An object whose keys are free. */
export declare function map<T>(item: FieldType<T>): FieldType<Record<string, T>>;
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
