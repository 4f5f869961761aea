// Says of each line on standard input what the client makes of the message that it holds.

import { createInterface } from "node:readline";

import { Message, isCompatible, negotiateVersion } from "mist-client";

function judge({ wire, local, remote, check }) {
  if (local !== undefined) {
    return { version: negotiateVersion(local, remote) };
  }
  if (check !== undefined) {
    return { compatible: isCompatible(check) };
  }
  const message = Message.parse(wire);
  const verdict = {
    payload: message.payload,
    wire: message.marshal(),
    verifies: message.verifyChecksum(),
    checksum: message.withChecksum().checksum,
    timestamp_ns: String(message.timestamp_ns),
  };
  try {
    verdict.again = Message.create(message.source, message.type, message.decode().payload).payload;
  } catch (error) {
    verdict.undecodable = error.message;
  }
  verdict.in_a_word = "again" in verdict ? "sound" : "undecodable";
  return verdict;
}

for await (const line of createInterface({ input: process.stdin })) {
  let verdict;
  try {
    verdict = { ok: true, ...judge(JSON.parse(line)) };
  } catch (error) {
    verdict = { ok: false, in_a_word: "refused", error: error.message };
  }
  console.log(JSON.stringify(verdict));
}
