/** What the fields of a record can be, how each is read, and how it is written. */
import { describe, encodeJson, encodeNumber, encodeString, memberPath, } from "./encoding.js";
import { ProtocolError } from "./errors.js";
import { finite, isInteger, setMember, toBigInt, toNumber } from "./json.js";
/** A string; lengths are counted in characters. */
export function text(limits = {}) {
    const { minLength = 0, maxLength = Infinity, pattern } = limits;
    const check = (value, path) => {
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
        zero: minLength === 0 && (!pattern || pattern.test("")) ? "" : undefined,
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
export const boolean = {
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
export function number(limits = {}) {
    const { minimum = -Infinity, maximum = Infinity } = limits;
    const check = (value, path) => inRange(value, minimum, maximum, path);
    return {
        zero: minimum <= 0 && maximum >= 0 ? 0 : undefined,
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
function integers(zero, read, minimum, maximum) {
    const check = (value, path) => inRange(value, minimum, maximum, path);
    return {
        zero: minimum <= 0 && maximum >= 0 ? zero : undefined,
        read(cursor, path) {
            expectKind(cursor, "a number", path);
            const numeral = cursor.numeral();
            toBigInt(numeral, path);
            return check(read(numeral, path), path);
        },
        write(value, path) {
            if (typeof value !== "bigint" && !Number.isSafeInteger(value)) {
                const got = typeof value === "number" ? String(value) : describe(value);
                throw new ProtocolError(`expected a whole number, as a bigint where a number is not exact, got ${got}`, path);
            }
            return String(check(value, path) || 0); // -0 is no integer
        },
    };
}
/** An integer that may be beyond what a number holds. */
export function int64(minimum = INT64_MIN, maximum = INT64_MAX) {
    return integers(0, toNumber, minimum, maximum);
}
/** An integer that always is, or soon would be, beyond what a number holds, such as nanoseconds. */
export function bigint(minimum = INT64_MIN, maximum = INT64_MAX) {
    return integers(0n, toBigInt, minimum, maximum);
}
/** An integer whose bounds are such that a number holds it. */
export function integer(minimum, maximum) {
    return integers(0, (numeral, path) => Number(toBigInt(numeral, path)), minimum, maximum);
}
/** One of a few values. */
export function choice(...values) {
    const check = (value, path) => {
        if (!values.includes(value)) {
            const known = values.map((each) => encodeJson(each, path)).join(", ");
            const got = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : describe(value);
            throw new ProtocolError(`expected one of ${known}, got ${got}`, path);
        }
        return value;
    };
    return {
        zero: undefined,
        read(cursor, path) {
            if (cursor.kind !== "a number") {
                return check(cursor.value(path), path);
            }
            const numeral = cursor.numeral(); // 1.0 is no whole number, though it equals one
            return check(isInteger(numeral) ? toNumber(numeral, path) : NaN, path);
        },
        write: (value, path) => encodeJson(check(value, path), path),
    };
}
/** Any JSON, null included. */
export const json = {
    zero: undefined,
    takesNull: true,
    read: (cursor, path) => cursor.value(path),
    write: encodeJson,
};
/** The text of any JSON, as it stands. */
export const raw = {
    zero: undefined,
    takesNull: true,
    read: (cursor) => cursor.raw(),
    write: (value) => value,
};
/** Null, or what is inside. */
export function nullable(inner) {
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
export function list(item) {
    return {
        get zero() {
            return [];
        },
        read(cursor, path) {
            expectKind(cursor, "an array", path);
            const values = [];
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
export function map(item) {
    return {
        get zero() {
            return {};
        },
        read(cursor, path) {
            expectKind(cursor, "an object", path);
            const values = {};
            for (const key of cursor.members()) {
                setMember(values, key, readOrZero(item, cursor, memberPath(path, key)));
            }
            return values;
        },
        write(value, path) {
            expectObject(value, path);
            const members = [];
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
/** Read a value, or take null for what it stands for, as Go's decoder does. */
function readOrZero(type, cursor, path) {
    if (cursor.kind === "null" && type.zero !== undefined) {
        cursor.null();
        return type.zero;
    }
    return type.read(cursor, path);
}
function charactersIn(value) {
    let count = 0;
    for (let at = 0; at < value.length; at += value.codePointAt(at) > 0xffff ? 2 : 1) {
        count += 1;
    }
    return count;
}
/** Refuse a value that is not of a kind. */
export function expectKind(cursor, kind, path) {
    if (cursor.kind !== kind) {
        throw new ProtocolError(`expected ${kind}, got ${cursor.kind}`, path);
    }
}
function expectType(value, kind, path) {
    if (typeof value !== kind) {
        throw new ProtocolError(`expected a ${kind}, got ${describe(value)}`, path);
    }
}
/** Refuse a value that is no object. */
export function expectObject(value, path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new ProtocolError(`expected an object, got ${describe(value)}`, path);
    }
}
function inRange(value, minimum, maximum, path) {
    if (value < minimum || value > maximum) {
        const bound = value < minimum ? `at least ${minimum}` : `at most ${maximum}`;
        throw new ProtocolError(`expected ${bound}, got ${value}`, path);
    }
    return value;
}
