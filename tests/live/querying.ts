import { bareEnv, type Outcome, runToEnd, sluiceWords } from "../support/command_line.ts";
import type { PostgresServer } from "../support/postgres_server.ts";

/** The words that start `sluice query`. */
export function queryWords(...args: string[]): string[] {
  return sluiceWords("query", ...args);
}

/** The URL of a server without its password, which goes into PGPASSWORD. */
export function openUrl(url: string): string {
  return url.replace(/:[^:@/]+@/, "@");
}

/** A bare environment in which a server is logged into. */
export function loginTo(server: PostgresServer): Record<string, string> {
  return { ...bareEnv(), PGPASSWORD: server.password };
}

/** Runs words of the shell in which "$@" is `sluice query URL`. */
export function inShell(
  server: PostgresServer,
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  return runToEnd(["bash", "-c", script, "bash", ...queryWords(openUrl(server.url))], {
    env: { ...loginTo(server), ...env },
  });
}
