import assert from "node:assert/strict";
import { openStore } from "../../lib/clients/store/store.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";
import { Counts } from "../../lib/ingest/counts.ts";
import { IngestDaemon } from "../../lib/ingest/daemon.ts";
import { Targets } from "../../lib/ingest/targets.ts";
import type { DropPlace } from "./ingest_load.ts";
import { ingestSettings } from "./ingest_settings.ts";
import { overheard } from "./stand_between.ts";
import { eventually } from "./waiting.ts";

const program = new URL("ingest_polls_program.ts", import.meta.url).pathname;

/** What one poll over a store took. */
export interface Poll {
  readonly seconds: number;
  /** How often the store was asked, by method; pages of a listing are not told apart. */
  readonly calls: Readonly<Record<string, number>>;
  /** Directories that are watched then. */
  readonly watched: number;
  /** What the process has resident then, bytes: garbage that V8 has not looked for included. */
  readonly residentBytes: number;
  /** What the heap holds once the garbage is out, bytes; null where that was not looked for. */
  readonly liveBytes: number | null;
}

/** How much more is alive after the last poll than it was after a quarter of them, bytes. */
export function growthOf(polls: readonly Poll[]): number {
  const live = polls.flatMap(({ liveBytes }) => liveBytes ?? []);
  const [early, late] = live;
  if (early === undefined || late === undefined || live.length > 2) {
    throw new Error(`live: ${live}`);
  }
  return late - early;
}

/** Puts so many directories with a manifest each, none of which has anything to load. */
export async function dropDirectories(drops: DropPlace, count: number): Promise<void> {
  const left = Array.from({ length: count }, (_, n) => n);
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let n; (n = left.pop()) !== undefined;) {
      const manifest = {
        ...{ table: `t${n}`, columns: ["id", "name"], "pk-columns": ["id"], options: ["CSV"] },
        "target-url": "postgres://nobody@127.0.0.1:1/nothing",
      };
      await drops.put(`team-${n % 100}/feed-${n}/manifest.json`, JSON.stringify(manifest));
    }
  }));
}

/**
 * Has ingest's daemon poll a store so many times, one right behind the other, in a process of its own,
 * whose memory is that of nothing else.
 *
 * @param at where the store is, if it is not a folder, and what its client looks up.
 */
export async function pollsOf(
  { url }: Pick<DropPlace, "url">,
  times: number,
  { endpoint, env = {} }: { endpoint?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Poll[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", "--v8-flags=--expose-gc", program],
      ...[url, String(times), ...endpoint === undefined ? [] : [endpoint]],
    ],
    env: { ...env },
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout)) as Poll[];
}

/** {@linkcode pollsOf} within this process, which has to have been started with `--expose-gc`. */
export async function pollsHere(url: string, times: number, endpoint?: string): Promise<Poll[]> {
  const polls: Poll[] = [];
  let calls: Record<string, number> = {};
  let begunMs = performance.now();
  const over = new AbortController();
  const pollMs = 60_000;
  const real = realWorld(() => {});
  const world = {
    ...real,
    sleep: async (ms: number, signal?: AbortSignal) => {
      // Only the pause between polls is that long.
      if (ms < pollMs / 2) return await real.sleep(ms, signal);
      const isBusy = () => [...daemon.watches].some((watch) => watch.isBusy);
      await eventually("an end of the work", () => !isBusy(), { everyMs: 5, timeoutMs: 300_000 });
      const seconds = (performance.now() - begunMs) / 1_000;
      const { watched } = daemon;
      const residentBytes = Deno.memoryUsage().rss;
      const isLookedAt = polls.length === times >> 2 || polls.length === times - 1;
      const liveBytes = isLookedAt ? liveNow() : null;
      polls.push({ seconds, calls, watched, residentBytes, liveBytes });
      if (polls.length >= times) over.abort();
      calls = {};
      begunMs = performance.now();
    },
  };
  const store = await openStore(url, { world, ...(endpoint ? { endpoint } : {}) });
  const targets = new Targets(world);
  const daemon = new IngestDaemon({
    ...{ world, targets, counts: new Counts(), drain: over.signal, timeImport: () => {} },
    store: overheard(store, (method) => calls[method] = (calls[method] ?? 0) + 1),
    resolve: (text) => Promise.resolve(new Secret(text)),
    settings: ingestSettings({ pollMs }),
  });
  try {
    await daemon.run();
  } finally {
    await targets.close();
    await store.close();
  }
  return polls;
}

function liveNow(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("start this with --v8-flags=--expose-gc");
  gc();
  return Deno.memoryUsage().heapUsed;
}
