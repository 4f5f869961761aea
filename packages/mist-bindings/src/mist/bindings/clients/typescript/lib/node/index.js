/** What needs Node: standard input and output, and listening for HTTP. */
export { HttpListener, incomingHeaders } from "./listener.js";
export { Stdio } from "./stdio.js";
