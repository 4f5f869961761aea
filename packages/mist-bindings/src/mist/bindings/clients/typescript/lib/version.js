/** Which protocol versions two tools have in common. */
import { UnsupportedVersion } from "./errors.js";
import { CURRENT_VERSION, MAX_SUPPORTED_VERSION, MIN_SUPPORTED_VERSION } from "./protocol.js";
const INT64_LIMIT = 2n ** 63n;
/**
 * Accept a message's version, or throw.
 *
 * @param version - As it stands in the envelope.
 * @throws {UnsupportedVersion} It is not a number, too old, or too new; the text names it and what
 *   is supported.
 */
export function checkVersion(version) {
    const number = parse(version);
    if (number === undefined) {
        throw new UnsupportedVersion(`invalid version ${show(version)}: expected a whole number such as '1'`);
    }
    const supported = `supported: ${MIN_SUPPORTED_VERSION}-${MAX_SUPPORTED_VERSION}`;
    if (number < BigInt(MIN_SUPPORTED_VERSION)) {
        throw new UnsupportedVersion(`version ${show(version)} is too old (${supported})`);
    }
    if (number > BigInt(MAX_SUPPORTED_VERSION)) {
        throw new UnsupportedVersion(`version ${show(version)} is too new (${supported})`);
    }
}
/** Tell whether a message's version lies in the supported range. */
export function isCompatible(version) {
    try {
        checkVersion(version);
        return true;
    }
    catch {
        return false;
    }
}
/**
 * Return the highest version that both sides speak.
 *
 * @param local - Our range, `"min-max"`, or one version.
 * @param remote - The peer's range, in the same form.
 * @throws {UnsupportedVersion} The ranges do not overlap, or one of them is malformed.
 */
export function negotiateVersion(local, remote) {
    const [localMin, localMax] = parseRange(local, "local");
    const [remoteMin, remoteMax] = parseRange(remote, "remote");
    const highest = localMax < remoteMax ? localMax : remoteMax;
    if (highest < localMin || highest < remoteMin) {
        throw new UnsupportedVersion(`no compatible version (local ${show(local)}, remote ${show(remote)})`);
    }
    return String(highest);
}
/** Describe the supported versions in one line for a human reader. */
export function versionInfo() {
    const line = `MIST protocol version ${CURRENT_VERSION}`;
    const range = `${MIN_SUPPORTED_VERSION}-${MAX_SUPPORTED_VERSION}`;
    return range === `${CURRENT_VERSION}-${CURRENT_VERSION}` ? line : `${line} (supports ${range})`;
}
function parse(text) {
    // What Go's strconv.Atoi takes: BigInt() would also allow `0x1` and the empty string.
    const [, sign, digits] = /^([+-]?)(\d{1,19})$/.exec(text.trim()) ?? [];
    if (digits === undefined) {
        return undefined;
    }
    const number = sign === "-" ? -BigInt(digits) : BigInt(digits);
    return number >= -INT64_LIMIT && number < INT64_LIMIT ? number : undefined;
}
function parseRange(text, side) {
    const dash = text.indexOf("-");
    const minimum = parse(dash < 0 ? text : text.slice(0, dash));
    const maximum = dash < 0 ? minimum : parse(text.slice(dash + 1));
    if (minimum === undefined || maximum === undefined) {
        throw new UnsupportedVersion(`invalid ${side} version range ${show(text)}: expected 'min-max' or one version`);
    }
    if (minimum > maximum) {
        throw new UnsupportedVersion(`invalid ${side} version range ${show(text)}: min ${minimum} > max ${maximum}`);
    }
    return [minimum, maximum];
}
function show(text) {
    return text.length <= 80 ? `'${text}'` : `'${text.slice(0, 80)}'...`;
}
