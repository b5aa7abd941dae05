import { gzipSync } from "node:zlib";
import { runSluice } from "../support/command_line.ts";
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
    // As a program that drops files should: whole or not at all.
    await Deno.writeFile(`${path}.tmp-drop`, bytes);
    await Deno.rename(`${path}.tmp-drop`, path);
  }

  async manifest(directory: string, manifest: Readonly<Record<string, unknown>>): Promise<void> {
    await this.put(`${directory}/manifest.json`, JSON.stringify(manifest));
  }

  /** All files below, by key. */
  async keys(folder = ""): Promise<string[]> {
    const keys: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(`${this.folder}/${folder}`)) {
      if (isDirectory) keys.push(...await this.keys(`${folder}${name}/`));
      else keys.push(`${folder}${name}`);
    }
    return keys.sort();
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
  return runSluice(["ingest", `--from=${url}`, "--once", ...args], { env, timeoutMs: 120_000 });
}

/** Rows that the ledger has, of all targets. */
export async function ledgerOf(server: PostgresServer): Promise<number> {
  return Number(await server.psql("SELECT count(*) FROM sluice_ingest_ledger"));
}
