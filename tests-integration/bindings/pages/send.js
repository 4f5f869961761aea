// Send a few messages at once, and tell what becomes of each.

import { HttpSender, Message } from "/client/lib/index.js";

export default async function send({ url, count = 1, timeoutMs = 10_000, retries = 3 }) {
  const sender = new HttpSender(url, {
    timeoutMs: Number(timeoutMs),
    retries: Number(retries),
    async fetch(...request) {
      const response = await fetch(...request);
      if (response.status === 503) {
        await fetch("/told-to-wait");
      }
      return response;
    },
  });
  const begin = performance.now();
  const sends = Array.from({ length: Number(count) }, (_, n) =>
    sender.send(Message.create("page", "acme.order", { n })),
  );
  const fates = (await Promise.allSettled(sends)).map(({ reason }) =>
    reason
      ? { error: `${reason.name} ${reason.code} ${reason.message}`, retryAfter: reason.retryAfter }
      : "taken",
  );
  return { fates, peerBatches: sender.peerBatches, ms: performance.now() - begin };
}
