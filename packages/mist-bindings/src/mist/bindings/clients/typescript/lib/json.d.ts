/**
 * Reading JSON without losing any of it: integers stay exact, and the text of a value can be had
 * as it stands.
 */
/** Any JSON. An integer that a number does not hold exactly is a bigint. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject;
/** A JSON object; a member that is undefined is not written. */
export interface JsonObject {
    [key: string]: JsonValue | undefined;
}
/** What a JSON value can be, in words. */
export type Kind = "an object" | "an array" | "a string" | "a number" | "a boolean" | "null";
/** Return JSON text as a value; integers beyond what a number holds become bigints. */
export declare function parseJson(text: string): JsonValue;
/**
 * Return a cursor at the beginning of JSON text.
 *
 * @throws {ProtocolError} It is not JSON, or not JSON that every peer can read.
 */
export declare function cursorOver(text: string): Cursor;
/** Walks over JSON text that is known to be well-formed. */
export declare class Cursor {
    #private;
    constructor(text: string);
    /** What the value is at which the cursor stands. */
    get kind(): Kind;
    /** Read a string. */
    string(): string;
    /** Read true or false. */
    boolean(): boolean;
    /** Step over null. */
    null(): void;
    /** Read a number as it is written. */
    numeral(): string;
    /** Read the keys of an object; the caller reads the value after each. */
    members(): Generator<string, void, undefined>;
    /** Count the elements of an array from 0; the caller reads each. */
    elements(): Generator<number, void, undefined>;
    /** Step over a value of any kind, and return its text. */
    raw(): string;
    /** Read a value of any kind. */
    value(path: string): JsonValue;
}
/** Set a member whatever its key, `__proto__` included. */
export declare function setMember<T>(target: Record<string, T>, key: string, value: T): void;
/** Return a numeral's value: a number where that is exact or it is no integer, else a bigint. */
export declare function toNumber(numeral: string, path: string): number | bigint;
/** Tell whether a number is spelled as an integer. */
export declare function isInteger(numeral: string): boolean;
/** Return an integer's value. */
export declare function toBigInt(numeral: string, path: string): bigint;
/** Return a number that a double can hold. */
export declare function finite(value: number, path: string): number;
