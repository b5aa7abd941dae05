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

/** What one poll over a store took. */
export interface Poll {
  readonly seconds: number;
  /** How often the store was asked, by method; pages of a listing are not told apart. */
  readonly calls: Readonly<Record<string, number>>;
  /** Directories that are watched then. */
  readonly watched: number;
  /** What this process has resident then, bytes. */
  readonly residentBytes: number;
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

/** Has ingest's daemon poll a store so many times, one right behind the other, within this process. */
export async function pollsOf(
  drops: Pick<DropPlace, "url">,
  times: number,
  endpoint?: string,
): Promise<Poll[]> {
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
      polls.push({ seconds, calls, watched, residentBytes: Deno.memoryUsage().rss });
      if (polls.length >= times) over.abort();
      calls = {};
      begunMs = performance.now();
    },
  };
  const store = await openStore(drops.url, { world, ...(endpoint ? { endpoint } : {}) });
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
