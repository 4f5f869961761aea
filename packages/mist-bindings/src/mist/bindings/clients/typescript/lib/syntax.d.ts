/** Whether text is JSON that every peer can read: strict, in one pass, at any size and depth. */
/** Nesting beyond this is refused, so that nobody's stack overflows. */
export declare const MAX_READ_DEPTH = 1000;
/**
 * Accept text as JSON, or throw.
 *
 * @throws {ProtocolError} It is not JSON (RFC 8259), is nested too deeply, or holds half a character;
 *   the text says where.
 */
export declare function checkSyntax(text: string): void;
