import { runCommand, serversFolder } from "./processes.ts";

/** A server that is written in Go, at the release that tests run against. */
export interface GoProgram {
  /** What the program is called, and its file. */
  readonly name: string;
  readonly version: string;
  /** What `go install` takes, without the version. */
  readonly source: string;
}

/**
 * The path of a program; it is built by Go when it is not there yet. Two processes that ask at once
 * build once; a build that was cut short is begun again.
 */
export async function goProgramPath(program: GoProgram): Promise<string> {
  const path = `${serversFolder}/${program.name}-${program.version}`;
  await Deno.mkdir(serversFolder, { recursive: true });
  using lock = await Deno.open(`${path}.lock`, { create: true, write: true });
  // The kernel drops the lock when its holder dies, so no stale lock can be left behind.
  await lock.lock(true);
  if (!await exists(path)) await build(program, path);
  return path;
}

async function build({ name, version, source }: GoProgram, path: string): Promise<void> {
  const partial = `${path}.partial`;
  await Deno.remove(partial, { recursive: true }).catch(() => {});
  await Deno.mkdir(partial);
  const { success, text } = await runCommand(
    ["go", "install", "-trimpath", `${source}@v${version}`],
    {
      cwd: partial,
      env: {
        // Everything that Go keeps goes into the folder, which can be removed: sources are read-only
        // in Go's cache without the flag.
        GOPATH: `${partial}/path`,
        GOBIN: `${partial}/bin`,
        GOCACHE: `${partial}/cache`,
        GOMODCACHE: `${partial}/modules`,
        GOTMPDIR: partial,
        GOTELEMETRY: "off",
        GOFLAGS: "-modcacherw",
        CGO_ENABLED: "0",
      },
    },
  ).catch((thrown) => {
    const hint = "go does not run (Debian: apt-get install golang-go)";
    throw new Error(`Cannot build ${name}: ${hint}`, { cause: thrown });
  });
  if (!success) {
    const said = text.trimEnd().split("\n").slice(-15).join("\n");
    throw new Error(`Cannot build ${name} ${version}: Go failed:\n${said}`);
  }
  // A file of this name is whole: it gets its name only now.
  await Deno.rename(`${partial}/bin/${name}`, path);
  await Deno.remove(partial, { recursive: true });
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
