import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { delay, eventually } from "../support/waiting.ts";

const script = fileURLToPath(new URL("../../scripts/quickstart.ts", import.meta.url));
/** A quickstart under way. */
class Quickstart {
  stdout = "";
  stderr = "";
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;

  /** Starts it with its temporary files in a folder of the test's own. */
  constructor(
    folder: string,
    args: readonly string[] = [],
    env: Record<string, string> = {},
  ) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", script, ...args],
      env: { NO_COLOR: "1", TMPDIR: folder, ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const { stdout, stderr } = this.#child;
    this.#read = Promise.all([
      gather(stdout, (text) => this.stdout += text),
      gather(stderr, (text) => this.stderr += text),
    ]);
  }

  async said(words: string): Promise<void> {
    await eventually(words, () => this.stdout.includes(words), { timeoutMs: 240_000 });
  }

  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  /** Whether Ctrl-C is the ordinary end by now: all was shown before it came. */
  get isKept(): boolean {
    return this.stdout.includes("Running until Ctrl-C");
  }

  /** Waits for the end; gives the exit code. */
  async end(): Promise<number> {
    await this.#read;
    return (await this.#child.status).code;
  }
}

async function gather(stream: ReadableStream<Uint8Array>, take: (text: string) => void) {
  const decoder = new TextDecoder();
  for await (const part of stream) take(decoder.decode(part, { stream: true }));
}

/** Command lines of processes that have to do with the folder. */
async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const words = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (words.includes(folder)) found.push(words.replaceAll("\0", " "));
  }
  return found;
}

async function assertNothingLeft(folder: string): Promise<void> {
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder), ({ name }) => name), []);
  // What the kernel ends with its parent is seen a moment longer.
  let left: string[] = [];
  await eventually("no process", async () => (left = await processesOf(folder)).length === 0)
    .catch(() => assert.deepEqual(left, []));
  await Deno.remove(folder);
}

Deno.test("The quickstart shows that all that was sent arrived, and leaves nothing behind", async () => {
  const folder = await Deno.makeTempDir();
  const quickstart = new Quickstart(folder);
  const code = await quickstart.end();
  const { stdout, stderr } = quickstart;
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /5000 sent = 5000 arrived; none lost, altered or doubled/);
  assert.match(stdout, /^ {3}\$ \S+deno run .* main\.ts forward-syslog --listen=tcp:/m);
  assert.match(stdout, /\| \{"timestamp":.*"structured_data":\{"order@32473":/);
  assert.match(stdout, /sluice_forward_records_sent_total 5000/);
  assert.match(stdout, /"Loaded","directory":"partition=\d+"[^]* 5000 rows; the files stay/);
  assert.match(stdout, /sluice query asks it[^]*│ +hostname +│ hits │[^]*│ db-1 +│ 1000 │/);
  assert.match(stdout, /5000 hits, as many as lines were sent/);
  assert.match(stdout, /All is well\.\n$/);
  await assertNothingLeft(folder);
});

Deno.test("The quickstart with --keep runs until Ctrl-C, and then ends well", async () => {
  const folder = await Deno.makeTempDir();
  const quickstart = new Quickstart(folder, ["--keep"]);
  await quickstart.said("logger --server");
  const [, port] = /syslog +tcp:\/\/127\.0\.0\.1:(\d+)/.exec(quickstart.stdout) ?? [];
  (await Deno.connect({ port: Number(port) })).close();
  quickstart.interrupt();
  assert.equal(await quickstart.end(), 0, quickstart.stdout + quickstart.stderr);
  assert.match(quickstart.stdout, /"Stopped","messages":5000/);
  await assertNothingLeft(folder);
});

Deno.test("The quickstart interrupted at any moment leaves nothing behind", async (t) => {
  const moments = [
    ["1. Kafka", 0],
    ["1. Kafka", 1_000],
    ["2. sluice", 0],
    ["3. 4 connections", 0],
    ["4. Another client", 100],
  ] as const;
  for (const [words, afterMs] of moments) {
    await t.step(`${afterMs} ms after "${words}"`, async () => {
      const folder = await Deno.makeTempDir();
      // It does not end by itself, should this test stand still longer than the rest of it takes.
      const quickstart = new Quickstart(folder, ["--keep"]);
      await quickstart.said(words);
      await delay(afterMs);
      quickstart.interrupt();
      const code = await quickstart.end();
      assert.equal(code, quickstart.isKept ? 0 : 130, quickstart.stdout + quickstart.stderr);
      if (!quickstart.isKept) {
        assert.match(quickstart.stderr, /Interrupted: ending what was started/);
      }
      await assertNothingLeft(folder);
    });
  }
});

Deno.test("The quickstart refuses an option that it does not have", async () => {
  const folder = await Deno.makeTempDir();
  const quickstart = new Quickstart(folder, ["--kep"]);
  assert.equal(await quickstart.end(), 2);
  assert.match(quickstart.stderr, /^quickstart: there is no option --kep\n\nUsage: /);
  await assertNothingLeft(folder);
});

Deno.test("The quickstart says what is missing when Kafka cannot be started", async () => {
  const folder = await Deno.makeTempDir();
  const tools = await Deno.makeTempDir();
  for (const name of ["sh", "setsid", "setpriv"]) {
    await Deno.symlink(`/usr/bin/${name}`, `${tools}/${name}`);
  }
  // A machine without Java.
  const quickstart = new Quickstart(folder, [], { PATH: tools });
  assert.equal(await quickstart.end(), 1);
  assert.match(quickstart.stderr, /^quickstart: .*\bjava\b.*No such file/m);
  await assertNothingLeft(folder);
  await Deno.remove(tools, { recursive: true });
});
