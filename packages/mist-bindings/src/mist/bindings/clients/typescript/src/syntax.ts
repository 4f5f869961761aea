/** Whether text is JSON that every peer can read: strict, in one pass, at any size and depth. */

import { ProtocolError } from "./errors.js";

/** Nesting beyond this is refused, so that nobody's stack overflows. */
export const MAX_READ_DEPTH = 1000;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const UNICODE_ESCAPE = /\\u[0-9a-fA-F]{4}/y;
const UNICODE_ESCAPE_LENGTH = "\\uXXXX".length;
const SIMPLE_ESCAPES = new Set(Array.from('"\\/bfnrt', (character) => character.charCodeAt(0)));

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/**
 * Accept text as JSON, or throw.
 *
 * @throws {ProtocolError} It is not JSON (RFC 8259), is nested too deeply, or holds half a character;
 *   the text says where.
 */
export function checkSyntax(text: string): void {
  // What closes each of the containers around the present value, innermost last.
  const closings: number[] = [];
  let at = afterSpace(text, 0);
  for (;;) {
    const opening = text.charCodeAt(at);
    if (opening === OPENING_BRACE || opening === OPENING_BRACKET) {
      const closing = opening + 2;
      at = afterSpace(text, at + 1);
      if (text.charCodeAt(at) !== closing) {
        closings.push(closing);
        if (closings.length > MAX_READ_DEPTH) {
          throw new ProtocolError(`JSON is nested deeper than ${MAX_READ_DEPTH} levels`);
        }
        at = closing === CLOSING_BRACE ? afterKey(text, at) : at;
        continue;
      }
      at += 1; // there was nothing between the brackets
    } else {
      at = afterScalar(text, at);
    }
    // Close what ends here, then go on with the next member of what does not.
    for (;;) {
      at = afterSpace(text, at);
      const closing = closings.at(-1);
      if (closing === undefined) {
        if (at < text.length) {
          throw malformed(text, at);
        }
        return;
      }
      const found = text.charCodeAt(at);
      if (found === COMMA) {
        at = afterSpace(text, at + 1);
        at = closing === CLOSING_BRACE ? afterKey(text, at) : at;
        break;
      }
      if (found !== closing) {
        throw malformed(text, at);
      }
      closings.pop();
      at += 1;
    }
  }
}

function afterSpace(text: string, start: number): number {
  let at = start;
  let code = text.charCodeAt(at);
  while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
    at += 1;
    code = text.charCodeAt(at);
  }
  return at;
}

/** Return where the value of a key begins that stands at a place. */
function afterKey(text: string, start: number): number {
  if (text.charCodeAt(start) !== QUOTE) {
    throw malformed(text, start);
  }
  const at = afterSpace(text, afterString(text, start));
  if (text.charCodeAt(at) !== COLON) {
    throw malformed(text, at);
  }
  return afterSpace(text, at + 1);
}

function afterScalar(text: string, start: number): number {
  if (text.charCodeAt(start) === QUOTE) {
    return afterString(text, start);
  }
  for (const form of [NUMBER, WORD]) {
    form.lastIndex = start;
    if (form.test(text)) {
      return form.lastIndex;
    }
  }
  throw malformed(text, start);
}

function afterString(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      return at + 1;
    }
    if (code === BACKSLASH) {
      at = SIMPLE_ESCAPES.has(text.charCodeAt(at + 1)) ? at + 2 : afterUnicodeEscape(text, at);
    } else if (code >= 0x20) {
      at += 1;
    } else {
      throw malformed(text, at); // a control character, or the end
    }
  }
}

/** Return where an escaped character ends; one beyond U+FFFF takes two escapes. */
function afterUnicodeEscape(text: string, start: number): number {
  const end = start + UNICODE_ESCAPE_LENGTH;
  const unit = escapedUnit(text, start);
  if (unit < 0xd800 || unit > 0xdfff) {
    return end;
  }
  const isFirst = unit < 0xdc00 && text[end] === "\\" && text[end + 1] === "u";
  const second = isFirst ? escapedUnit(text, end) : 0;
  if (second < 0xdc00 || second > 0xdfff) {
    // No peer could pass it on.
    throw new ProtocolError(`a lone surrogate has no UTF-8 form (position ${start})`);
  }
  return end + UNICODE_ESCAPE_LENGTH;
}

function escapedUnit(text: string, start: number): number {
  UNICODE_ESCAPE.lastIndex = start;
  if (!UNICODE_ESCAPE.test(text)) {
    throw malformed(text, start);
  }
  return parseInt(text.slice(start + 2, start + UNICODE_ESCAPE_LENGTH), 16);
}

function malformed(text: string, at: number): ProtocolError {
  const found = at < text.length ? `unexpected ${JSON.stringify(text[at])}` : "unexpected end";
  return new ProtocolError(`JSON is malformed: ${found} (position ${at})`);
}
