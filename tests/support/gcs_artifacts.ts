import { runCommand, serversFolder } from "./processes.ts";

/** The release of fake-gcs-server that tests run against. */
const version = "1.56.1";

/**
 * The path of fake-gcs-server, which speaks Cloud Storage's API over a folder; built by Go when it is
 * not there yet. Two processes that ask at once build once; a build that was cut short is begun again.
 */
export async function gcsServerPath(): Promise<string> {
  const path = `${serversFolder}/fake-gcs-server-${version}`;
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
    ["go", "install", "-trimpath", `github.com/fsouza/fake-gcs-server@v${version}`],
    {
      cwd: partial,
      env: {
        // All that Go keeps goes into the folder, which is removed: its sources are read-only without
        // the flag.
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
    throw new Error(`Cannot build fake-gcs-server: ${hint}`, { cause: thrown });
  });
  if (!success) {
    const said = text.trimEnd().split("\n").slice(-15).join("\n");
    throw new Error(`Cannot build fake-gcs-server ${version}: Go failed:\n${said}`);
  }
  // A file of this name is whole: it gets its name only now.
  await Deno.rename(`${partial}/bin/fake-gcs-server`, path);
  await Deno.remove(partial, { recursive: true });
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
