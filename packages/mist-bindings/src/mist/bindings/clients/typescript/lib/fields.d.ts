/** What the fields of a record can be, how each is read, and how it is written. */
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
export declare function choice<const T extends readonly (string | Int64)[]>(...values: T): FieldType<T[number]>;
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
/** Refuse a value that is not of a kind. */
export declare function expectKind(cursor: Cursor, kind: Cursor["kind"], path: string): void;
/** Refuse a value that is no object. */
export declare function expectObject(value: unknown, path: string): void;
