import assert from "node:assert/strict";
import { registerArchiveMetrics } from "../../lib/archive/archive_metrics.ts";
import { Counts } from "../../lib/archive/counts.ts";
import type { ArchiveDaemon } from "../../lib/archive/daemon.ts";
import { Metrics } from "../../lib/clients/metrics.ts";
import { addRecord, Bench } from "./makers.ts";

Deno.test("the page tells what was archived and what is still to be", async () => {
  const bench = new Bench();
  const counts = new Counts();
  const one = bench.partition(4n);
  one.highWatermark = 10n;
  addRecord(one.filling(), "a");
  one.cut();
  await one.waiting[0]?.object;
  addRecord(one.filling(), "b");
  const other = bench.partition(7n, 1);
  other.state = "refused";
  let notReady = ["t-1: refused"];
  const daemon = {
    ...{ counts, memory: bench.memory, fetchedBytes: 99, partitions: [one, other] },
    pressure: { spoolUse: { usedBytes: 5 } },
    permits: { inUse: 2 },
    group: { rebalances: 3 },
    notReady: () => notReady,
    retentionHours: ({ partition }: { partition: number }) => partition === 0 ? 2.5 : null,
  };
  const metrics = new Metrics({ version: "1", commit: "c" });
  registerArchiveMetrics(metrics, daemon as unknown as ArchiveDaemon);
  counts.objects = 3;
  counts.gapOffsets = 12n;
  Object.assign(counts.ofTopic("t"), { records: 8, rawBytes: 80, fileBytes: 20 });

  const read = async () => {
    const samples = await metrics.measure();
    return (name: string, labels: Record<string, string> = {}) =>
      samples.find((sample) =>
        sample.name === `archive_${name}` &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
      )?.value;
  };
  const first = { topic: "t", partition: "0" };
  const second = { topic: "t", partition: "1" };
  const valueOf = await read();
  assert.deepEqual([valueOf("objects_total"), valueOf("gap_offsets_total")], [3, 12]);
  assert.deepEqual([valueOf("fetched_bytes_total"), valueOf("rebalances_total")], [99, 3]);
  assert.deepEqual(
    ["records_total", "bytes_total", "file_bytes_total"].map((name) =>
      valueOf(name, { topic: "t" })
    ),
    [8, 80, 20],
  );
  assert.deepEqual([valueOf("partitions"), valueOf("refused_partitions")], [2, 1]);
  assert.deepEqual([valueOf("open_files"), valueOf("waiting_files"), valueOf("uploads")], [
    1,
    1,
    2,
  ]);
  assert.deepEqual([valueOf("spool_bytes"), valueOf("ready")], [5, 0]);
  assert.equal(valueOf("memory_bytes"), bench.memory.usedBytes);
  assert.deepEqual([valueOf("lag_records", first), valueOf("lag_records", second)], [6, 0]);
  assert.equal(valueOf("retention_hours", first), 2.5);
  assert.equal(valueOf("retention_hours", second), undefined, "what is not known is not told");

  notReady = [];
  daemon.partitions = [other];
  const later = await read();
  assert.equal(later("ready"), 1);
  assert.equal(later("lag_records", first), undefined, "what is another's is not told any more");
  await one.leave();
});
