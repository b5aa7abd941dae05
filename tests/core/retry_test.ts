import assert from "node:assert/strict";
import fc from "fast-check";
import { type Fault, SluiceError } from "../../lib/core/errors.ts";
import { backoffMs, networkRetry, retry } from "../../lib/core/retry.ts";
import { type Fields, realWorld, sleep, type World } from "../../lib/core/world.ts";

/** A world that is turned by hand: sleeping takes no time, and all that happens is written down. */
class HandWorld implements World {
  readonly lines: [level: string, message: string, fields?: Fields][] = [];
  readonly sleptMs: number[] = [];
  chance = 0;
  onSleep: () => void = () => {};
  nowMs = () => 0;
  monotonicMs = () => 0;
  random = () => this.chance;
  log: World["log"] = (level, message, fields) =>
    this.lines.push(fields === undefined ? [level, message] : [level, message, fields]);
  sleep = (ms: number) => {
    this.sleptMs.push(ms);
    this.onSleep();
    return Promise.resolve();
  };
}

function failing(fault: Fault, detail: string): SluiceError {
  return new SluiceError("reach x", fault, detail);
}

/** An act that fails with these errors in turn, and then succeeds. */
function actOf(...failures: unknown[]): () => Promise<string> {
  return () => failures.length > 0 ? Promise.reject(failures.shift()) : Promise.resolve("done");
}

Deno.test("retry() says nothing and waits for nothing when the first try succeeds", async () => {
  const world = new HandWorld();
  assert.equal(await retry(world, actOf(), { what: "reach x" }), "done");
  assert.deepEqual([world.lines, world.sleptMs], [[], []]);
});

Deno.test("retry() tries transient faults again, with one log line per change", async () => {
  const world = new HandWorld();
  const refused = failing("transient", "refused");
  const act = actOf(refused, refused, refused, failing("transient", "timed out"));
  assert.equal(await retry(world, act, { what: "reach x" }), "done");
  assert.deepEqual(world.lines, [
    ["warn", "Cannot reach x, trying on", { reason: "Cannot reach x: refused" }],
    ["warn", "Cannot reach x, trying on", { reason: "Cannot reach x: timed out" }],
    ["info", "Can reach x again", { attempts: 5 }],
  ]);
  assert.deepEqual(world.sleptMs, [100, 200, 400, 800]);
});

for (const fault of ["permanent", "denied", "corrupt", "usage"] as const) {
  Deno.test(`retry() throws a ${fault} fault at once`, async () => {
    const world = new HandWorld();
    const wanted = failing(fault, "no");
    await assert.rejects(
      retry(world, actOf(failing("transient", "away"), wanted), { what: "reach x" }),
      (thrown) => thrown === wanted,
    );
    assert.equal(world.sleptMs.length, 1);
  });
}

Deno.test("retry() throws what is not our own error at once: it is a defect", async () => {
  await assert.rejects(
    retry(new HandWorld(), actOf(new TypeError("defect")), { what: "reach x" }),
    TypeError,
  );
});

Deno.test("retry() throws the last transient fault when it is told to stop while it waits", async () => {
  const world = new HandWorld();
  const stop = new AbortController();
  world.onSleep = () => world.sleptMs.length === 3 && stop.abort();
  const act = () => Promise.reject(failing("transient", `try ${world.sleptMs.length}`));
  await assert.rejects(
    retry(world, act, { what: "reach x", signal: stop.signal }),
    (thrown: SluiceError) => thrown.detail === "try 2",
  );
});

Deno.test("retry() does not wait when it was told to stop during the try", async () => {
  const world = new HandWorld();
  const act = () => Promise.reject(failing("transient", "away"));
  await assert.rejects(retry(world, act, { what: "reach x", signal: AbortSignal.abort() }));
  assert.deepEqual(world.sleptMs, []);
});

Deno.test("retry() uses the policy that it is given", async () => {
  const world = new HandWorld();
  const failures = Array.from({ length: 6 }, () => failing("transient", "away"));
  const policy = { firstMs: 10, mostMs: 50 };
  await retry(world, actOf(...failures), { what: "reach x", policy });
  assert.deepEqual(world.sleptMs, [10, 20, 40, 50, 50, 50]);
});

Deno.test("a pause doubles up to its limit and is shortened by up to half", () => {
  const cases = fc.tuple(
    fc.integer({ min: 1, max: 1e9 }),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  );
  fc.assert(fc.property(cases, ([attempt, random]) => {
    const { firstMs, mostMs } = networkRetry;
    const full = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 100));
    const pause = backoffMs(networkRetry, attempt, random);
    assert.ok(Number.isInteger(pause));
    assert.ok(pause >= Math.floor(full / 2) && pause <= full, `${pause} of ${full}`);
  }));
  assert.equal(backoffMs(networkRetry, 3, 0.5), 300);
});

Deno.test("sleep() waits its time, ends at once when told to, and leaves no timer behind", async () => {
  const before = performance.now();
  await sleep(30);
  assert.ok(performance.now() - before >= 29);
  await sleep(1e8, AbortSignal.abort());
  const stop = new AbortController();
  const sleeping = sleep(1e8, stop.signal);
  stop.abort();
  await sleeping;
  assert.ok(performance.now() - before < 60_000);
});

Deno.test("realWorld() has the clocks of the machine, chance, and the log that it is given", () => {
  const said: unknown[] = [];
  const world = realWorld((...line) => said.push(line));
  assert.ok(Math.abs(world.nowMs() - Date.now()) < 60_000);
  const first = world.monotonicMs();
  assert.ok(world.monotonicMs() >= first);
  const chances = Array.from({ length: 20 }, () => world.random());
  assert.ok(chances.every((chance) => chance >= 0 && chance < 1) && new Set(chances).size > 1);
  world.log("warn", "x", { a: 1 });
  assert.deepEqual(said, [["warn", "x", { a: 1 }]]);
});
