import { Exit } from "../../lib/core/exit.ts";
import type { DatasetPair } from "./replicate_rig.ts";
import { SluiceProcess } from "./sluice_process.ts";

/** How the call comes out at which the process dies. */
export type Moment =
  /** The service never hears of it. */
  | "before it is sent"
  /** It is carried out all the same. */
  | "while it is carried out"
  /** The answer finds nobody. */
  | "before it is answered";

/**
 * Runs replicate and kills it at one of its calls.
 *
 * @param call which one of its calls, counted from 0.
 * @returns the code with which it ended before that call; null when it was killed.
 */
export async function killAtCall(
  pair: DatasetPair,
  args: readonly string[],
  { call, moment }: { readonly call: number; readonly moment: Moment },
): Promise<number | null> {
  const { server: { proxy }, name } = pair;
  await using sluice = await SluiceProcess.start([...pair.args, ...args], pair.server.env());
  let left = call;
  const isIt = (one: Parameters<DatasetPair["owns"]>[0]) => pair.owns(one) && left-- === 0;
  const kill = async () => {
    await sluice.end("SIGKILL");
  };
  const rule = moment === "before it is answered"
    ? proxy.faults.add({ do: "runAfter", when: isIt, act: kill })
    : proxy.faults.add({
      do: "run",
      when: isIt,
      act: async () => {
        await kill();
        if (moment === "before it is sent") {
          throw new Error(`A call of ${name} that was never sent`);
        }
      },
    });
  const { code, signal } = await sluice.process.ended;
  rule.remove();
  if (signal === "SIGKILL") return null;
  if (code !== Exit.ok) throw new Error(`It ended with ${code}:\n${await sluice.process.tail()}`);
  return code;
}

/** Runs replicate until it dies at a point of its own; see crash_point.ts. */
export async function crashAt(
  pair: DatasetPair,
  args: readonly string[],
  point: string,
): Promise<void> {
  const env = { ...pair.server.env(), SLUICE_TEST_CRASH_AT: point };
  await using sluice = await SluiceProcess.start([...pair.args, ...args], env);
  const { code, signal } = await sluice.process.ended;
  if (signal === "SIGKILL") return;
  throw new Error(`No crash ${point}, it ended with ${code}:\n${await sluice.process.tail()}`);
}
