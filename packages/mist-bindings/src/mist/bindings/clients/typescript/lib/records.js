/** Objects with known members: what each member is, and how the whole is read and written. */
import { encodeString, memberPath } from "./encoding.js";
import { ProtocolError } from "./errors.js";
import { expectKind, expectObject } from "./fields.js";
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
                members.push(`${encodeString(each.key, path)}:${written}`);
            }
        }
        return `{${members.join(",")}}`;
    }
    #writeMember(member, given, path, isPayload) {
        if (given === undefined && member.required) {
            throw new ProtocolError(`missing \`${member.key}\` of ${this.name}`, path);
        }
        // A default is not held against the limits of a value.
        if (member.omitted !== undefined && (given === undefined || given === member.fallback)) {
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
