import assert from "node:assert/strict";
import fc from "fast-check";
import { RecentValues } from "../../lib/core/spread.ts";

function spreadOf(values: readonly number[]) {
  const recent = new RecentValues(60_000, () => 0);
  for (const value of values) recent.add(value);
  return recent.spread();
}

/** By nearest rank, from all values. */
function exact(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? NaN;
}

Deno.test("quantiles are within 1 % of the true ones; count, mean and max are exact", () => {
  const seconds = fc.double({ min: 2e-6, max: 1e6, noNaN: true });
  fc.assert(fc.property(fc.array(seconds, { minLength: 1, maxLength: 300 }), (values) => {
    const spread = spreadOf(values);
    assert.ok(spread !== null);
    assert.equal(spread.count, values.length);
    assert.equal(spread.max, Math.max(...values));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    assert.ok(Math.abs(spread.mean - mean) <= 1e-9 * mean);
    for (const [share, found] of [[0.5, spread.p50], [0.75, spread.p75], [0.95, spread.p95]]) {
      const wanted = exact(values, share ?? 0);
      assert.ok(
        Math.abs((found ?? NaN) - wanted) <= 0.01 * wanted,
        `${share}: ${found}, ${wanted}`,
      );
    }
    const wanted = exact(values, 0.99);
    assert.ok(Math.abs(spread.p99 - wanted) <= 0.01 * wanted);
  }));
});

Deno.test("quantiles never go above the max nor down with the share", () => {
  fc.assert(fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1 }), (values) => {
    const spread = spreadOf(values);
    assert.ok(spread !== null);
    const { p50, p75, p95, p99, max } = spread;
    assert.deepEqual([p50, p75, p95, p99, max].toSorted((a, b) => a - b), [
      p50,
      p75,
      p95,
      p99,
      max,
    ]);
  }));
});

Deno.test("values that no bin was made for count at the ends: 0, less, tiny, huge, no number", () => {
  assert.deepEqual(spreadOf([0, -5, NaN])?.max, 0);
  assert.deepEqual(spreadOf([0, -5, NaN])?.count, 3);
  assert.equal(spreadOf([1e-12])?.p50, 1e-12);
  assert.equal(spreadOf([1e12])?.max, 1e12);
  assert.equal(spreadOf([Infinity])?.max, Infinity);
});

Deno.test("without a value there is no spread", () => {
  assert.equal(spreadOf([]), null);
});

Deno.test("what is older than the window is forgotten; the total is not", () => {
  let nowMs = 1_000;
  const recent = new RecentValues(60_000, () => nowMs);
  recent.add(9);
  nowMs += 60_000;
  recent.add(1);
  assert.deepEqual([recent.spread()?.count, recent.spread()?.max], [2, 9], "in the window yet");
  nowMs += 11_000;
  assert.deepEqual([recent.spread()?.count, recent.spread()?.max], [1, 1]);
  nowMs += 70_000;
  assert.equal(recent.spread(), null);
  recent.add(2);
  assert.deepEqual([recent.spread()?.count, recent.total], [1, 3]);
});

Deno.test("a long pause leaves nothing of before in the bins that are used again", () => {
  let nowMs = 0;
  const recent = new RecentValues(60_000, () => nowMs);
  for (let i = 0; i < 1_000; i++) {
    recent.add(100);
    nowMs += 100;
  }
  nowMs += 7 * 24 * 3_600_000;
  recent.add(1);
  const spread = recent.spread();
  assert.deepEqual([spread?.count, spread?.max, spread?.p50], [1, 1, 1]);
});
