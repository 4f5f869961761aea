// Tell how what is wrong is refused here: payloads, versions, and a range of a peer's.

import { LineReader, Message, negotiateVersion } from "/client/lib/index.js";

export default async function refuse({ file }) {
  const ping = Message.create("page", "health.ping", { from: "page" });
  const wrong = '{"messages":[{"role":"user"},{"role":7}]}';
  const messages = [{ role: "user", content: 7 }];
  const { body } = await fetch(file);
  const attempts = [
    () => new Message({ ...ping, type: "infer.request", payload: wrong }).decode(),
    () => Message.create("page", "infer.request", { model: "m", messages }),
    () => new LineReader(body, file).receive(),
    () => negotiateVersion("1-1", "8-9"),
  ];
  const errors = [];
  for (const attempt of attempts) {
    try {
      await attempt();
      errors.push("nothing is wrong");
    } catch (error) {
      errors.push(`${error.name} ${error.message}`);
    }
  }
  return errors;
}
