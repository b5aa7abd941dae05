import assert from "node:assert/strict";
import { OnceWatch } from "../../lib/archive/once.ts";
import type { Partition } from "../../lib/archive/partition.ts";
import type { Puts } from "../../lib/archive/puts.ts";
import { Exit, type ExitCode } from "../../lib/core/exit.ts";
import { Gate } from "../../lib/core/gate.ts";
import { Bench } from "./makers.ts";
import { turn } from "./rig.ts";

const minuteMs = 60_000;

/** Partitions with offsets 0 to 9 to be archived, and whoever puts them. */
class OnceBench extends Bench {
  readonly held: { partition: Partition; puts: { isIdle: boolean; trouble: string | null } }[] = [];
  readonly stop = new AbortController();
  readonly cut: number[] = [];
  isMember = true;
  exit: ExitCode | null = null;

  constructor(count: number) {
    super();
    for (let number = 0; number < count; number++) {
      const partition = this.partition(0n, number);
      partition.endAtStart = 10n;
      this.held.push({ partition, puts: { isIdle: true, trouble: null } });
    }
  }

  run(): void {
    const watch = new OnceWatch(this.world, {
      isMember: () => this.isMember,
      held: () => this.held as unknown as { partition: Partition; puts: Puts }[],
      cut: ({ partition }) => {
        this.cut.push(partition.partition);
        partition.finish();
      },
    });
    watch.run(this.stop.signal, new Gate()).then((exit) => this.exit = exit);
  }

  /** The partition is read up to here. */
  read(number: number, offset: bigint): void {
    this.held[number]?.partition.advance(offset);
  }

  async pass(ms: number): Promise<void> {
    // Not in steps of 20 ms: five minutes are many.
    this.world.time.nowMs += Math.max(0, ms - 100);
    await this.world.time.pass(100);
  }
}

Deno.test("--once ends when all is in the store that was there", async () => {
  const bench = new OnceBench(2);
  bench.run();
  bench.read(0, 9n);
  await bench.pass(100);
  assert.deepEqual([bench.cut, bench.exit], [[], null]);
  bench.read(0, 10n);
  bench.read(1, 12n);
  const [first] = bench.held;
  if (first) first.puts.isIdle = false;
  await bench.pass(100);
  assert.deepEqual([bench.cut, bench.exit], [[0, 1], null]);
  if (first) first.puts.isIdle = true;
  await bench.pass(100);
  assert.equal(bench.exit, Exit.ok);
});

Deno.test("--once ends the objects of some while others are far from their end", async () => {
  const bench = new OnceBench(3);
  bench.run();
  bench.read(2, 10n);
  await bench.pass(100);
  assert.deepEqual(bench.cut, [2]);
  bench.stop.abort();
});

Deno.test("--once ends at once where there is nothing, and not before it is known", async () => {
  const bench = new OnceBench(0);
  bench.isMember = false;
  bench.run();
  await bench.pass(minuteMs);
  assert.equal(bench.exit, null);
  bench.isMember = true;
  await bench.pass(100);
  assert.equal(bench.exit, Exit.ok);
});

Deno.test("--once gives up all that is stuck after five minutes, not one after the other", async () => {
  const bench = new OnceBench(3);
  for (const { puts } of bench.held.slice(0, 2)) puts.trouble = "the store is away";
  bench.run();
  await turn();
  bench.read(2, 10n);
  await bench.pass(4 * minuteMs);
  assert.equal(bench.exit, null);
  await bench.pass(2 * minuteMs);
  assert.equal(bench.exit, Exit.partial);
  assert.deepEqual(bench.world.said("error"), ["Some partitions could not be archived"]);
});

Deno.test("--once waits for a partition that makes progress, however slowly", async () => {
  const bench = new OnceBench(1);
  const [{ puts } = { puts: { trouble: null as string | null } }] = bench.held;
  puts.trouble = "the store is away";
  bench.run();
  for (let offset = 1n; offset < 9n; offset++) {
    bench.read(0, offset);
    await bench.pass(4 * minuteMs);
  }
  assert.equal(bench.exit, null);
  bench.stop.abort();
});

Deno.test("--once gives nobody up who waits for its turn, unless nobody gets on", async () => {
  const bench = new OnceBench(2);
  bench.run();
  for (let offset = 1n; offset < 9n; offset++) {
    bench.read(0, offset);
    await bench.pass(4 * minuteMs);
  }
  assert.equal(bench.exit, null, "the second one has had nothing for half an hour");
  await bench.pass(6 * minuteMs);
  assert.equal(bench.exit, Exit.partial, "as when the only broker is away");
});

Deno.test("--once gives up at once what needs an operator", async () => {
  const bench = new OnceBench(1);
  const [first] = bench.held;
  if (first) first.partition.state = "refused";
  bench.run();
  await bench.pass(100);
  assert.equal(bench.exit, Exit.partial);
});

Deno.test("--once gives up when the group gives no partitions", async () => {
  const bench = new OnceBench(0);
  bench.isMember = false;
  bench.run();
  await bench.pass(6 * minuteMs);
  assert.equal(bench.exit, Exit.partial);
});

Deno.test("--once that is stopped has not archived everything", async () => {
  const bench = new OnceBench(1);
  bench.run();
  await bench.pass(100);
  bench.stop.abort();
  await bench.pass(100);
  assert.equal(bench.exit, Exit.partial);
});
