/** Which protocol versions two tools have in common. */
/**
 * Accept a message's version, or throw.
 *
 * @param version - As it stands in the envelope.
 * @throws {UnsupportedVersion} It is not a number, too old, or too new; the text names it and what
 *   is supported.
 */
export declare function checkVersion(version: string): void;
/** Tell whether a message's version lies in the supported range. */
export declare function isCompatible(version: string): boolean;
/**
 * Return the highest version that both sides speak.
 *
 * @param local - Our range, `"min-max"`, or one version.
 * @param remote - The peer's range, in the same form.
 * @throws {UnsupportedVersion} The ranges do not overlap, or one of them is malformed.
 */
export declare function negotiateVersion(local: string, remote: string): string;
/** Describe the supported versions in one line for a human reader. */
export declare function versionInfo(): string;
