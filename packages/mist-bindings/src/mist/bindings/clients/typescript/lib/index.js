/** Typed MIST messages, and sending them over HTTP: from Node, and from a browser. */
export { crc32 } from "./checksum.js";
export { EndOfStream, MessageTooLarge, ProtocolError, Rejected, TransportClosed, TransportError, TransportTimeout, UnsupportedVersion, } from "./errors.js";
export { HttpSender } from "./http.js";
export { parseJson } from "./json.js";
export { LineReader, parseLines } from "./lines.js";
export { Message } from "./message.js";
export * from "./protocol.js";
export { RecordType } from "./records.js";
export { checkVersion, isCompatible, negotiateVersion, versionInfo } from "./version.js";
