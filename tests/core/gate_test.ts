import assert from "node:assert/strict";
import { Gate } from "../../lib/core/gate.ts";

Deno.test("a gate lets everybody go on who waits, and later comers wait for the next time", async () => {
  const gate = new Gate();
  const gone: number[] = [];
  const first = gate.wait().then(() => {
    gone.push(1);
    return gate.wait().then(() => gone.push(3));
  });
  const second = gate.wait().then(() => gone.push(2));
  assert.equal(gate.waiting, 2);
  gate.wake();
  await second;
  assert.deepEqual([gone, gate.waiting], [[1, 2], 1]);
  gate.wake();
  await first;
  assert.deepEqual(gone, [1, 2, 3]);
  gate.wake();
});
