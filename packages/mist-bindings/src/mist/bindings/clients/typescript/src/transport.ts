/** What every transport can do, whatever carries its messages. */

import { EndOfStream, TransportClosed } from "./errors.js";
import type { Message } from "./message.js";

declare global {
  // As TypeScript's own `esnext.disposable` and Node's types have it, which need not be there.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** What a call that waits may be told. */
export interface CallOptions {
  /** Ends the wait: the call then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** What a send may be told. */
export interface SendOptions extends CallOptions {
  /** Headers to send along where the transport has some, such as `traceparent`. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** How a receiver receives. */
export interface ReceiveOptions {
  /** Whether to receive messages of a protocol version that is not supported, as a relay does. */
  anyVersion?: boolean | undefined;
}

/** Can send messages. */
export interface Sender {
  /**
   * Send one message; that it returns means that the message was taken.
   *
   * @throws {TransportError} It was not, or nobody knows; the kind and `code` tell which.
   */
  send(message: Message, options?: SendOptions): Promise<void>;
  /** Release everything; calling it again does nothing. */
  close(): Promise<void>;
}

/** Can receive messages; iteration ends when the stream does, or when it is closed. */
export interface Receiver extends AsyncIterable<Message> {
  /**
   * Wait for the next message. A call that is aborted loses none: the next call returns it.
   *
   * @throws {EndOfStream} There are no more.
   * @throws {TransportClosed} The transport was closed, and what it held has been received.
   * @throws {ProtocolError} What came is not a message, or of a version that is not supported; the
   *   one after it can be received.
   */
  receive(options?: CallOptions): Promise<Message>;
  /** Release everything; calling it again does nothing. */
  close(): Promise<void>;
}

/** Can send, receive, and be closed. */
export interface Transport extends Sender, Receiver {}

/** Iterate over what a receiver receives. */
export function messagesOf(receiver: Receiver): AsyncIterator<Message> {
  return {
    async next() {
      try {
        return { done: false, value: await receiver.receive() };
      } catch (error) {
        if (error instanceof EndOfStream || error instanceof TransportClosed) {
          return { done: true, value: undefined };
        }
        throw error;
      }
    },
  };
}
