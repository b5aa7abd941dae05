import assert from "node:assert/strict";
import { Schedule } from "../../lib/ingest/schedule.ts";
import { Watch } from "../../lib/ingest/watch.ts";

/** A schedule whose work waits until it is let go; `tables` tells into which table each goes. */
function held(workers: number, tables: Readonly<Record<string, string>>) {
  const begun: string[] = [];
  const gates = new Map<string, () => void>();
  let most = 0;
  const schedule: Schedule<string> = new Schedule(workers, async (watch, unit) => {
    if (!schedule.claim(watch, tables[watch.directory] ?? watch.directory)) return false;
    begun.push(`${watch.directory}${unit === null ? "" : ` ${unit}`}`);
    most = Math.max(most, gates.size + 1);
    await new Promise<void>((resolve) => gates.set(watch.directory, resolve));
    gates.delete(watch.directory);
    return true;
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
  const end = async (directory: string) => {
    gates.get(directory)?.();
    await settle();
  };
  return { schedule, begun, end, settle, most: () => most };
}

Deno.test("directories of one table wait for each other, and hold up nobody else", async () => {
  const tables = { a1: "a", a2: "a", a3: "a" };
  const { schedule, begun, end, settle } = held(2, tables);
  const watches = ["a1", "a2", "a3", "b", "c"].map((directory) => new Watch(directory));
  for (const watch of watches) schedule.add(watch, "seen");
  await settle();
  assert.deepEqual(begun, ["a1 seen", "b"]);
  await end("b");
  assert.deepEqual(begun, ["a1 seen", "b", "c"]);
  await end("c");
  assert.equal(begun.length, 3);
  await end("a1");
  await end("a2");
  await end("a3");
  await schedule.idle();
  assert.deepEqual(begun, ["a1 seen", "b", "c", "a2", "a3"]);
  assert.ok(watches.every(({ isBusy }) => !isBusy));
});

Deno.test("no more than the workers run at once, in the order in which they came", async () => {
  const { schedule, begun, end, settle, most } = held(3, {});
  const watches = Array.from({ length: 50 }, (_, n) => new Watch(`d${n}`));
  for (const watch of watches) schedule.add(watch, "seen");
  for (const watch of watches) schedule.add(watch, "seen again");
  await settle();
  assert.equal(schedule.waiting, 47);
  assert.deepEqual(watches.map(({ hasTurn }) => hasTurn), watches.map((_, n) => n < 3));
  for (const { directory } of watches) await end(directory);
  await schedule.idle();
  assert.equal(most(), 3);
  assert.ok(watches.every(({ hasTurn }) => !hasTurn));
  assert.deepEqual(begun.map((one) => one.split(" ")[0]), watches.map((one) => one.directory));
});

Deno.test("what waits is not begun after a stop, and may be brought in another time", async () => {
  const { schedule, begun, end, settle } = held(1, {});
  const [one, two] = [new Watch("one"), new Watch("two")];
  schedule.add(one, "seen");
  schedule.add(two, "seen");
  await settle();
  assert.equal(schedule.stop(), true);
  await end("one");
  await schedule.idle();
  assert.deepEqual([begun, two.isBusy], [["one seen"], false]);
});
