import { fileURLToPath } from "node:url";
import type { Outcome } from "../support/command_line.ts";
import type { PostgresServer } from "../support/postgres_server.ts";

const mainModule = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** The words that start `sluice query`. */
export function queryWords(...args: string[]): string[] {
  return [Deno.execPath(), "run", "--allow-all", mainModule, "query", ...args];
}

/** The URL of a server without its password, which goes into PGPASSWORD. */
export function openUrl(url: string): string {
  return url.replace(/:[^:@/]+@/, "@");
}

/** A bare environment in which a server is logged into. */
export function loginTo(server: PostgresServer): Record<string, string> {
  const names = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME"];
  const bare = names.map((name) => [name, Deno.env.get(name)]).filter(([, value]) => value);
  return { ...Object.fromEntries(bare), PGPASSWORD: server.password };
}

/** Runs words of the shell in which "$@" is `sluice query URL`. */
export async function inShell(
  server: PostgresServer,
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const begun = performance.now();
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", script, "bash", ...queryWords(openUrl(server.url))],
    env: { ...loginTo(server), ...env },
    clearEnv: true,
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
    seconds: (performance.now() - begun) / 1_000,
  };
}
