/** From a value to compact JSON that survives every relay. */
/** Nesting that every peer reads. */
export declare const MAX_WRITE_DEPTH = 500;
/**
 * Return any value as JSON.
 *
 * @param value - JSON values, or objects that say by `toJSON` which JSON value they are.
 * @param path - Where the value stands.
 * @throws {ProtocolError} A value has no faithful JSON form; the text names its path.
 */
export declare function encodeJson(value: unknown, path?: string, depth?: number): string;
/** Return a string as JSON. */
export declare function encodeString(value: string, path: string): string;
/** Return a number as JSON, as Go writes it. */
export declare function encodeNumber(value: number, path: string): string;
/** Return the path of a member of what stands at a path. */
export declare function memberPath(path: string, key: string): string;
/** Say what a value is, in words. */
export declare function describe(value: unknown): string;
