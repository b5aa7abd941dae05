import { gzipSync } from "node:zlib";
import { openWarehouse } from "../../lib/clients/warehouse/warehouse.ts";
import { Exit, type ExitCode } from "../../lib/core/exit.ts";
import { realWorld, sleep, type World } from "../../lib/core/world.ts";
import { Counts } from "../../lib/ingest/counts.ts";
import { IngestDaemon } from "../../lib/ingest/daemon.ts";
import type { DirectoryTools } from "../../lib/ingest/directory.ts";
import type { IngestSettings } from "../../lib/ingest/settings.ts";
import { Targets } from "../../lib/ingest/targets.ts";
import { runSluice } from "../support/command_line.ts";
import { filesBelow } from "../support/files_below.ts";
import { ingestSettings } from "../support/ingest_settings.ts";
import { MemoryStore } from "../support/memory_store.ts";
import type { PostgresServer } from "../support/postgres_server.ts";

/** A folder with drops. */
export class Drops implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  static async make(): Promise<Drops> {
    return new Drops(await Deno.makeTempDir({ prefix: "sluice-drops-" }));
  }

  get url(): string {
    return `file://${this.folder}`;
  }

  async put(key: string, content: string | Uint8Array): Promise<void> {
    const path = `${this.folder}/${key}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    // As a program that drops files should: whole or not at all. Within the folder it would be one more
    // file, which ingest takes.
    const draft = `${this.folder}.draft-${crypto.randomUUID()}`;
    await Deno.writeFile(draft, bytes);
    await Deno.rename(draft, path);
  }

  async manifest(directory: string, manifest: Readonly<Record<string, unknown>>): Promise<void> {
    await this.put(`${directory}/manifest.json`, JSON.stringify(manifest));
  }

  /** All files below, by key. */
  keys(): Promise<string[]> {
    return filesBelow(this.folder);
  }

  read(key: string): Promise<string> {
    return Deno.readTextFile(`${this.folder}/${key}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

export function gzip(text: string): Uint8Array {
  return new Uint8Array(gzipSync(text));
}

/** One pass. */
export function ingestOnce(url: string, args: readonly string[] = [], env = {}) {
  return runSluice(["ingest", `--from=${url}`, "--once", ...args], { env, timeoutMs: 240_000 });
}

/** Rows that the ledger has, of all targets. */
export async function ledgerOf(server: PostgresServer): Promise<number> {
  return Number(await server.psql("SELECT count(*) FROM sluice_ingest_ledger"));
}

/** An ingest within this process, over a store in memory. */
export class Daemon implements AsyncDisposable {
  readonly store = new MemoryStore("s3://drops");
  readonly counts = new Counts();
  readonly said: string[] = [];
  readonly tools: DirectoryTools;
  readonly daemon: IngestDaemon;
  readonly #stop = new AbortController();
  readonly #targets: Targets;
  #run: Promise<ExitCode> | undefined;

  /**
   * @param open opens the databases; in place of the real thing.
   * @param speed of time: pauses are short. One pass has them only when a connection was not to be had
   *   in time, say, and is to wait as patiently as it does.
   */
  constructor(
    settings: Partial<IngestSettings> = {},
    open = openWarehouse,
    speed = settings.once ? 1 : 50,
  ) {
    const world: World = {
      ...realWorld((level, message, fields) => {
        this.said.push(`${level} ${message} ${JSON.stringify(fields)}`);
      }),
      monotonicMs: () => performance.now() * speed,
      sleep: (ms, signal) => sleep(ms / speed, signal),
    };
    this.#targets = new Targets(world, open);
    this.tools = {
      ...{ world, store: this.store, targets: this.#targets, counts: this.counts },
      drain: this.#stop.signal,
      timeImport: () => {},
      resolve: () => Promise.reject(new Error("no secrets here")),
      settings: ingestSettings(settings),
    };
    this.daemon = new IngestDaemon(this.tools);
  }

  async put(key: string, content: string): Promise<void> {
    await this.store.put(key, new TextEncoder().encode(content));
  }

  async manifest(directory: string, manifest: Readonly<Record<string, unknown>>): Promise<void> {
    await this.put(`${directory}/manifest.json`, JSON.stringify(manifest));
  }

  get keys(): string[] {
    return [...this.store.objects.keys()].sort();
  }

  start(): void {
    this.#run = this.daemon.run();
  }

  /** One pass. */
  async once(): Promise<ExitCode> {
    this.start();
    return await this.#run ?? Exit.failed;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#targets.close();
  }
}
