// Post every message of a file of this site.

import { HttpSender, LineReader } from "/client/lib/index.js";

export default async function post({ url, file }) {
  const sender = new HttpSender(url);
  const { body } = await fetch(file);
  for await (const message of new LineReader(body, file)) {
    await sender.send(message);
  }
  await sender.close();
}
