/** Typed MIST messages, and sending them over HTTP: from Node, and from a browser. */
export { crc32 } from "./checksum.js";
export { EndOfStream, type ErrorCode, MessageTooLarge, ProtocolError, Rejected, TransportClosed, TransportError, TransportTimeout, UnsupportedVersion, } from "./errors.js";
export type { Int64 } from "./fields.js";
export { HttpSender, type HttpSenderOptions } from "./http.js";
export { type JsonObject, type JsonValue, parseJson } from "./json.js";
export { type ByteSource, LineReader, parseLines } from "./lines.js";
export { type Decoded, Message, type PayloadOf } from "./message.js";
export * from "./protocol.js";
export { RecordType } from "./records.js";
export type { CallOptions, ReceiveOptions, Receiver, Sender, SendOptions, Transport, } from "./transport.js";
export { checkVersion, isCompatible, negotiateVersion, versionInfo } from "./version.js";
