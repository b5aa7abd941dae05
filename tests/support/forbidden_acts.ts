/**
 * Preloaded before main.ts (`deno run --preload`): when the program is about to end, it tries what
 * rights are about, in the same process, and writes on standard error which of it Deno allowed.
 */

const acts: Readonly<Record<string, () => unknown>> = {
  run: () => new Deno.Command("true").outputSync(),
  ffi: () => Deno.dlopen("/there/is/no/library.so", {}),
  import: () => import(["http://127.0.0.1:1", "code.ts"].join("/")),
  net: () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
  write: () => Deno.removeSync(Deno.makeTempFileSync()),
  env: () => Deno.env.get("HOME"),
  sys: () => Deno.hostname(),
};

/** Whether Deno lets it be done, whatever else stands in the way. */
async function isAllowed(act: () => unknown): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (thrown) {
    // What is imported is told by a TypeError whatever was wrong.
    return !/^Requires (\w+|all) access to /.test((thrown as Error).message);
  }
}

const exit = Deno.exit;
// Returns, as only then what takes time can be tried; main.ts does nothing behind it.
Deno.exit = ((code: number) => {
  void (async () => {
    const allowed: string[] = [];
    for (const [name, act] of Object.entries(acts)) if (await isAllowed(act)) allowed.push(name);
    Deno.stderr.writeSync(new TextEncoder().encode(`\nALLOWED ${allowed.join(" ")}\n`));
    exit(code);
  })();
}) as typeof Deno.exit;
