/** What came of starting the compiled program. */
export interface Trial {
  /** `stand-in`: its base is the deno command, which knows nothing of what was laid into it. */
  readonly verdict: "alive" | "dead" | "stand-in";
  readonly text: string;
}

/**
 * Starts the compiled program: it must tell its version and bring records through a file unharmed.
 *
 * @param options.isWhole built for everything; else only its version is asked for.
 */
export async function tryBinary(
  path: string,
  versionLine: string,
  { isWhole }: { readonly isWhole: boolean },
): Promise<Trial> {
  const told = await run(path, ["--version"]);
  if (told.startsWith("deno ")) return { verdict: "stand-in", text: told };
  if (told !== `${versionLine}\n`) return dead("--version", versionLine, told);
  const start = `starts in ${await startMs(path)} ms (median of ${startsTimed})`;
  if (!isWhole) return { verdict: "alive", text: `${versionLine}; ${start}` };
  const lines = "one\ntwo\n\nüber\n";
  const folder = await Deno.makeTempDir({ prefix: "sluice-smoke-" });
  try {
    const file = `${folder}/x.baldr.gz`;
    await Deno.writeTextFile(`${folder}/lines`, lines);
    await run(path, ["baldr", "pack", "--output", file, `${folder}/lines`]);
    const back = await run(path, ["baldr", "cat", "--format", "lines", file]);
    if (back !== lines) return dead("baldr cat of what baldr pack wrote", lines, back);
    // Nobody listens there; what is looked at before that needs the workers, which are files of their own.
    const archive = ["archive", "--check", "--kafka=127.0.0.1:1", `--to=file://${folder}`];
    const asked = await run(path, [...archive, `--spool-dir=${folder}/spool`]);
    const wanted = "Cannot connect to Kafka at 127.0.0.1:1";
    if (!asked.includes(wanted)) return dead("archive --check without a Kafka", wanted, asked);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const text = `${versionLine}; ${start}; baldr pack and cat agree; archive compresses`;
  return { verdict: "alive", text };
}

const startsTimed = 9;

/** How long `--version` takes, the median of some starts. */
async function startMs(path: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < startsTimed; n++) {
    const begun = performance.now();
    await run(path, ["--version"]);
    times.push(performance.now() - begun);
  }
  return Math.round(times.sort((a, b) => a - b)[(startsTimed - 1) / 2] ?? 0);
}

function dead(what: string, wanted: string, got: string): Trial {
  const text = `${what} gave ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`;
  return { verdict: "dead", text };
}

/** All that it writes. */
async function run(path: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(path, {
    args: [...args],
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}
