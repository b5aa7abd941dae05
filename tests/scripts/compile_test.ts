import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { buildProgram } from "../../scripts/compile_build.ts";
import { compilePlanOf } from "../../scripts/compile_plan.ts";
import { programRights } from "../../scripts/rights.ts";
import { checkout } from "../../scripts/stages.ts";
import { workersOfProgram } from "../../scripts/workers.ts";

const root = fileURLToPath(checkout);
const commit = "0123456789abcdef0123456789abcdef01234567";

/** A copy of the program in a folder of its own (or in one below), as if checked out at `commit`. */
async function copyOfProgram(below = ""): Promise<string> {
  const folder = `${await Deno.makeTempDir({ prefix: "sluice compile " })}${below}`;
  await Deno.mkdir(folder, { recursive: true });
  const { success } = await new Deno.Command("cp", {
    args: ["-r", "main.ts", "deno.json", "deno.lock", "commands", "lib", "scripts", folder],
    cwd: root,
  }).output();
  assert.ok(success);
  await Deno.mkdir(`${folder}/.git`);
  await Deno.writeTextFile(`${folder}/.git/HEAD`, `${commit}\n`);
  return folder;
}

async function deno(folder: string, args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

interface Module {
  readonly local?: string;
  /** The package that it comes from. */
  readonly npmPackage?: string;
  readonly dependencies?: readonly { readonly code?: { readonly specifier: string } }[];
}

interface Graph {
  readonly roots: readonly string[];
  readonly modules: readonly (Module & { readonly specifier: string })[];
  readonly redirects: Readonly<Record<string, string>>;
  readonly npmPackages: Readonly<
    Record<string, { readonly localPath: string; readonly dependencies: readonly string[] }>
  >;
}

/** The files of the program, its workers and libraries that must be in the binary. */
async function filesOfProgram(folder: string): Promise<string[]> {
  const files = new Set<string>();
  for (const entry of ["main.ts", ...await workersOfProgram(folder)]) {
    for (const file of await filesFrom(folder, entry)) files.add(file);
  }
  return [...files];
}

/** The files of a module and of all that it imports, by `deno info`. */
async function filesFrom(folder: string, entry: string): Promise<string[]> {
  const { stdout } = await deno(folder, ["info", "--json", entry]);
  const { roots, modules, redirects, npmPackages } = JSON.parse(stdout) as Graph;
  const files = new Set<string>();
  const packages = new Set<string>();
  const visitPackage = (name: string) => {
    if (packages.has(name)) return;
    packages.add(name);
    npmPackages[name]?.dependencies.forEach(visitPackage);
  };
  const known = new Map<string, Module>(modules.map((module) => [module.specifier, module]));
  const visit = (specifier: string) => {
    const { local, npmPackage, dependencies = [] } = known.get(redirects[specifier] ?? specifier) ??
      {};
    if (npmPackage !== undefined) visitPackage(npmPackage);
    if (local === undefined || files.has(local)) return;
    files.add(local);
    // What is imported for its types alone is no part of the program.
    for (const { code } of dependencies) if (code) visit(code.specifier);
  };
  roots.forEach(visit);
  for (const name of packages) {
    const path = `${npmPackages[name]?.localPath}/package.json`;
    if (await isForThisSystem(path)) files.add(path);
    // The engine in the process is not code, and nobody imports it by its name.
    if (!name.startsWith("@electric-sql/pglite@")) continue;
    for (const part of ["pglite.wasm", "pglite.data", "initdb.wasm"]) {
      files.add(`${npmPackages[name]?.localPath}/dist/${part}`);
    }
  }
  return [...files];
}

Deno.test("The compiled program holds every module and library, its commit, and its rights only, to the byte", async () => {
  const folder = await copyOfProgram();
  const { code, stdout, stderr } = await deno(folder, ["run", "-A", "scripts/compile.ts"]);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^dist\/sluice .* commit 0123456$/m);
  // Either it was started and lives, or the base binary is out of reach here and the script says so.
  assert.match(
    stdout,
    /^tried +(sluice \S+ \(commit 0123456\); starts in |not: Deno's base binary)/m,
  );
  assert.ok(((await Deno.stat(`${folder}/dist/sluice`)).mode ?? 0) & 0o111, "not executable");

  // What is laid in stands behind the base; searched as text of one-byte characters, it goes fast.
  const laidIn = (await latin1Of(`${folder}/dist/sluice`)).slice(-90_000_000);
  assert.ok(laidIn.includes('{"commit":"0123456"}'), "the commit is not in the program");
  const files = await filesOfProgram(folder);
  assert.ok(files.length > 80, `only ${files.length} files`);
  for (const file of files) {
    assert.ok(laidIn.includes(await latin1Of(file)), `${file} is not in the program`);
  }
  assertRights(laidIn);
  await assertNoPath(folder, laidIn);
  assert.deepEqual([...new Set(laidIn.match(/"t":\d+/g))], ['"t":0'], "times of files");
  await assertSameElsewhere(`${folder}/dist/sluice`);
  await Deno.remove(folder, { recursive: true });
});

/** Asserts that nothing tells where this machine has its files: on another one it would differ. */
async function assertNoPath(folder: string, laidIn: string): Promise<void> {
  const { denoDir } = JSON.parse((await deno(folder, ["info", "--json"])).stdout);
  for (const path of [folder, encodeURI(folder), root, denoDir, encodeURI(denoDir)]) {
    const at = laidIn.indexOf(path);
    assert.equal(at, -1, `it tells ${laidIn.slice(Math.max(0, at - 100), at + 200)}`);
  }
}

/** Asserts that the same files, copied later to another place, become the same program. */
async function assertSameElsewhere(program: string): Promise<void> {
  const elsewhere = await copyOfProgram("/deeper/ä checkout");
  const { success, output } = await buildProgram(compilePlanOf([]), "0123456", `${elsewhere}/`);
  assert.ok(success, output);
  const [one, other] = await Promise.all(
    [program, `${elsewhere}/dist/sluice`].map((path) => Deno.readFile(path)),
  );
  assert.ok(one !== undefined && other !== undefined && Buffer.from(one).equals(other));
  assert.deepEqual(await namesIn(`${elsewhere}/dist`), ["sluice"], "nothing else is left");
  await Deno.remove(join(elsewhere, "../.."), { recursive: true });
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
}

/** Packages for other systems are named, and only in the cache when something was built for these. */
async function isForThisSystem(path: string): Promise<boolean> {
  const text = await Deno.readTextFile(path).catch(() => undefined);
  if (text === undefined) return false;
  const { os, cpu } = JSON.parse(text) as { os?: string[]; cpu?: string[] };
  return (os?.includes(process.platform) ?? true) && (cpu?.includes(process.arch) ?? true);
}

async function latin1Of(path: string): Promise<string> {
  return Buffer.from(await Deno.readFile(path)).toString("latin1");
}

/** The rights as `deno compile` writes them down for its start: null is not granted, [] is all. */
function assertRights(text: string): void {
  const written = /"permissions":(\{"allow_env".*?\})/.exec(text)?.[1] ?? "";
  const rights = JSON.parse(written) as Record<string, unknown>;
  for (const kind of ["env", "net", "read", "write", "run", "ffi", "sys", "import"]) {
    const allowed = programRights.find((right) => right.split("=")[0] === `--allow-${kind}`);
    const isDenied = programRights.includes(`--deny-${kind}`);
    if (kind !== "import") {
      const wanted = allowed === undefined ? null : allowed.split("=")[1]?.split(",") ?? [];
      assert.deepEqual(rights[`allow_${kind}`], wanted, kind);
    }
    assert.deepEqual(rights[`deny_${kind}`], isDenied ? [] : null, kind);
  }
  assert.equal(rights["prompt"], false);
}

Deno.test("A program with a wrong type is not compiled", async () => {
  const folder = await copyOfProgram();
  await Deno.writeTextFile(`${folder}/main.ts`, 'export const n: number = "1";\n', {
    append: true,
  });
  const { code, stderr } = await deno(folder, ["run", "-A", "scripts/compile.ts"]);
  assert.equal(code, 1);
  assert.match(stderr, /TS2322/);
  assert.deepEqual(await namesIn(`${folder}/dist`), []);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("A program whose libraries are not the locked ones is not compiled", async () => {
  const folder = await copyOfProgram();
  const config = await Deno.readTextFile(`${folder}/deno.json`);
  await Deno.writeTextFile(`${folder}/deno.json`, config.replace("npm:yaml@", "npm:yaml@^"));
  const { code, stderr } = await deno(folder, ["run", "-A", "scripts/compile.ts"]);
  assert.equal(code, 1);
  assert.match(stderr, /lockfile is out of date/);
  await Deno.remove(folder, { recursive: true });
});
