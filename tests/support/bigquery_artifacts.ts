import { fileURLToPath } from "node:url";
import { runCommand, serversFolder } from "./processes.ts";

const requirements = fileURLToPath(new URL("bigquery_requirements.txt", import.meta.url));
/** The release of bqemulator; every other version stands in the file of requirements. */
const version = "1.4.0";

/** Where the emulator is installed. */
export interface Emulator {
  /** The command. */
  readonly command: string;
  /** Its home folder, with DuckDB's extensions. */
  readonly home: string;
}

/**
 * The BigQuery emulator, installed by pip into a folder of its own when it is not there yet. Two
 * processes that ask at once install once; what was cut short is begun again.
 */
export async function bigQueryEmulator(): Promise<Emulator> {
  const folder = `${serversFolder}/bqemulator-${version}`;
  await Deno.mkdir(serversFolder, { recursive: true });
  using lock = await Deno.open(`${folder}.lock`, { create: true, write: true });
  // The kernel drops the lock when its holder dies, so no stale lock can be left behind.
  await lock.lock(true);
  const whole = `${folder}/whole`;
  // A virtual environment knows its own path, so it cannot be renamed when it is done.
  if (!await exists(whole)) {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    await install(folder);
    await Deno.writeTextFile(whole, `${version}\n`);
  }
  return { command: `${folder}/bin/bqemulator`, home: `${folder}/home` };
}

async function install(folder: string): Promise<void> {
  await run("make a virtual environment (Debian: apt-get install python3-venv)", [
    ...["python3", "-m", "venv", folder],
  ]);
  await run("install it", [
    ...[`${folder}/bin/python`, "-m", "pip", "install", "-q", "--disable-pip-version-check"],
    ...["--no-compile", "--require-hashes", "-r", requirements],
  ]);
  await Deno.mkdir(`${folder}/home`);
  const extensions = 'from duckdb_extensions import import_extension as i; i("spatial"); i("avro")';
  await run("unpack DuckDB's extensions", [`${folder}/bin/python`, "-c", extensions], {
    HOME: `${folder}/home`,
  });
}

async function run(
  what: string,
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const { success, text } = await runCommand(words, { env }).catch((thrown) => {
    const hint = "python3 does not run (Debian: apt-get install python3)";
    throw new Error(`Cannot install the BigQuery emulator: ${hint}`, { cause: thrown });
  });
  if (success) return;
  const said = text.trimEnd().split("\n").slice(-15).join("\n");
  throw new Error(`Cannot install the BigQuery emulator ${version}: cannot ${what}:\n${said}`);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
