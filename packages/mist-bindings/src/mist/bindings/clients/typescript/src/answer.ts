/** What a peer answers to what was posted. */

/** An answer, read as far as it is of interest. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The beginning of its body. */
  readonly body: string;
}

/** Why one message of a batch was not taken. */
export interface Refusal {
  /** Which one: 0 is the first message of the batch. */
  readonly index: number;
  /** The HTTP status that it would have met alone. */
  readonly status: number;
  /** The reason, for a human reader. */
  readonly error: string;
}

// Room for the fates of a whole batch; of what is longer, the beginning is all that is wanted.
const MAX_ANSWER = 1 << 20;

/** Read an answer; of a long body, the beginning. */
export async function readAnswer(response: Response): Promise<Answer> {
  const { status, headers } = response;
  return { status, headers, body: await beginningOf(response) };
}

/**
 * Return what the answer to a batch says of its messages; undefined where it does not say.
 *
 * @param count - How many messages the batch had.
 */
export function refusalsIn(body: string, count: number): Refusal[] | undefined {
  try {
    const { rejected } = JSON.parse(body) as { rejected: Refusal[] };
    return rejected.map(({ index, status, error = "" }) => {
      const isOfBatch = Number.isInteger(index) && index >= 0 && index < count;
      if (!isOfBatch || !Number.isInteger(status) || typeof error !== "string") {
        throw new TypeError("this is no refusal");
      }
      return { index, status, error };
    });
  } catch {
    return undefined;
  }
}

/** Tell whether text is JSON. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Return the seconds that Retry-After asks for (RFC 9110, section 10.2.3), if it does. */
export function retryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (!value) {
    return undefined;
  }
  if (/^\d+$/.test(value)) {
    return Number(value);
  }
  const moment = Date.parse(value);
  return Number.isNaN(moment) ? undefined : Math.max(0, (moment - Date.now()) / 1000);
}

async function beginningOf(response: Response): Promise<string> {
  if (!response.body) {
    return "";
  }
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return text + decoder.decode();
    }
    text += decoder.decode(value, { stream: true });
    if (text.length > MAX_ANSWER) {
      await reader.cancel();
      return text;
    }
  }
}
