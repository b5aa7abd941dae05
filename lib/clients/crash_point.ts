/** `NAME`, or `NAME:N` for the N-th time that the point is passed. */
const variable = "SLUICE_TEST_CRASH_AT";

let wanted: { readonly name: string; left: number } | null | undefined;

/**
 * A place where tests have the process killed, as if the machine had lost its power: everything before
 * it has happened, nothing after it has. The released program cannot kill, not even itself, so there
 * it does nothing, whatever the environment says.
 */
export function crashPoint(name: string): void {
  if (wanted === undefined) wanted = readWanted();
  if (wanted === null || wanted.name !== name || --wanted.left > 0) return;
  try {
    Deno.kill(Deno.pid, "SIGKILL");
  } catch {
    wanted = null; // no right to kill
  }
}

function readWanted(): { name: string; left: number } | null {
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return null;
  const [name = "", count = "1"] = Deno.env.get(variable)?.split(":") ?? [];
  return name === "" ? null : { name, left: Number(count) };
}
