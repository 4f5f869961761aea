/** What the fields of messages can be, how each is read, and how it is written. */
import { describe, encodeJson, encodeNumber, encodeString, memberPath, } from "./encoding.js";
import { ProtocolError } from "./errors.js";
import { finite, setMember, toBigInt, toNumber } from "./json.js";
/** Declare a member of a record. */
export function field(key, type, options = {}) {
    return {
        key,
        type,
        required: options.required ?? false,
        fallback: options.fallback,
        omitted: options.omitted,
        nullWhenEmpty: options.nullWhenEmpty ?? false,
    };
}
/** A string; lengths are counted in characters. */
export function text(limits = {}) {
    const check = (value, path) => {
        const { minLength = 0, maxLength = Infinity, pattern } = limits;
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
        zero: "",
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
        zero: 0,
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
        zero,
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
            const known = values.map((each) => JSON.stringify(each)).join(", ");
            const got = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : describe(value);
            throw new ProtocolError(`expected one of ${known}, got ${got}`, path);
        }
        return value;
    };
    return {
        zero: undefined,
        read: (cursor, path) => check(cursor.value(path), path),
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
/** The type of an object with known members. */
export class RecordType {
    name;
    #describe;
    #closed;
    #fields;
    /**
     * @param name - What errors call it.
     * @param fields - Its members in the order in which they are written; asked for when first needed,
     *   as a record may refer to itself or to one that is declared after it.
     * @param closed - Whether keys that are not known are refused, rather than ignored, on reading.
     */
    constructor(name, fields, closed = false) {
        this.name = name;
        this.#describe = fields;
        this.#closed = closed;
    }
    /** The record with every member at its default. */
    get zero() {
        return this.#complete({}, "$");
    }
    read(cursor, path) {
        expectKind(cursor, "an object", path);
        const found = {};
        for (const key of cursor.members()) {
            const known = this.#members.get(key);
            if (known) {
                readMember(found, known, cursor, memberPath(path, key));
            }
            else if (this.#closed) {
                throw new ProtocolError(`${this.name} has no such member`, memberPath(path, key));
            }
            else {
                cursor.raw();
            }
        }
        return this.#complete(found, path);
    }
    write(value, path) {
        return this.#write(value, path, false);
    }
    /** Return a whole payload as JSON. */
    writePayload(value) {
        return this.#write(value, "$", true);
    }
    get #members() {
        this.#fields ??= new Map(this.#describe().map((each) => [each.key, each]));
        return this.#fields;
    }
    #complete(found, path) {
        const complete = {};
        for (const each of this.#members.values()) {
            if (Object.hasOwn(found, each.key)) {
                complete[each.key] = found[each.key];
            }
            else if (each.required) {
                throw new ProtocolError(`missing \`${each.key}\` of ${this.name}`, path);
            }
            else if (each.fallback !== undefined) {
                complete[each.key] = structuredClone(each.fallback);
            }
            else if (each.omitted === undefined) {
                complete[each.key] = zeroOf(each.type);
            }
        }
        return complete;
    }
    #write(value, path, isPayload) {
        expectObject(value, path);
        const given = value;
        const members = [];
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
                members.push(`"${each.key}":${written}`);
            }
        }
        return `{${members.join(",")}}`;
    }
    #writeMember(member, given, path, isPayload) {
        if (given === undefined && member.required) {
            throw new ProtocolError(`missing \`${member.key}\` of ${this.name}`, path);
        }
        if (given === undefined && member.omitted !== undefined) {
            return member.omitted;
        }
        const isAbsent = given === undefined || (given === null && !member.type.takesNull);
        const value = isAbsent ? (member.fallback ?? zeroOf(member.type)) : given;
        const written = member.type.write(value, path);
        return member.nullWhenEmpty && isPayload && written === "[]" ? "null" : written;
    }
}
/** An object that is a record. */
export function record(type) {
    return {
        get zero() {
            return type().zero;
        },
        read: (cursor, path) => type().read(cursor, path),
        write: (value, path) => type().write(value, path),
    };
}
/** What a member is that is missing and has no fallback. */
function zeroOf(type) {
    return type.zero ?? null;
}
/** Read a value, or take null for what it stands for, as Go's decoder does. */
function readOrZero(type, cursor, path) {
    if (cursor.kind === "null" && type.zero !== undefined) {
        cursor.null();
        return type.zero;
    }
    return type.read(cursor, path);
}
/** Read a member; null where that is not allowed is as good as its absence. */
function readMember(into, member, cursor, path) {
    if (cursor.kind === "null" && !member.type.takesNull && !member.required) {
        cursor.null();
        delete into[member.key];
    }
    else {
        into[member.key] = member.type.read(cursor, path);
    }
}
function charactersIn(value) {
    let count = 0;
    for (let at = 0; at < value.length; at += value.codePointAt(at) > 0xffff ? 2 : 1) {
        count += 1;
    }
    return count;
}
function expectKind(cursor, kind, path) {
    if (cursor.kind !== kind) {
        throw new ProtocolError(`expected ${kind}, got ${cursor.kind}`, path);
    }
}
function expectType(value, kind, path) {
    if (typeof value !== kind) {
        throw new ProtocolError(`expected a ${kind}, got ${describe(value)}`, path);
    }
}
function expectObject(value, path) {
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
