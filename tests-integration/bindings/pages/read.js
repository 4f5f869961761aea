// Read a file of this site, and tell what each of its messages is, and how the client writes it again.

import { LineReader } from "/client/lib/index.js";

export default async function read({ file }) {
  const messages = [];
  const { body } = await fetch(file);
  for await (const message of new LineReader(body, file)) {
    const { type, payload } = message.decode();
    messages.push({
      line: message.marshalLine(),
      verifies: message.verifyChecksum(),
      type: type ?? typeof payload,
      payload,
    });
  }
  return messages;
}
