import { dirname } from "node:path";

/**
 * A place in which a program is built from copies of its files. `deno compile` lays in the time of
 * each file, and where in the cache it lay when it cannot make sense of it: here all are of the same
 * time and make sense, so that the same commit gives the same bytes wherever it is checked out.
 */
export interface Stage {
  /** The program's own files, as in its checkout. */
  readonly sources: string;
  /** A cache of Deno's with the libraries. */
  readonly denoDir: string;
}

/** What of the checkout belongs to the program. */
const ownFiles = ["main.ts", "deno.json", "deno.lock", "commands", "lib"];

/**
 * What no program reads of its libraries. Without an ending, and with some, it is taken for a script,
 * and the complaint about it laid in. Paths are `NAME/VERSION/…`.
 */
const leftOut = [
  /\/\.[^/]+(\/|$)/, // .github/workflows/ci.yml, .npmignore
  /\/(makefile|codeowners|[^/]+\.(html|proto|flow|tsbuildinfo|ya?ml))$/i,
  // A list of numbers: as a script it is one enormous sum, over which `deno compile` 2.9 overflows its
  // stack (denoland/deno#36746 has the same symptom).
  /^bintrees\/[^/]+\/(test|examples)\//,
  // For browsers; it asks for a file that is not there.
  /^unbzip2-stream\/[^/]+\/dist\//,
  // Besides its engine: extensions, the same code for other runtimes, and maps. Twelve of 25 MB.
  /^@electric-sql\/pglite\/.*\.(tar\.gz|map|cjs|cts|d\.ts)$/,
];

/** Licences stay; with this ending they are not taken for scripts. */
const license = /\/((licen[cs]e|notice)(\.(txt|mit|apache2?))?|[^/]+\.license)$/i;

/**
 * Makes a stage in `folder`, which is emptied before.
 *
 * @param checkout the folder of the program, ending in a slash.
 * @param denoDir Deno's cache, in which all libraries are that the lock names for this system.
 * @param build what to write into `dist/build.json`.
 */
export async function makeStage(
  folder: string,
  checkout: string,
  denoDir: string,
  build: unknown,
): Promise<Stage> {
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  const stage = { sources: `${folder}/sources`, denoDir: `${folder}/deno` };
  await Deno.mkdir(`${stage.sources}/dist`, { recursive: true });
  for (const name of ownFiles) await copyAll(`${checkout}${name}`, `${stage.sources}/${name}`);
  const written = `${stage.sources}/dist/build.json`;
  await Deno.writeTextFile(written, JSON.stringify(build));
  await Deno.utime(written, 0, 0);
  const packages = await packagesOf(`${checkout}deno.lock`);
  // What the registry says of each is asked for otherwise, though the lock decides.
  const told = new Set(packages.map((one) => `${dirname(one)}/registry.json`));
  for (const { name: registry } of await Array.fromAsync(Deno.readDir(`${denoDir}/npm`))) {
    const [from, to] = [denoDir, stage.denoDir].map((one) => `${one}/npm/${registry}`);
    for (const one of [...packages, ...told]) {
      await Deno.mkdir(dirname(`${to}/${one}`), { recursive: true });
      await copyAll(`${from}/${one}`, `${to}/${one}`, one);
    }
  }
  // Base binaries are fetched once, not with each build.
  await Deno.mkdir(`${denoDir}/dl`, { recursive: true });
  await Deno.symlink(`${denoDir}/dl`, `${stage.denoDir}/dl`);
  return stage;
}

/** The packages that a lock names, as `NAME/VERSION`. */
async function packagesOf(lock: string): Promise<string[]> {
  const { npm } = JSON.parse(await Deno.readTextFile(lock)) as { npm: Record<string, unknown> };
  // Behind a _ are the versions of what it was resolved with: the files are the same.
  const names = Object.keys(npm).map((key) => key.replace(/^(.[^@]*)@([^_]+).*$/, "$1/$2"));
  return [...new Set(names)];
}

/**
 * Copies a file, or all files in a folder, as if they had not changed since 1970; nothing that is not
 * there.
 *
 * @param told the path by which {@linkcode leftOut} knows it.
 */
async function copyAll(from: string, to: string, told = ""): Promise<void> {
  if (leftOut.some((pattern) => pattern.test(told))) return;
  const found = await Deno.stat(from).catch(() => undefined);
  if (found === undefined) return;
  if (found.isDirectory) {
    await Deno.mkdir(to, { recursive: true });
    for (const { name } of await Array.fromAsync(Deno.readDir(from))) {
      await copyAll(`${from}/${name}`, `${to}/${name}`, told && `${told}/${name}`);
    }
    return;
  }
  const copy = license.test(told) ? `${to}.md` : to;
  await Deno.copyFile(from, copy);
  await Deno.utime(copy, 0, 0);
}
