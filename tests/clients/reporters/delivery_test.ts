import assert from "node:assert/strict";
import { Delivery } from "../../../lib/clients/reporters/delivery.ts";
import type { Outlet } from "../../../lib/clients/reporters/outlet.ts";
import type { Report } from "../../../lib/clients/reporters/report.ts";
import { SluiceError } from "../../../lib/core/errors.ts";
import { VirtualWorld } from "../../core/virtual_world.ts";
import { entry, report } from "./reports.ts";

/** A server that is up, down or mute, as the test says. */
class TestOutlet implements Outlet {
  readonly name = "riemann";
  readonly took: Report[] = [];
  state: "up" | "down" | "mute" = "up";
  isClosed = false;

  async send(report: Report, signal: AbortSignal): Promise<void> {
    if (this.state === "mute") {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    }
    if (this.state !== "up") throw new SluiceError("report", "transient", `it is ${this.state}`);
    this.took.push(report);
  }

  check = () => Promise.resolve();
  close = () => {
    this.isClosed = true;
  };
}

function rig() {
  const world = new VirtualWorld();
  const outlet = new TestOutlet();
  return { world, outlet, delivery: new Delivery(outlet, world) };
}

/** Reports told apart by their value. */
function numbered(number: number, entries = 1): Report {
  return report(Array.from({ length: entries }, () => entry({ value: number })));
}

const numbersOf = ({ took }: TestOutlet) => took.map(({ entries }) => entries[0]?.value);

async function passed(world: VirtualWorld, ms: number): Promise<void> {
  await world.until(world.sleep(ms));
}

Deno.test("reports arrive in order, each once", async () => {
  const { world, outlet, delivery } = rig();
  for (let i = 1; i <= 3; i++) delivery.offer(numbered(i));
  await passed(world, 1);
  delivery.offer(numbered(4));
  await world.until(delivery.close());
  assert.deepEqual(numbersOf(outlet), [1, 2, 3, 4]);
  assert.deepEqual(delivery.counts, { sent: 4, failed: 0, dropped: 0 });
  assert.ok(outlet.isClosed);
});

Deno.test("a report offered in the very turn in which the last one was done is not left lying", async () => {
  const { world, outlet, delivery } = rig();
  const send = outlet.send.bind(outlet);
  let again = true;
  outlet.send = async (one, signal) => {
    await send(one, signal);
    for (let turns = 0; again && turns < 12; turns++) {
      const number = 10 + turns;
      let later = Promise.resolve();
      for (let i = 0; i < turns; i++) later = later.then(() => {});
      later.then(() => delivery.offer(numbered(number, 1)));
    }
    again = false;
  };
  delivery.offer(numbered(1));
  await passed(world, 10_000);
  assert.equal(delivery.counts.sent + delivery.counts.dropped, 13);
  await world.until(delivery.close());
});

Deno.test("a server that is down gets the last six reports when it comes back; older ones are dropped and counted", async () => {
  const { world, outlet, delivery } = rig();
  outlet.state = "down";
  for (let i = 1; i <= 20; i++) {
    delivery.offer(numbered(i));
    await passed(world, 10_000);
  }
  assert.deepEqual(numbersOf(outlet), []);
  outlet.state = "up";
  await passed(world, 20_000);
  assert.deepEqual(numbersOf(outlet), [15, 16, 17, 18, 19, 20]);
  assert.equal(delivery.counts.dropped, 14);
  assert.deepEqual(world.lines.map(({ level, message }) => [level, message]), [
    ["warn", "Cannot report metrics, trying on"],
    ["info", "Metrics are reported again"],
  ]);
  await world.until(delivery.close());
});

Deno.test("reports of many values are bounded by their values, and the newest is always kept", async () => {
  const { world, outlet, delivery } = rig();
  outlet.state = "down";
  for (let i = 1; i <= 5; i++) delivery.offer(numbered(i, 8_000));
  delivery.offer(numbered(6, 30_000));
  outlet.state = "up";
  await passed(world, 20_000);
  assert.deepEqual(numbersOf(outlet), [6]);
  await world.until(delivery.close());
});

Deno.test("tries get rarer, and never rarer than every ten seconds", async () => {
  const { world, outlet, delivery } = rig();
  outlet.state = "down";
  delivery.offer(numbered(1));
  await passed(world, 600_000);
  assert.ok(
    delivery.counts.failed >= 60 && delivery.counts.failed < 75,
    `${delivery.counts.failed}`,
  );
  await world.until(delivery.close());
});

for (const state of ["down", "mute"] as const) {
  Deno.test(`close() waits two seconds for a server that is ${state}, not longer`, async () => {
    const { world, outlet, delivery } = rig();
    outlet.state = state;
    delivery.offer(numbered(1));
    await passed(world, 100);
    const beganMs = world.clockMs;
    await world.until(delivery.close());
    assert.ok(world.clockMs - beganMs <= 2_000);
    delivery.offer(numbered(2));
    await passed(world, 60_000);
    assert.deepEqual(numbersOf(outlet), [], "nothing is begun after the end");
  });
}
