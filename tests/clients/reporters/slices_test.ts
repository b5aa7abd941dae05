import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { Metrics } from "../../../lib/clients/metrics.ts";
import { logReport } from "../../../lib/clients/reporters/log_report.ts";
import { parsePlace } from "../../../lib/clients/reporters/place.ts";
import { type Entry, Growth } from "../../../lib/clients/reporters/report.ts";
import { Datagrams, DatagramSender } from "../../../lib/clients/reporters/udp.ts";
import { entry, report } from "./reports.ts";

/** What one turn of the event loop may hold of a report: see lib/core/turns.ts. */
const mostOfTurn = 250;

/** Counts, by turn of the event loop, how often something happened. */
class TurnCount implements Disposable {
  readonly counts: number[] = [0];
  #isOver = false;

  constructor() {
    const turn = () => {
      if (this.#isOver) return;
      this.counts.push(0);
      setImmediate(turn);
    };
    setImmediate(turn);
  }

  happened(): void {
    const at = this.counts.length - 1;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
  }

  get total(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  get most(): number {
    return Math.max(...this.counts);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
  }
}

/** Ten thousand entries that tell when their value is looked at for the first time. */
function watchedEntries(turns: TurnCount): Entry[] {
  return Array.from({ length: 10_000 }, (_, i) => {
    let isSeen = false;
    const watched = {
      ...entry({ kind: "counter", name: "n_total", labels: { partition: String(i) }, grown: 1 }),
      get value() {
        if (!isSeen) turns.happened();
        isSeen = true;
        return i;
      },
    };
    return watched;
  });
}

/** A hundred metrics of a hundred values each; it is counted when they are read. */
function manyMetrics(turns: TurnCount): Metrics {
  const metrics = new Metrics({ version: "1", commit: "c" });
  for (let n = 0; n < 100; n++) {
    metrics.gaugesOf(`lag_of_${n}`, "Lag", ["topic", "partition"], function* () {
      for (let i = 0; i < 100; i++) {
        turns.happened();
        yield [{ topic: "company.orders", partition: String(i) }, i] as const;
      }
    });
  }
  return metrics;
}

Deno.test("of ten thousand values the event loop has turns while they are measured", async () => {
  using turns = new TurnCount();
  const metrics = manyMetrics(turns);
  const measured = await metrics.measure();
  assert.ok(measured.length > 10_000);
  assert.equal(turns.total, 10_000);
  // A metric is read whole: the one that fills the slice may be over it.
  assert.ok(turns.most < mostOfTurn + 100, `${turns.most} values in one turn`);
});

Deno.test("… and while the page for Prometheus is made, from the second long one on", async () => {
  using turns = new TurnCount();
  const metrics = manyMetrics(turns);
  const [first, second] = [await metrics.page(), await metrics.page()];
  const ours = ({ text }: { readonly text: string }) =>
    text.split("\n").filter((line) => line.includes("sluice_"));
  assert.deepEqual(ours(second), ours(first));
  assert.ok(first.text.endsWith("\n") && second.text.endsWith("\n"));
  assert.equal(turns.total, 20_000);
  const ofSecond = turns.counts.filter((count) => count > 0).slice(1);
  const most = Math.max(...ofSecond);
  assert.ok(ofSecond.length > 20 && most < mostOfTurn + 100, `${most} values in one turn`);
});

Deno.test("a few dozen values are all of the same moment", async () => {
  using turns = new TurnCount();
  const metrics = new Metrics({ version: "1", commit: "c" });
  for (let n = 0; n < 200; n++) metrics.gaugeOf(`n_${n}`, "N", () => (turns.happened(), n));
  await metrics.measure();
  await metrics.page();
  await metrics.page();
  assert.equal(turns.total, 600);
  assert.ok(turns.counts.every((count) => count % 200 === 0), `${turns.counts}`);
});

Deno.test("… while it is counted what they have grown by", async () => {
  using turns = new TurnCount();
  const entries = await new Growth(0).take(watchedEntries(turns), 1_000);
  assert.equal(entries.length, 10_000);
  assert.ok(turns.total === 10_000 && turns.most <= mostOfTurn, `${turns.most} in one turn`);
});

Deno.test("… while the log's line is made", async () => {
  using turns = new TurnCount();
  const lines: unknown[] = [];
  await logReport(report(watchedEntries(turns)), (...line) => lines.push(line));
  assert.equal(lines.length, 1);
  assert.ok(turns.total === 10_000 && turns.most <= mostOfTurn, `${turns.most} in one turn`);
});

Deno.test("… and while datagrams are made and sent, however fast the system takes them", async () => {
  using turns = new TurnCount();
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  const sender = new DatagramSender(parsePlace("statsd", `udp://127.0.0.1:${port}`), "statsd");
  await sender.send(
    new Datagrams(function* () {
      for (let i = 0; i < 500; i++) {
        turns.happened();
        yield new Uint8Array(1_400);
      }
    }()),
  );
  sender.close();
  socket.close();
  assert.ok(turns.total === 500 && turns.most <= 9, `${turns.most} datagrams in one turn`);
});
