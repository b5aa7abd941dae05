import { reasonOf } from "../../lib/core/errors.ts";
import { mainModule } from "./command_line.ts";
import { makeServerFolder, type ServerProcess, startProcess } from "./processes.ts";
import { residentPeakOf } from "./proc.ts";
import { eventually, within } from "./waiting.ts";

/** A running sluice whose log can be asked. */
export class SluiceProcess implements AsyncDisposable {
  private constructor(
    readonly process: ServerProcess,
    readonly folder: string,
  ) {}

  /**
   * Starts the real command; its log is JSON lines. Listeners are best given port 0.
   *
   * @param rights Deno's flags: what the process may do.
   */
  static async start(
    args: readonly string[],
    env: Record<string, string> = {},
    rights: readonly string[] = ["--allow-all"],
  ): Promise<SluiceProcess> {
    const folder = await makeServerFolder("sluice");
    const process = await startProcess({
      name: "sluice",
      command: Deno.execPath(),
      args: ["run", ...rights, mainModule, ...args],
      folder,
      env,
    });
    return new SluiceProcess(process, folder);
  }

  get pid(): number {
    return this.process.pid;
  }

  /** The whole log so far. */
  log(): Promise<string> {
    return Deno.readTextFile(`${this.folder}/sluice.log`).catch(() => "");
  }

  /** Waits for a line of the log that holds all of the words. */
  async said(...words: string[]): Promise<string> {
    return await eventually(`a log line with ${words.join(", ")}`, async () => {
      // Asked first: between the two looks it may say so and end.
      const hasEnded = await within(this.process.ended, 0);
      // Behind the last line feed there is nothing, or what is being written.
      const lines = (await this.log()).split("\n").slice(0, -1);
      const line = lines.find((one) => words.every((word) => one.includes(word)));
      if (line === undefined && hasEnded) {
        throw new Error(`sluice ended:\n${await this.process.tail()}`);
      }
      return line;
      // A member that was killed while it joined holds a round up for the rebalance time-out, a minute.
    }, { timeoutMs: 120_000 }).catch(async (thrown) => {
      throw new Error(`${reasonOf(thrown)}\n${await this.process.tail()}`, { cause: thrown });
    });
  }

  /** The port that a listener of this scheme got. */
  async port(scheme: string): Promise<number> {
    const line = await this.said(`"Listening"`, `${scheme}://`);
    return Number(/:(\d+)"/.exec(line.slice(line.indexOf(`${scheme}://`)))?.[1]);
  }

  /** The address of the status pages. */
  async statusUrl(): Promise<string> {
    const line = await this.said(`"Serving status"`);
    return (JSON.parse(line) as { url: string }).url;
  }

  /** One metric without labels, by its name after `sluice_`. */
  async metric(name: string): Promise<number> {
    const page = await (await fetch(`${await this.statusUrl()}/metrics`)).text();
    const line = page.split("\n").find((one) => one.startsWith(`sluice_${name} `));
    if (line === undefined) throw new Error(`No metric sluice_${name}`);
    return Number(line.split(" ")[1]);
  }

  /** The largest resident memory so far, bytes. */
  memoryPeak(): Promise<number> {
    return residentPeakOf(this.pid);
  }

  /** Sends a signal and waits for the end; gives the exit code. */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    this.process.signal(signal);
    return (await this.process.ended).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop();
    await Deno.remove(this.folder, { recursive: true }).catch(() => {});
  }
}
