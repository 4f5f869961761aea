// Post the least and the largest integer of 64 bits, in typed fields and in free-form JSON.

import { HttpSender, InferResponse, Message } from "/client/lib/index.js";

export default async function post({ url }) {
  const [least, largest] = [-(2n ** 63n), 2n ** 63n - 1n];
  const response = { ...InferResponse.zero, tokens_in: least, tokens_out: largest };
  const sender = new HttpSender(url);
  await sender.send(Message.create("page", "infer.response", response));
  await sender.send(Message.create("page", "acme.free", [least, largest, 2n ** 53n + 1n, 7]));
}
