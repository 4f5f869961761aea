// Which versions two tools have in common.

import assert from "node:assert/strict";
import { test } from "node:test";

import { UnsupportedVersion, checkVersion, isCompatible, negotiateVersion, versionInfo } from "mist-client";

test("the highest common version is chosen", () => {
  assert.equal(negotiateVersion("1-3", "2-5"), "3");
  assert.equal(negotiateVersion(" 1 - 3 ", "2"), "2");
});

test("a peer of an unsupported version is refused, and both ranges are named", () => {
  assert.throws(() => negotiateVersion("1-2", "3-4"), (error) => {
    assert.ok(error instanceof UnsupportedVersion);
    assert.match(error.message, /local '1-2', remote '3-4'/);
    return true;
  });
  assert.throws(() => negotiateVersion("3-4", "1-2"), UnsupportedVersion);
  assert.throws(() => checkVersion("2"), /version '2' is too new \(supported: 1-1\)/);
  assert.throws(() => checkVersion("0"), /version '0' is too old \(supported: 1-1\)/);
});

test("what is not a version is refused by name", () => {
  for (const range of ["", "a", "1-", "2-1", "0x1", "1.0", "9".repeat(20)]) {
    assert.throws(() => negotiateVersion(range, "1"), /invalid local version range/, range);
    assert.throws(() => negotiateVersion("1", range), /invalid remote version range/, range);
  }
  assert.ok(isCompatible(" +01 "));
  assert.ok(!isCompatible("x"));
  assert.equal(versionInfo(), "MIST protocol version 1");
});
