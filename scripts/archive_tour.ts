import type { KafkaServer } from "../tests/support/kafka_server.ts";
import { runCommand } from "../tests/support/processes.ts";
import { programRights } from "./rights.ts";
import { begin, brief } from "./steps.ts";

const mainModule = new URL("../main.ts", import.meta.url).pathname;

/**
 * Shows how a topic comes into files of a folder, and what looks into them.
 *
 * @throws {Error} when a command fails, or the files hold another number of records.
 */
export async function showArchive(
  kafka: KafkaServer,
  topic: string,
  count: number,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "archive-" });
  const url = `file://${folder}`;
  const step = begin("sluice archive puts the topic into files, each record once");
  const options = [`--kafka=${kafka.bootstrap}`, `--to=${url}`, `--include=${topic}`, "--once"];
  for (const line of await sluice(step, "archive", ...options)) {
    if (line.includes('"Stopped"')) step.say(line);
  }
  for (const line of await sluice(step, "archive", "ls", url)) step.say(line);
  for (const line of await sluice(step, "archive", "verify", url)) step.say(line);
  step.done(`in ${folder}`);
  await showRecords(`${folder}/sluice/${topic}`, count);
}

async function showRecords(folder: string, count: number): Promise<void> {
  const step = begin("sluice baldr cat shows what is in them");
  const url = `file://${folder}`;
  const [first = ""] = await sluice(step, "baldr", "cat", "--limit=1", url);
  step.say(first);
  // A line for each file, and the total.
  const total = (await sluice(step, "baldr", "cat", "--count", url)).at(-1) ?? "";
  const found = Number(/\d+/.exec(total)?.[0]);
  if (found !== count) throw new Error(`The files hold ${found} records, the topic had ${count}`);
  step.done(`${found} records, as many as there are in the topic`);
}

/** Runs a command of sluice with the rights of the built program. @returns the lines it printed. */
async function sluice(step: ReturnType<typeof begin>, ...args: string[]): Promise<string[]> {
  const command = [Deno.execPath(), "run", ...programRights];
  step.command([brief(Deno.execPath()), "run …", "main.ts", ...args].join(" "));
  const { success, text } = await runCommand([...command, mainModule, ...args]);
  if (!success) throw new Error(`sluice ${args.join(" ")} failed:\n${text}`);
  return text.trimEnd().split("\n");
}
