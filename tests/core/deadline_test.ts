import assert from "node:assert/strict";
import { withDeadline } from "../../lib/core/deadline.ts";
import { VirtualWorld } from "./virtual_world.ts";

Deno.test("withDeadline() gives what came in time, also nothing, and wakes its clock", async () => {
  const world = new VirtualWorld();
  const act = () => Promise.resolve(undefined);
  assert.deepEqual(await withDeadline(world, act, { ms: 100 }), { value: undefined });
  assert.equal(world.clockMs, 0);
});

Deno.test("withDeadline() gives up what takes longer, and does not hear it any more", async () => {
  const world = new VirtualWorld();
  const { promise, reject } = Promise.withResolvers<never>();
  const waited = withDeadline(world, () => promise, { ms: 100 });
  assert.equal(await world.until(waited), "late");
  assert.equal(world.clockMs, 100);
  reject(new Error("an unheard one would end the process"));
  await new Promise((resolve) => setTimeout(resolve, 0));
});

Deno.test("withDeadline() throws what the act throws", async () => {
  const act = () => Promise.reject(new Error("no"));
  await assert.rejects(withDeadline(new VirtualWorld(), act, { ms: 100 }), { message: "no" });
});

Deno.test("withDeadline() does not begin once it is aborted, and stops waiting then", async () => {
  const world = new VirtualWorld();
  const stop = new AbortController();
  let begun = 0;
  const act = () => {
    begun++;
    return new Promise<never>(() => {});
  };
  const waited = withDeadline(world, act, { ms: 100, signal: stop.signal });
  stop.abort();
  assert.equal(await waited, "aborted");
  assert.equal(await withDeadline(world, act, { ms: 100, signal: stop.signal }), "aborted");
  assert.deepEqual([begun, world.clockMs], [1, 0]);
});
