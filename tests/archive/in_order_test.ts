import assert from "node:assert/strict";
import fc from "fast-check";
import { inOrder } from "../../lib/archive/verify/in_order.ts";
import { delay } from "../support/waiting.ts";

Deno.test("property: results come in the order of the items, never more at once than asked for", async () => {
  const waits = fc.array(fc.nat(3), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(waits, fc.integer({ min: 1, max: 5 }), async (items, atOnce) => {
      let [now, most] = [0, 0];
      const work = async (ms: number) => {
        most = Math.max(most, ++now);
        await delay(ms);
        now--;
        return ms;
      };
      assert.deepEqual(await Array.fromAsync(inOrder(items, atOnce, work)), items);
      assert.ok(most <= atOnce);
    }),
    { numRuns: 50 },
  );
});

Deno.test("an item is taken when there is room for it: a long list is never in memory", async () => {
  let taken = 0;
  function* endless() {
    while (true) yield taken++;
  }
  const results = inOrder(endless(), 3, (item) => Promise.resolve(item));
  for (let i = 0; i < 100; i++) {
    assert.deepEqual(await results.next(), { done: false, value: i });
    assert.ok(taken <= i + 3, `${taken} taken at result ${i}`);
  }
  await results.return(undefined);
});

Deno.test("what goes wrong is thrown in its turn, and nothing else is heard of", async () => {
  const work = (item: number) =>
    item === 0 ? Promise.resolve(item) : Promise.reject(new Error(`item ${item}`));
  const results = inOrder([0, 1, 2], 3, work);
  assert.equal((await results.next()).value, 0);
  await assert.rejects(results.next(), /^Error: item 1$/);
  assert.equal((await results.next()).done, true);
});
