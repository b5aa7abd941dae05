import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { SluiceProcess } from "../support/sluice_process.ts";
import { eventually } from "../support/waiting.ts";

/** The counts that forward-syslog logs at its end. */
export interface Counts {
  readonly messages: number;
  readonly received: number;
  readonly acknowledged: number;
  readonly deadLettered: number;
  readonly inFlight: number;
  readonly unparsed: number;
  readonly truncated: number;
  readonly refused: number;
}

/** Starts forward-syslog with a TCP listener of its own and status pages, and waits until it takes lines. */
export async function startForwarding(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<SluiceProcess> {
  const sluice = await startWaiting(args, env);
  await sluice.said(`"Forwarding"`);
  return sluice;
}

/** Like {@linkcode startForwarding} for one that has no Kafka yet to write to. */
export async function startWaiting(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<SluiceProcess> {
  const listens = args.some((arg) => arg.startsWith("--listen"));
  return await SluiceProcess.start([
    "forward-syslog",
    ...(listens ? [] : ["--listen=tcp://127.0.0.1:0"]),
    "--http=127.0.0.1:0",
    ...args,
  ], env);
}

/** Ends it by SIGTERM; the books must agree and nothing may be left in them. */
export async function finish(sluice: SluiceProcess): Promise<Counts> {
  assert.equal(await sluice.end("SIGTERM"), 0, await sluice.log());
  const counts = JSON.parse(await sluice.said(`"Stopped"`)) as Counts;
  assert.equal(counts.received, counts.acknowledged + counts.deadLettered + counts.inFlight);
  assert.equal(counts.inFlight, 0);
  return counts;
}

/** Writes to the TCP listener over one connection, and waits until all of it was read. */
export async function send(sluice: SluiceProcess, written: string | Uint8Array): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: await sluice.port("tcp") });
  await sendOver(conn, written);
}

/** Something that goes on while the test does other things; it is told only to whoever awaits it. */
export function meanwhile<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Writes to a connection, ends it, and waits until the other side has, too. */
export async function sendOver(conn: Deno.Conn, written: string | Uint8Array): Promise<void> {
  const bytes = typeof written === "string" ? new TextEncoder().encode(written) : written;
  try {
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    await conn.closeWrite();
    while (await conn.read(new Uint8Array(1024)) !== null);
  } finally {
    conn.close();
  }
}

/** What /readyz says: its status, and the reasons when there are any. */
export async function readiness(sluice: SluiceProcess): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${await sluice.statusUrl()}/readyz`);
  return { status: answer.status, text: await answer.text() };
}

/** Waits until it says that it is not ready, for a reason that matches. */
export async function notReady(sluice: SluiceProcess, reason: RegExp): Promise<void> {
  let last = "";
  await eventually(`/readyz with ${reason}`, async () => {
    const { status, text } = await readiness(sluice);
    last = `${status} ${text}`;
    return status === 503 && reason.test(text) && await sluice.metric("forward_ready") === 0;
  }, { timeoutMs: 90_000 }).catch((thrown) => {
    throw new Error(`It says ${last}`, { cause: thrown });
  });
}

/**
 * Waits until it is ready, by `/readyz` and by its metric. Both in one look: of a topic just created
 * one partition may take records before the other has a leader, and it is not ready for that long.
 */
export async function ready(sluice: SluiceProcess): Promise<void> {
  await eventually("/readyz with 200 and forward_ready", async () => {
    const { status } = await readiness(sluice);
    return status === 200 && await sluice.metric("forward_ready") === 1;
  }, { timeoutMs: 90_000 });
}

/** Runs sluice to its end, for commands that stop by themselves. */
export async function runSluice(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ readonly code: number; readonly said: string }> {
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", main, ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, said: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** One check of the whole configuration. */
export function check(args: readonly string[], env: Record<string, string> = {}) {
  return runSluice(["forward-syslog", "--check", "--listen=tcp://127.0.0.1:0", ...args], env);
}
