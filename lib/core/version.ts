const number = "0.1.0";

/**
 * The version of this program and the commit that it was built from.
 *
 * `deno task compile` lays `dist/build.json` into the binary; a program that runs from source reads
 * the checkout's own .git instead (no git command, so that a start costs nothing). The one place in
 * core that reads a file: it asks about the program itself, never about the outside.
 */
export function version(): { readonly version: string; readonly commit: string } {
  const root = new URL("../../", import.meta.url);
  const commit = Deno.build.standalone ? builtCommit(root) : sourceCommit(root);
  return { version: number, commit: commit ?? "unknown" };
}

function builtCommit(root: URL): string | undefined {
  const written = readIfThere(new URL("dist/build.json", root));
  if (written === undefined) return undefined;
  const { commit } = JSON.parse(written) as { commit?: unknown };
  return typeof commit === "string" ? commit : undefined;
}

/** The short commit of HEAD in the checkout at `root`; undefined when it is not a git checkout. */
export function sourceCommit(root: URL): string | undefined {
  const head = readIfThere(new URL(".git/HEAD", root))?.trim();
  if (head === undefined) return undefined;
  const ref = /^ref: (.+)$/.exec(head)?.[1];
  if (ref === undefined) return head.slice(0, 7);
  const loose = readIfThere(new URL(`.git/${ref}`, root))?.trim();
  if (loose !== undefined) return loose.slice(0, 7);
  const packed = readIfThere(new URL(".git/packed-refs", root)) ?? "";
  return packed.split("\n").find((line) => line.endsWith(` ${ref}`))?.slice(0, 7);
}

function readIfThere(url: URL): string | undefined {
  try {
    return Deno.readTextFileSync(url);
  } catch {
    // Not there, or not a checkout of our own kind (a worktree's .git is a file): then it is not known.
    return undefined;
  }
}
