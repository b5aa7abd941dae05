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
  all["metrics:forward-syslog"] = metricTable(await metricsPage(), "sluice_");
  return all;
}

/** The page of the real command; it has it before it has found a Kafka. */
async function metricsPage(): Promise<string> {
  await using sluice = await SluiceProcess.start([
    "forward-syslog",
    // UDP has a metric of its own.
    ...["--kafka=127.0.0.1:1", "--listen=udp://127.0.0.1:0", "--http=127.0.0.1:0"],
  ]);
  return await (await fetch(`${await sluice.statusUrl()}/metrics`)).text();
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
