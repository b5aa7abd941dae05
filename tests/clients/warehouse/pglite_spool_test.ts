import assert from "node:assert/strict";
import { PgliteSpool } from "../../../lib/clients/warehouse/pglite_spool.ts";

/** Bytes whose value tells their place. */
function pattern(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (from + i) * 31 % 251);
}

Deno.test("PgliteSpool gives back what was put, from memory and from a file", () => {
  for (const [pieces, pieceBytes] of [[3, 1000], [9, 1_000_000], [1, 20_000_000]] as const) {
    const spool = new PgliteSpool();
    for (let i = 0; i < pieces; i++) spool.append(pattern(i * pieceBytes, pieceBytes));
    assert.equal(spool.length, pieces * pieceBytes);
    let at = 0;
    while (at < spool.length) {
      const part = spool.read(at, 100_000);
      assert.ok(part.length > 0 && part.length <= 100_000);
      assert.ok(part.equals(pattern(at, part.length)), `at ${at}`);
      at += part.length;
    }
    spool.clear();
    assert.equal(spool.length, 0);
    spool.append(pattern(5, 3));
    assert.deepEqual(new Uint8Array(spool.read(0, 9)), pattern(5, 3));
    spool.clear();
  }
});

Deno.test("PgliteSpool keeps its own copy of what it was given", () => {
  const spool = new PgliteSpool();
  const bytes = Uint8Array.of(1, 2, 3);
  spool.append(bytes);
  bytes.fill(9);
  assert.deepEqual([...spool.read(0, 3)], [1, 2, 3]);
});
