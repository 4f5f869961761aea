// Send a batch of which the peer takes every message but one.

import { HttpSender, Message } from "/client/lib/index.js";

export default async function batch({ url }) {
  const requests = [];
  const sender = new HttpSender(url, {
    fetch(target, request) {
      requests.push(request.headers["content-type"]);
      return fetch(target, request);
    },
  });
  const order = (n) => Message.create("page", "acme.order", { n });
  await sender.send(order(0));
  const wrong = new Message({ ...order(2), payload: "nonsense" });
  const sends = [order(1), wrong, order(3)].map((message) => sender.send(message));
  const fates = await Promise.allSettled(sends);
  return { requests, fates: fates.map(({ reason }) => reason?.message ?? "taken") };
}
