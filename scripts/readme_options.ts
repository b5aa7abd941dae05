// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * Compares the tables in README.md (options, exit codes, metrics) with the code that they describe,
 * and exits 1 with the first difference. `--write` writes them anew.
 */
import { commands } from "../commands/mod.ts";
import { SluiceProcess } from "../tests/support/sluice_process.ts";
import {
  exitTable,
  firstDifference,
  metricTable,
  optionTable,
  type Tables,
  withTables,
} from "./readme_tables.ts";
import { checkout } from "./stages.ts";

const readme = new URL("README.md", checkout);

/** Every table that the code can tell. */
async function tables(): Promise<Tables> {
  const all: Record<string, string> = {};
  for (const { name, load } of commands) {
    const command = await load();
    all[`options:${name}`] = optionTable(command);
    all[`exits:${name}`] = exitTable(command);
  }
  for (const [name, args] of Object.entries(daemons)) {
    all[`metrics:${name}`] = metricTable(await metricsPage(name, args), "sluice_");
  }
  return all;
}

/** How to start each daemon without anything to talk to. */
const daemons: Readonly<Record<string, readonly string[]>> = {
  "forward-syslog": ["--listen=udp://127.0.0.1:0", "--kafka=127.0.0.1:1"],
  "archive": ["--to=file://FOLDER", "--kafka=127.0.0.1:1"],
  "ingest": ["--from=file://FOLDER"],
  "replicate": [
    ...["--source-project=p1", "--source-dataset=a", "--destination-dataset=b", "--watch=1h"],
    "--bigquery-endpoint=http://127.0.0.1:1",
  ],
};

/** The page of the real command; it has it before it has found a Kafka. */
async function metricsPage(name: string, args: readonly string[]): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-readme-" });
  try {
    const all = [name, ...args, "--http=127.0.0.1:0"];
    const words = all.map((one) => one.replace("FOLDER", folder));
    await using sluice = await SluiceProcess.start(words);
    return await (await fetch(`${await sluice.statusUrl()}/metrics`)).text();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function main(): Promise<number> {
  const written = await Deno.readTextFile(readme);
  const wanted = withTables(written, await tables());
  if (Deno.args.includes("--write")) {
    await Deno.writeTextFile(readme, wanted);
    return 0;
  }
  const difference = firstDifference(written, wanted);
  if (difference === undefined) return 0;
  console.error(`README.md:${difference.line}: the code says something else`);
  console.error(`  README  ${difference.written}`);
  console.error(`  code    ${difference.wanted}`);
  console.error("To take over what the code says: deno run -A scripts/readme_options.ts --write");
  return 1;
}

Deno.exit(await main());
