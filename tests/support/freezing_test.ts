import assert from "node:assert/strict";
import { freeze } from "./freezing.ts";
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
      const [states, before] = [statesOf(child.pid), processorTime(child.pid)];
      assert.ok(states.length >= 4 && states.every((state) => state === "T"), states.join());
      Deno.kill(child.pid, "SIGCONT");
      await eventually("it goes on", () => processorTime(child.pid) !== before, { everyMs: 1 });
    }
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await output.cancel();
  }
  await freeze(child.pid);
});

/** What proc(5) tells of each thread: its state, and the processor time of all of them in ticks. */
function statesOf(pid: number): string[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)]
    .map(({ name }) => fieldsOf(`${pid}/task/${name}`)[0] ?? "");
}

function processorTime(pid: number): number {
  const [user, system] = fieldsOf(`${pid}`).slice(11, 13).map(Number);
  return Number(user) + Number(system);
}

function fieldsOf(process: string): string[] {
  const stat = Deno.readTextFileSync(`/proc/${process}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
