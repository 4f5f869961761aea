import { describe } from "./encoding.js";
import { TransportError } from "./errors.js";
/** The longest that a timer runs, in milliseconds: one that is set for longer ends at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
/**
 * Refuse an option that is out of its bounds.
 *
 * @throws {TransportError} Code `validation`; the text names the option and the bounds.
 */
export function checkBounds(options, bounds) {
    for (const [name, [least, greatest]] of Object.entries(bounds)) {
        const value = options[name];
        if (typeof value !== "number" || !(value >= least && value <= greatest)) {
            const upTo = greatest === Infinity ? "" : ` and at most ${greatest}`;
            const got = typeof value === "number" ? String(value) : describe(value);
            throw new TransportError(`${name} must be a number, at least ${least}${upTo}; got ${got}`, {
                code: "validation",
            });
        }
    }
}
