/** The longest that a timer runs, in milliseconds: one that is set for longer ends at once. */
export declare const MAX_TIMER_MS: number;
/** The least and the greatest value of each option that is a number. */
export type Bounds = Readonly<Record<string, readonly [number, number]>>;
/**
 * Refuse an option that is out of its bounds.
 *
 * @throws {TransportError} Code `validation`; the text names the option and the bounds.
 */
export declare function checkBounds<B extends Bounds>(options: Readonly<Record<keyof B, number>>, bounds: B): void;
