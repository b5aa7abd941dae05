import assert from "node:assert/strict";
import { freeze } from "./freezing.ts";
import { cpuSecondsOf, statOf } from "./proc.ts";
import { eventually } from "./waiting.ts";

Deno.test("What is frozen stands still at once, in all its threads, until it may go on", async () => {
  const busy = "import threading\ndef work():\n  while True: pass\n" +
    "for _ in range(3): threading.Thread(target=work).start()\nprint('works',flush=True)";
  const child = new Deno.Command("python3", { args: ["-c", busy], stdout: "piped" }).spawn();
  const output = child.stdout.getReader();
  try {
    await output.read();
    for (let round = 0; round < 20; round++) {
      await freeze(child.pid);
      const [states, before] = [await statesOf(child.pid), await cpuSecondsOf(child.pid)];
      assert.ok(states.length >= 4 && states.every((state) => state === "T"), states.join());
      Deno.kill(child.pid, "SIGCONT");
      const goesOn = async () => await cpuSecondsOf(child.pid) !== before;
      await eventually("it goes on", goesOn, { everyMs: 1 });
    }
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await output.cancel();
  }
  await freeze(child.pid);
});

async function statesOf(pid: number): Promise<string[]> {
  const threads = await Array.fromAsync(Deno.readDir(`/proc/${pid}/task`));
  return await Promise.all(threads.map(async ({ name }) => {
    const [state = ""] = await statOf(`${pid}/task/${name}`);
    return state;
  }));
}
