import { fileURLToPath } from "node:url";
import type { Store } from "../../lib/clients/store/store.ts";

/** Whoever holds this file's lock has the environment for himself. */
const lockPath = fileURLToPath(import.meta.url);

/**
 * Runs something with these variables in this process's environment, and takes them out again. Test
 * files that run at once are threads of one process and share it: whoever else asks for it in this way
 * waits meanwhile.
 *
 * @param variables `undefined` for one that must not be there; what `run` itself does to any of them
 *   goes, too.
 */
export async function withEnvironment<T>(
  variables: Readonly<Record<string, string | undefined>>,
  run: () => Promise<T>,
): Promise<T> {
  using lock = await Deno.open(lockPath);
  await lock.lock(true);
  const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
  try {
    set(Object.entries(variables));
    return await run();
  } finally {
    set(before);
  }
}

/**
 * Opens a store with credentials that are in the environment for as long as that takes: it reads them at
 * its first request, and keeps them.
 */
export function openedWith(
  variables: Readonly<Record<string, string | undefined>>,
  open: () => Promise<Store>,
): Promise<Store> {
  return withEnvironment(variables, async () => {
    const store = await open();
    await store.head("none");
    return store;
  });
}

function set(variables: readonly (readonly [name: string, value: string | undefined])[]): void {
  for (const [name, value] of variables) {
    if (value === undefined) Deno.env.delete(name);
    else Deno.env.set(name, value);
  }
}
