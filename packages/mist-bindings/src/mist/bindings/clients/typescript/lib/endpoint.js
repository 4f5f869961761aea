/** Where messages are posted: one request within its time, its answer, and what errors say of both. */
import { readAnswer, retryAfter } from "./answer.js";
import { Rejected, TransportError, TransportTimeout } from "./errors.js";
import { HTTP } from "./protocol.js";
import { relay } from "./signals.js";
const SHOWN_BODY = 200;
/** A URL that is posted to. */
export class Endpoint {
    /** The URL without the query. */
    name;
    #url;
    #options;
    #ending = new AbortController();
    /** @throws {TransportError} Code `validation`: the URL or the token is wrong. */
    constructor(url, options) {
        const target = targetOf(url);
        this.#url = target.href;
        this.name = `${target.origin}${target.pathname}`;
        this.#options = options;
        if (options.token !== undefined && !/^[!-~]+$/.test(options.token)) {
            // The text does not repeat the token: errors end up in logs.
            throw new TransportError("the token must be visible ASCII characters", { code: "validation" });
        }
    }
    /**
     * Post a body, and return the answer, whatever its status.
     *
     * @throws {TransportTimeout} There was none in time.
     * @throws {TransportError} The peer could not be reached, or went away.
     */
    async post(body, contentType, headers, signal) {
        // Called bare, as a browser's fetch is nobody's method.
        const { token, timeoutMs, fetch: request } = this.#options;
        const stop = new AbortController();
        const timer = setTimeout(() => {
            const seconds = timeoutMs / 1000;
            stop.abort(new TransportTimeout(`${this.name} did not answer within ${seconds} seconds`));
        }, timeoutMs);
        const release = relay(stop, signal, this.#ending.signal);
        try {
            const response = await request(this.#url, {
                method: "POST",
                headers: {
                    ...headers,
                    "content-type": contentType,
                    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
                },
                body,
                redirect: "manual",
                credentials: "omit",
                cache: "no-store",
                signal: stop.signal,
            });
            return await readAnswer(response);
        }
        catch (error) {
            stop.signal.throwIfAborted();
            throw new TransportError(`no answer from ${this.name}: ${reasonOf(error)}`, { cause: error });
        }
        finally {
            clearTimeout(timer);
            release();
        }
    }
    /** End the requests that are in flight. */
    abort(reason) {
        this.#ending.abort(reason);
    }
    /** Return what an answer is to who sent a message that was not taken. */
    rejected(answer, why) {
        const shown = this.#shown(answer.body);
        let reason = why ?? `rejected the message: ${answer.status}`;
        const location = answer.headers.get("location");
        // A browser does not tell the status of a redirection, nor where it leads.
        if (why === undefined && (location !== null || answer.status === 0)) {
            reason += `, redirecting${location === null ? "" : ` to ${this.#shown(location)}`}; use that URL`;
        }
        return new Rejected(`${this.name} ${reason}${shown && `: ${shown}`}`, answer.status, shown, retryAfter(answer.headers));
    }
    /** Return what the answer to a batch is to who sent the message of it that was refused. */
    refused({ status, error }, answer) {
        const shown = this.#shown(error);
        return new Rejected(`${this.name} rejected the message: ${status}: ${shown}`, status, shown, retryAfter(answer.headers));
    }
    /** Return the beginning of what a peer said, without the token in case it repeats that. */
    #shown(text) {
        const { token } = this.#options;
        const safe = token ? text.replaceAll(token, "***") : text;
        return safe.slice(0, SHOWN_BODY).trim();
    }
}
function targetOf(url) {
    let target;
    try {
        target = new URL(url);
    }
    catch (error) {
        throw new TransportError("not a URL; expected http://host:port/path or https://...", {
            code: "validation",
            cause: error,
        });
    }
    if (target.protocol !== "http:" && target.protocol !== "https:") {
        throw new TransportError(`cannot post to ${target.protocol} URLs; expected http://host:port/path or https://...`, { code: "validation" });
    }
    if (target.username || target.password) {
        throw new TransportError(`the URL for ${target.host} holds credentials; pass the bearer token as \`token\``, { code: "validation" });
    }
    if (/^\/*$/.test(target.pathname)) {
        target.pathname = HTTP.path;
    }
    target.hash = "";
    return target;
}
/** Say why there was no answer: a browser does not tell, Node hides it in the cause. */
function reasonOf(error) {
    if (!(error instanceof Error)) {
        return String(error);
    }
    const { message, cause } = error;
    if (cause instanceof Error) {
        return cause.message || ("code" in cause ? String(cause.code) : message);
    }
    return "document" in globalThis
        ? `${message}; it may be down, or not allow pages of this origin`
        : message;
}
