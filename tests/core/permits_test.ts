import assert from "node:assert/strict";
import { Permits } from "../../lib/core/permits.ts";

/** Acts that end when the test says so. */
function acts(permits: Permits, count: number) {
  const begun: number[] = [];
  const ends = Array.from({ length: count }, () => Promise.withResolvers<number>());
  const results = ends.map(({ promise }, i) =>
    permits.use(() => {
      begun.push(i);
      return promise;
    })
  );
  return { begun, ends, results };
}

async function turn(): Promise<void> {
  for (let i = 0; i < 10; i++) await null;
}

Deno.test("so many go on at once, and the others in the order in which they came", async () => {
  const permits = new Permits(2);
  const { begun, ends, results } = acts(permits, 5);
  await turn();
  assert.deepEqual([begun, permits.inUse], [[0, 1], 2]);
  ends[1]?.resolve(11);
  assert.equal(await results[1], 11);
  await turn();
  assert.deepEqual([begun, permits.inUse], [[0, 1, 2], 2]);
  for (const end of ends) end.resolve(0);
  await Promise.all(results);
  assert.deepEqual([begun, permits.inUse], [[0, 1, 2, 3, 4], 0]);
});

Deno.test("an act that fails gives its permit back", async () => {
  const permits = new Permits(1);
  const failed = permits.use(() => Promise.reject(new Error("no")));
  const next = permits.use(() => Promise.resolve("yes"));
  await assert.rejects(failed, /no/);
  assert.equal(await next, "yes");
  await assert.rejects(
    permits.use(() => {
      throw new Error("at once");
    }),
    /at once/,
  );
  assert.equal(permits.inUse, 0);
});

Deno.test("nobody slips in before those who wait", async () => {
  const permits = new Permits(1);
  const order: string[] = [];
  const first = permits.use(() => Promise.resolve());
  const second = permits.use(() => Promise.resolve(order.push("waiting")));
  await first;
  await permits.use(() => Promise.resolve(order.push("late")));
  await second;
  assert.deepEqual(order, ["waiting", "late"]);
});
