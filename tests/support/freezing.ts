import { statOf } from "./proc.ts";
import { eventually } from "./waiting.ts";

/**
 * Stops a process and waits until it stands still. The signal alone promises nothing about now:
 * under load a thread that has a processor may answer another request first.
 *
 * Nothing happens when the process has ended already. Deno.kill with SIGCONT lets it go on.
 *
 * @throws {Error} after a minute.
 */
export async function freeze(pid: number): Promise<void> {
  try {
    Deno.kill(pid, "SIGSTOP");
  } catch {
    return; // it has ended in the meantime
  }
  await eventually(`process ${pid} stands still`, () => standsStill(pid), { everyMs: 1 });
}

/** Whether all threads are stopped, or ended; so it is of a process that has ended. */
async function standsStill(pid: number): Promise<boolean> {
  const threads = await Array.fromAsync(Deno.readDir(`/proc/${pid}/task`)).catch(() => []);
  const states = await Promise.all(threads.map(({ name }) => stateOf(`${pid}/task/${name}`)));
  return states.every((state) => ["T", "Z", "X"].includes(state));
}

/** The letter that says what a process or thread does, of proc(5); "X" when it is no more. */
async function stateOf(process: string): Promise<string> {
  const [state = ""] = await statOf(process).catch(() => ["X"]);
  return state;
}
