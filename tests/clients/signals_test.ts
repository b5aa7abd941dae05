import assert from "node:assert/strict";
import { within } from "../support/waiting.ts";

const signals = new URL("../../lib/clients/signals.ts", import.meta.url).href;

/** A real process that listens as the code says and tells what came. */
class Listening implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(code: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["eval", "--no-config"],
        `import { onStop, onSignalOf } from "${signals}";
         const say = (text) => console.log(text);
         const forever = setInterval(() => {}, 1_000);
         ${code}
         say("ready");`,
      ],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Waits until it has said this; gives everything that it has said so far. */
  async said(text: string): Promise<string> {
    while (!this.#text.includes(text)) {
      const { value, done } = await this.#lines.read();
      assert.ok(!done, `it ended having said ${this.#text}`);
      this.#text += value;
    }
    return this.#text;
  }

  signal(name: Deno.Signal): void {
    this.#child.kill(name);
  }

  get ended(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.#lines.cancel();
  }
}

const twoStages = `
  const { drain, abort } = onStop({ stages: 2 });
  drain.addEventListener("abort", () => say("drain"));
  abort.addEventListener("abort", () => { say("abort"); clearInterval(forever); });`;

for (const [first, second] of [["SIGTERM", "SIGTERM"], ["SIGINT", "SIGTERM"]] as const) {
  Deno.test(`of two stages, ${first} drains and ${second} aborts`, async () => {
    await using process = new Listening(twoStages);
    await process.said("ready");
    process.signal(first);
    assert.ok(!(await process.said("drain")).includes("abort"));
    assert.equal(
      await within(process.ended, 200),
      false,
      "the first signal ends nothing by itself",
    );
    process.signal(second);
    await process.said("abort");
  });
}

Deno.test("of one stage, the first signal aborts and drains at once", async () => {
  await using process = new Listening(`
    const { drain, abort } = onStop({ stages: 1 });
    abort.addEventListener("abort", () => say("abort"));
    drain.addEventListener("abort", () => say("drain"));`);
  await process.said("ready");
  process.signal("SIGINT");
  assert.equal(await process.said("drain"), "ready\nabort\ndrain\n");
});

Deno.test("after close() the signals are the system's again", async () => {
  await using process = new Listening(`onStop({ stages: 2 }).close();`);
  await process.said("ready");
  process.signal("SIGTERM");
  assert.equal((await process.ended).signal, "SIGTERM");
});

Deno.test("onSignalOf() calls at each signal of its name, until it is released", async () => {
  await using process = new Listening(`
    let times = 0;
    const release = onSignalOf("SIGUSR1", () => {
      say("USR1 " + ++times);
      if (times === 2) { release(); say("released"); }
    });
    onSignalOf("SIGHUP", () => say("HUP"));`);
  await process.said("ready");
  process.signal("SIGUSR1");
  await process.said("USR1 1");
  process.signal("SIGHUP");
  await process.said("HUP");
  process.signal("SIGUSR1");
  await process.said("released");
  process.signal("SIGUSR1");
  assert.equal((await process.ended).signal, "SIGUSR1", "the system's own answer is to end it");
});
