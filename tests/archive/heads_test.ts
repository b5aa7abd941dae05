import assert from "node:assert/strict";
import { nextOffsetIn } from "../../lib/archive/heads.ts";
import { madeBatch } from "../support/made_batches.ts";
import { concat } from "./rig.ts";

const first = madeBatch({ baseOffset: 5n, records: [{ offsetDelta: 0 }], lastOffsetDelta: 4 });
const second = madeBatch({ baseOffset: 20n, records: [{ offsetDelta: 2 }] });

Deno.test("reading goes on behind the last whole batch, wherever the answer is cut", () => {
  const both = concat([first, second]);
  for (let length = 0; length <= both.length; length++) {
    // A view that does not begin at its buffer, as all but the first of an answer.
    const shifted = concat([new Uint8Array(7), both.subarray(0, length)]).subarray(7);
    const expected = length < first.length ? null : length < both.length ? 10n : 23n;
    assert.equal(nextOffsetIn(shifted, 5n), expected, `${length} bytes`);
  }
});

for (
  const [what, bytes] of [
    ["a message of an old format", madeBatch({ magic: 1, records: [{ offsetDelta: 0 }] })],
    ["an old message that is shorter than a batch's head", oldMessage()],
    ["zeros", new Uint8Array(100)],
  ] as const
) {
  Deno.test(`${what} is looked at, and not asked for again and again`, () => {
    assert.equal(nextOffsetIn(bytes, 70n), 71n);
    assert.equal(nextOffsetIn(concat([first, bytes]), 5n), 10n, "behind a batch it waits its turn");
  });
}

function oldMessage(): Uint8Array {
  const bytes = new Uint8Array(40);
  const view = new DataView(bytes.buffer);
  view.setInt32(8, 28);
  view.setInt8(16, 1);
  return bytes;
}
