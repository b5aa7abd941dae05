import assert from "node:assert/strict";
import { archiveView } from "../../lib/archive/archive_view.ts";
import { Counts as ArchiveCounts } from "../../lib/archive/counts.ts";
import { StatusPage } from "../../lib/clients/status_page/status_page.ts";
import { type Cell, type StatusView, tableRowsMost } from "../../lib/core/status_view.ts";
import { forwardView } from "../../lib/forward/forward_view.ts";
import { Ledger } from "../../lib/forward/ledger.ts";
import { Counts as IngestCounts } from "../../lib/ingest/counts.ts";
import { ingestView } from "../../lib/ingest/ingest_view.ts";
import { Watch } from "../../lib/ingest/watch.ts";
import { Counts as ReplicateCounts } from "../../lib/replicate/counts.ts";
import { LiveTable } from "../../lib/replicate/live_table.ts";
import { replicateView } from "../../lib/replicate/replicate_view.ts";

const many = 5_000;
const nowMs = 1_700_000_000_000;
const longReason = "é".repeat(100_000);

/** What is told of a daemon in one second, and how many bytes that is. */
async function toldOf(view: StatusView) {
  const page = new StatusPage({
    ...{ command: "test", version: "1", commit: "c", host: "h", view, configuration: [] },
    recent: { lines: [], version: 0 },
    notReady: () => [],
    nowMs: () => nowMs,
    monotonicMs: () => 0,
  });
  try {
    page.tick();
    const reader = page.answer({ method: "GET" }, "/events")?.body?.getReader();
    const first = await reader?.read();
    const text = new TextDecoder().decode(first?.value);
    const { figures, tables, values } = JSON.parse(text.slice(text.lastIndexOf("data: ") + 6));
    return {
      bytes: first?.value?.byteLength ?? Infinity,
      table: tables[0] as { readonly rows: Cell[][]; readonly more: number },
      levels: values as (number | null)[][],
      figures: new Map<string, number | null>(
        view.figures.map(({ label }, i) => [label, figures[i]]),
      ),
    };
  } finally {
    page.close();
  }
}

/** What holds for each page, however much its daemon has to do. */
function assertBounded({ bytes, table }: Awaited<ReturnType<typeof toldOf>>): void {
  assert.deepEqual([table.rows.length, table.more], [tableRowsMost, many - tableRowsMost]);
  assert.ok(bytes < 256 * 1024, `${bytes} bytes`);
}

/** What a partition tells; the last one is furthest behind, and in trouble. */
function partitionOf(n: number) {
  return {
    ...{ name: `topic-${n}`, lag: n, waiting: [1, 2], open: n % 2 === 0 ? {} : null },
    state: n === 7 ? "refused" : "reading",
  };
}

Deno.test("archive shows the partitions that are furthest behind, and no more than fit", async () => {
  const counts = new ArchiveCounts();
  Object.assign(counts, { objects: 3, putErrors: 2, gaps: 1 });
  const daemon = {
    ...{ counts, partitions: Array.from({ length: many }, (_, n) => partitionOf(n)) },
    ...{ fetchedBytes: 0, permits: { inUse: 4 }, memory: { usedBytes: 5 } },
    pressure: { spoolUse: { usedBytes: 6 } },
    troublesOf: ({ name }: { name: string }) => name === "topic-4999" ? [longReason, "full"] : [],
    retentionHours: ({ lag }: { lag: number }) => lag === 4_998 ? null : 2,
  };
  const told = await toldOf(archiveView(() => daemon as never));
  assertBounded(told);
  const [[, trouble] = [], second] = told.table.rows;
  assert.match(String(trouble), /^é{499}…$/);
  assert.deepEqual(second, ["topic-4998", "reading", 4_998, null]);
  assert.deepEqual(told.table.rows[2], ["topic-4997", "reading", 4_997, 7_200]);
  assert.deepEqual(told.levels[2], [many * (many - 1) / 2]);
  assert.deepEqual(Object.fromEntries(told.figures), {
    ...{ "partitions": many, "refused partitions": 1, "open objects": many / 2 },
    ...{ "objects put": 3, "objects to be put": 2 * many, "objects being put": 4 },
    ...{ "records in memory": 5, "spool": 6, "failed puts": 2, "gaps": 1 },
  });
});

Deno.test("forward-syslog shows the topics first that Kafka tells nothing of, and no more than fit", async () => {
  const ledger = new Ledger();
  Object.assign(ledger, {
    messages: 9,
    received: 10,
    acknowledged: 4,
    deadLettered: 2,
    refused: 3,
  });
  Object.assign(ledger, { unparsed: 5, truncated: 6 });
  const all = Array.from({ length: many }, (_, n) => ({
    ...{ name: "t".repeat(249), lanes: n === many - 1 ? [] : [1, 2] },
    isKnown: n !== many - 1,
  }));
  const daemon = {
    ...{ ledger, pipeline: { heldRecords: 3, heldBytes: 30, topics: { all } } },
    ...{ reception: { sessions: new Set([1, 2]) }, buffers: { totalBytes: 7 } },
  };
  const told = await toldOf(forwardView(() => daemon as never));
  assertBounded(told);
  assert.deepEqual(told.table.rows.slice(0, 2).map(([, partitions]) => partitions), [null, 2]);
  assert.deepEqual(told.levels[2], [30]);
  assert.deepEqual(Object.fromEntries(told.figures), {
    ...{ "messages received": 9, "records in flight": 3, "connections": 2, "read buffers": 7 },
    ...{ "unparsed messages": 5, "truncated messages": 6, "records refused by Kafka": 3 },
    ...{ "dead-lettered records": 2, "missing records": 1 },
  });
});

Deno.test("ingest shows directories in trouble first, then those with most files, and no more than fit", async () => {
  const watches = Array.from({ length: many }, (_, n) => {
    return Object.assign(new Watch(`d${n}`), { waitingFiles: n, oldestMs: nowMs - 2_000 });
  });
  Object.assign(watches[1] ?? {}, { misfit: longReason });
  Object.assign(watches[4_999] ?? {}, { isBusy: true, hasTurn: true });
  Object.assign(watches[4_998] ?? {}, { isBusy: true });
  const counts = new IngestCounts();
  Object.assign(counts, { files: 1, rows: 2, rejectedFiles: 3, rejectedRows: 4, rollbacks: 5 });
  counts.importingFiles = 6;
  const daemon = { watches, watched: many, blocked: 1, oldestWaitingSeconds: 2 };
  const told = await toldOf(ingestView(daemon, counts, () => nowMs));
  assertBounded(told);
  assert.match(String(told.table.rows[0]?.[1]), /^é{499}…$/);
  assert.deepEqual(told.table.rows.slice(1, 4), [
    ["d4999", "loading", 4_999, 2],
    ["d4998", "queued", 4_998, 2],
    ["d4997", "waiting", 4_997, 2],
  ]);
  assert.deepEqual(told.levels[2], [many * (many - 1) / 2, 6]);
  assert.deepEqual(Object.fromEntries(told.figures), {
    ...{ "directories": many, "blocked directories": 1, "oldest waiting file": 2 },
    ...{ "files loaded": 1, "rows loaded": 2, "rejected files": 3, "rejected rows": 4 },
    "loads rolled back": 5,
  });
});

Deno.test("replicate shows the tables first that have been in their state for longest, and no more than fit", async () => {
  let sinceMs = 0;
  const table = new LiveTable(() => sinceMs);
  for (let n = 0; n < many; n++) {
    sinceMs = n * 10;
    table.reached(`t${n}`, "loading");
  }
  table.failing("t0", longReason);
  const counts = new ReplicateCounts();
  Object.assign(counts, { copied: 1, rows: 2, bytes: 3, failed: 90, refused: 91, retries: 6 });
  const lastCounts = { copied: 0, unchanged: 0, skipped: 0, refused: 5, failed: 4, stopped: 0 };
  const view = (last: typeof lastCounts | null) =>
    replicateView({ left: 8, underWay: 7, lastCounts: last }, counts, table, () => nowMs);
  const before = await toldOf(view(null));
  assert.deepEqual(
    ["failed in the last comparison", "since all came out well"].map((of) =>
      before.figures.get(of)
    ),
    [null, null],
  );
  Object.assign(counts, { rounds: 7, lastGoodSeconds: nowMs / 1_000 - 60 });
  const told = await toldOf(view(lastCounts));
  assertBounded(told);
  assert.deepEqual(told.table.rows[0]?.slice(0, 3), ["t0", "loading", 49]);
  assert.match(String(told.table.rows[0]?.[3]), /^é{499}…$/);
  assert.deepEqual(told.levels[0], [7, 8]);
  assert.deepEqual(Object.fromEntries(told.figures), {
    ...{ "tables, views, routines copied": 1, "rows copied": 2, "bytes copied": 3 },
    ...{ "failed in the last comparison": 4, "refused in the last comparison": 5 },
    ...{ "failures tried again": 6, "comparisons": 7, "since all came out well": 60 },
  });
});
