import { begin, sluice } from "./steps.ts";

/**
 * Shows how an archive comes into a database, and what can be asked there then. The database is one
 * that needs no server: PGlite.
 *
 * @param folder of the archive.
 * @throws {Error} when a command fails, or the database holds another number of rows.
 */
export async function showWarehouse(folder: string, topic: string, count: number): Promise<void> {
  const database = `pglite:${folder}/database`;
  await showIngest(folder, topic, database, count);
  const step = begin("sluice query asks it");
  const sql =
    "SELECT hostname, count(*) AS hits FROM lines GROUP BY hostname ORDER BY hits DESC, 1";
  const table = await sluice(step, "query", database, "--format=table", sql);
  for (const line of table) step.say(line);
  const found = table.reduce((sum, line) => sum + Number(/│ +(\d+) │$/.exec(line)?.[1] ?? 0), 0);
  if (found !== count) throw new Error(`The database holds ${found} rows, the topic had ${count}`);
  step.done(`${found} hits, as many as lines were sent`);
}

async function showIngest(
  folder: string,
  topic: string,
  database: string,
  count: number,
): Promise<void> {
  const step = begin("sluice ingest loads the files into a database, each once");
  const create =
    "CREATE TABLE lines (timestamp timestamptz, hostname text, tag text, content text)";
  await sluice(step, "query", database, "--write", create);
  const manifest = {
    ...{ table: "lines", format: "baldr", "target-url": database },
    columns: ["timestamp", "hostname", "tag", "content"],
    "pk-columns": ["timestamp", "hostname", "content"],
    "data-pattern": ".*\\.baldr\\.gz",
  };
  const text = JSON.stringify(manifest);
  step.say(`manifest.json in each folder of files: ${text}`);
  const topicFolder = `${folder}/sluice/${topic}`;
  for await (const { name, isDirectory } of Deno.readDir(topicFolder)) {
    if (isDirectory) await Deno.writeTextFile(`${topicFolder}/${name}/manifest.json`, text);
  }
  const said = await sluice(step, "ingest", `--from=file://${topicFolder}`, "--once", "--keep");
  let rows = 0;
  for (const line of said.filter((one) => one.includes('"Loaded"'))) {
    step.say(line);
    rows += Number(/"rows":(\d+)/.exec(line)?.[1]);
  }
  if (rows !== count) throw new Error(`${rows} rows were loaded of ${count}:\n${said.join("\n")}`);
  step.done(`${rows} rows; the files stay, by --keep`);
}
