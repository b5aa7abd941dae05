import { runCommand, serversFolder } from "./processes.ts";

/** The release of versitygw that tests run against. */
const version = "1.8.0";

/**
 * The path of versitygw, a server that speaks S3 over a folder; built by Go when it is not there yet.
 * Two processes that ask at once build once; a build that was cut short is begun again.
 */
export async function versitygwPath(): Promise<string> {
  const path = `${serversFolder}/versitygw-${version}`;
  await Deno.mkdir(serversFolder, { recursive: true });
  using lock = await Deno.open(`${path}.lock`, { create: true, write: true });
  // The kernel drops the lock when its holder dies, so no stale lock can be left behind.
  await lock.lock(true);
  if (!await exists(path)) await build(path);
  return path;
}

async function build(path: string): Promise<void> {
  const partial = `${path}.partial`;
  await Deno.remove(partial, { recursive: true }).catch(() => {});
  await Deno.mkdir(partial);
  const { success, text } = await runCommand(
    ["go", "install", "-trimpath", `github.com/versity/versitygw/cmd/versitygw@v${version}`],
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
    throw new Error("Cannot build versitygw: go does not run (Debian: apt-get install golang-go)", {
      cause: thrown,
    });
  });
  if (!success) {
    const said = text.trimEnd().split("\n").slice(-15).join("\n");
    throw new Error(`Cannot build versitygw ${version}: Go failed:\n${said}`);
  }
  // A file of this name is whole: it gets its name only now.
  await Deno.rename(`${partial}/bin/versitygw`, path);
  await Deno.remove(partial, { recursive: true });
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
