import type { KafkaServer } from "../tests/support/kafka_server.ts";
import { begin, sluice } from "./steps.ts";

/**
 * Shows how a topic comes into files of a folder, and what looks into them.
 *
 * @returns the folder.
 * @throws {Error} when a command fails, or the files hold another number of records.
 */
export async function showArchive(
  kafka: KafkaServer,
  topic: string,
  count: number,
): Promise<string> {
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
  return folder;
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
