import assert from "node:assert/strict";
import { storeReady } from "../../lib/archive/store_ready.ts";
import { type Fault, SluiceError } from "../../lib/core/errors.ts";
import { MemoryStore } from "../support/memory_store.ts";
import { turn, VirtualWorld } from "./rig.ts";

/** A store whose first checks fail so. */
function benchOf(faults: Fault[]) {
  const world = new VirtualWorld();
  const store = new MemoryStore();
  store.check = () => {
    const fault = faults.shift();
    if (fault === undefined) return Promise.resolve();
    return Promise.reject(new SluiceError("use the store", fault, `it is ${fault}`));
  };
  const told: (string | null)[] = [];
  const stop = new AbortController();
  let isDone = false;
  const ready = (once: boolean) =>
    storeReady({ store, world }, { once }, stop.signal, (reason) => told.push(reason))
      .then(() => isDone = true);
  return { world, store, told, stop, ready, isDone: () => isDone };
}

Deno.test("a store that can be used is used at once, and what dead processes left is removed", async () => {
  const { world, store, told, ready } = benchOf([]);
  store.removeOrphans = () => Promise.resolve(2);
  await ready(false);
  await turn();
  assert.deepEqual(told, [null]);
  assert.deepEqual(world.said("info"), ["Removed what killed processes had left"]);
});

Deno.test("a store that is away or refuses is waited for, and what is wrong is told", async () => {
  const { world, told, ready } = benchOf(["transient", "denied", "denied", "permanent"]);
  const waiting = ready(false);
  await world.time.pass(120_000);
  await waiting;
  assert.equal(told.at(-1), null);
  assert.match(told[0] ?? "", /it is transient/);
  assert.equal(world.said("warn").length, 1);
  assert.equal(world.said("error").length, 2, "once for each reason");
  assert.deepEqual(world.said("info"), ["The store can be used now"]);
});

Deno.test("--once waits for a store that is away, and not for an operator", async () => {
  const away = benchOf(["transient"]);
  const waiting = away.ready(true);
  await away.world.time.pass(1_000);
  await waiting;
  assert.equal(away.told.at(-1), null);
  await assert.rejects(benchOf(["denied"]).ready(true), { fault: "denied" });
});

Deno.test("the stop ends the waiting", async () => {
  const { world, stop, ready, isDone } = benchOf(Array(1_000).fill("denied"));
  const waiting = ready(false);
  await world.time.pass(60_000);
  assert.equal(isDone(), false);
  stop.abort();
  await waiting;
});

Deno.test("leftovers that may not be looked for are no trouble", async () => {
  const { world, store, ready } = benchOf([]);
  store.removeOrphans = () => Promise.reject(new SluiceError("list", "denied", "no right"));
  await ready(false);
  await turn();
  assert.deepEqual([world.said("warn"), world.said("error")], [[], []]);
});
