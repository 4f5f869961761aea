/**
 * Reading JSON without losing any of it: integers stay exact, and the text of a value can be had
 * as it stands.
 */
import { ProtocolError } from "./errors.js";
import { checkSyntax } from "./syntax.js";
/** More digits than anybody means, and few enough to be read in no time. */
const MAX_DIGITS = 4300;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const INTEGER = /^-?\d+$/;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Return JSON text as a value; integers beyond what a number holds become bigints. */
export function parseJson(text) {
    return cursorOver(text).value("$");
}
/**
 * Return a cursor at the beginning of JSON text.
 *
 * @throws {ProtocolError} It is not JSON, or not JSON that every peer can read.
 */
export function cursorOver(text) {
    checkSyntax(text);
    return new Cursor(text);
}
/** Walks over JSON text that is known to be well-formed. */
export class Cursor {
    #text;
    #at = 0;
    constructor(text) {
        this.#text = text;
        this.#skipSpace();
    }
    /** What the value is at which the cursor stands. */
    get kind() {
        switch (this.#text[this.#at]) {
            case "{":
                return "an object";
            case "[":
                return "an array";
            case '"':
                return "a string";
            case "t":
            case "f":
                return "a boolean";
            case "n":
                return "null";
            default:
                return "a number";
        }
    }
    /** Read a string. */
    string() {
        return JSON.parse(this.#take(this.#endOfString()));
    }
    /** Read true or false. */
    boolean() {
        return this.#take(this.#endOfScalar()) === "true";
    }
    /** Step over null. */
    null() {
        this.#take(this.#endOfScalar());
    }
    /** Read a number as it is written. */
    numeral() {
        return this.#take(this.#endOfScalar());
    }
    /** Read the keys of an object; the caller reads the value after each. */
    *members() {
        while (this.#enters(CLOSING_BRACE)) {
            const key = this.string();
            this.#step(); // the colon
            yield key;
        }
    }
    /** Count the elements of an array from 0; the caller reads each. */
    *elements() {
        for (let index = 0; this.#enters(CLOSING_BRACKET); index += 1) {
            yield index;
        }
    }
    /** Step over a value of any kind, and return its text. */
    raw() {
        let depth = 0;
        let end = this.#at;
        do {
            switch (this.#text.charCodeAt(end)) {
                case OPENING_BRACE:
                case OPENING_BRACKET:
                    depth += 1;
                    end += 1;
                    break;
                case CLOSING_BRACE:
                case CLOSING_BRACKET:
                    depth -= 1;
                    end += 1;
                    break;
                case QUOTE:
                    end = this.#endOfString(end);
                    break;
                default:
                    end = depth ? end + 1 : this.#endOfScalar();
            }
        } while (depth);
        return this.#take(end);
    }
    /** Read a value of any kind. */
    value(path) {
        // The containers around the present value, innermost last, each with how to add to it.
        const enclosing = [];
        for (;;) {
            const kind = this.kind;
            const opened = kind === "an object" ? new Members() : kind === "an array" ? new Elements() : null;
            if (opened) {
                enclosing.push(opened);
            }
            let done = opened ? undefined : this.#scalar(kind, path);
            // Close what ends here, then go on with the next member of what does not.
            for (;;) {
                const inner = enclosing.at(-1);
                if (!inner) {
                    return done;
                }
                if (done !== undefined) {
                    inner.add(done);
                }
                if (this.#enters(inner.closing)) {
                    if (inner instanceof Members) {
                        inner.key = this.string();
                        this.#step(); // the colon
                    }
                    break;
                }
                enclosing.pop();
                done = inner.value;
            }
        }
    }
    #scalar(kind, path) {
        switch (kind) {
            case "a string":
                return this.string();
            case "a number":
                return toNumber(this.numeral(), path);
            case "a boolean":
                return this.boolean();
            default:
                this.null();
                return null;
        }
    }
    /** Step over the bracket or comma before an element, or over the bracket after the last. */
    #enters(closing) {
        if (this.#text.charCodeAt(this.#at) === closing) {
            this.#step();
            return false;
        }
        this.#step(); // the opening bracket, or a comma
        if (this.#text.charCodeAt(this.#at) === closing) {
            this.#step(); // there was nothing between the brackets
            return false;
        }
        return true;
    }
    #step() {
        this.#at += 1;
        this.#skipSpace();
    }
    #take(end) {
        const taken = this.#text.slice(this.#at, end);
        this.#at = end;
        this.#skipSpace();
        return taken;
    }
    #skipSpace() {
        let code = this.#text.charCodeAt(this.#at);
        while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
            this.#at += 1;
            code = this.#text.charCodeAt(this.#at);
        }
    }
    #endOfScalar() {
        NUMBER.lastIndex = this.#at;
        if (NUMBER.test(this.#text)) {
            return NUMBER.lastIndex;
        }
        return this.#at + (this.#text[this.#at] === "f" ? "false" : "true").length;
    }
    #endOfString(start = this.#at) {
        for (let end = start;;) {
            end = this.#text.indexOf('"', end + 1);
            let backslashes = 0;
            while (this.#text.charCodeAt(end - 1 - backslashes) === BACKSLASH) {
                backslashes += 1;
            }
            if (backslashes % 2 === 0) {
                return end + 1;
            }
        }
    }
}
class Members {
    closing = CLOSING_BRACE;
    value = {};
    key = "";
    add(item) {
        setMember(this.value, this.key, item);
    }
}
class Elements {
    closing = CLOSING_BRACKET;
    value = [];
    add(item) {
        this.value.push(item);
    }
}
/** Set a member whatever its key, `__proto__` included. */
export function setMember(target, key, value) {
    if (key === "__proto__") {
        Object.defineProperty(target, key, {
            value,
            configurable: true,
            enumerable: true,
            writable: true,
        });
    }
    else {
        target[key] = value;
    }
}
/** Return a numeral's value: a number where that is exact or it is no integer, else a bigint. */
export function toNumber(numeral, path) {
    const value = Number(numeral);
    if (Number.isSafeInteger(value) || !isInteger(numeral)) {
        return finite(value, path);
    }
    return toBigInt(numeral, path);
}
/** Tell whether a number is spelled as an integer. */
export function isInteger(numeral) {
    return INTEGER.test(numeral);
}
/** Return an integer's value. */
export function toBigInt(numeral, path) {
    if (!isInteger(numeral)) {
        throw new ProtocolError(`expected an integer, got ${numeral.slice(0, 40)}`, path);
    }
    if (numeral.length > MAX_DIGITS) {
        throw new ProtocolError(`an integer of ${numeral.length} digits is out of range`, path);
    }
    return BigInt(numeral);
}
/** Return a number that a double can hold. */
export function finite(value, path) {
    if (!Number.isFinite(value)) {
        throw new ProtocolError("number out of range", path);
    }
    return value;
}
