// deno-lint-ignore-file no-console -- a script speaks to a person
import process from "node:process";
import { endAllProcesses } from "../tests/support/processes.ts";

/** What a script that starts servers may ask of its session. */
export interface Session {
  /** Waits for Ctrl-C, which is from now on the ordinary end. */
  untilStopped(): Promise<void>;
}

/**
 * Runs a script that starts servers and exits with the code it gives. Whatever happens, Ctrl-C at any
 * moment included, nothing that it started stays behind: no process, no temporary file. Before
 * {@linkcode Session.untilStopped} Ctrl-C is an interruption, exit code 130; a second Ctrl-C does not
 * wait for the cleaning up.
 *
 * @param name begins the line about a failure.
 */
export async function runSession(
  name: string,
  script: (session: Session) => Promise<number>,
): Promise<never> {
  // All that is made on the way goes into one folder: to remove it is enough.
  const folder = await Deno.makeTempDir({ prefix: `sluice-${name}-` });
  Deno.env.set("TMPDIR", folder);
  // kafkajs asks for timers in the past; the warning about it would only puzzle.
  process.removeAllListeners("warning");
  const removeAll = async () => {
    // An interrupted script goes on meanwhile: what it starts or writes between two looks is found by
    // the next. Without the folder it can do neither.
    for (let looks = 0; looks < 100 && await isThere(folder); looks++) {
      await endAllProcesses();
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    }
  };
  const stopped = Promise.withResolvers<void>();
  let isAwaited = false;
  let isInterrupted = false;
  const onSignal = async () => {
    if (isInterrupted) Deno.exit(130);
    isInterrupted = true;
    if (isAwaited) return stopped.resolve();
    console.error("\nInterrupted: ending what was started");
    await removeAll();
    Deno.exit(130);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, onSignal);
  }
  const untilStopped = () => {
    isAwaited = true;
    return stopped.promise;
  };
  let code = 1;
  try {
    code = await script({ untilStopped });
  } catch (thrown) {
    // What Ctrl-C pulled away under the script is no failure to tell of; onSignal ends the process.
    if (isInterrupted && !isAwaited) await new Promise(() => {});
    console.error(`\n${name}: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
  await removeAll();
  Deno.exit(code);
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
