// Post a message that has one text wherever a text can stand.

import { HttpSender, Message } from "/client/lib/index.js";

export default async function post({ url, text }) {
  const request = { model: text, messages: [], params: { [text]: [text] }, meta: { [text]: text } };
  const message = Message.create("page", "infer.request", request).withChecksum();
  await new HttpSender(url).send(message);
}
