import { dirname } from "node:path";
import { reasonOf, SluiceError } from "../core/errors.ts";

/** So many entries are kept; of twice as many the older half goes. */
const entriesMost = 1_000;

/** Only for the person who typed it: there are names and figures of customers in it. */
const mode = 0o600;

/** What was typed at a prompt, an entry a line, the last one last. */
export class HistoryFile {
  constructor(readonly path: string) {}

  /**
   * The entries, the last one first; none when there is no file. Takes the file away from others.
   *
   * @throws {SluiceError} `permanent` when it cannot be read.
   */
  async read(): Promise<string[]> {
    try {
      const info = await Deno.stat(this.path).catch((thrown) => {
        if (thrown instanceof Deno.errors.NotFound) return null;
        throw thrown;
      });
      // What is no ordinary file, as /dev/null, is not ours.
      if (!info?.isFile) return [];
      if (((info.mode ?? mode) & 0o777) !== mode) await Deno.chmod(this.path, mode);
      const entries = (await Deno.readTextFile(this.path)).split("\n").filter((one) => one !== "");
      const last = entries.slice(-entriesMost);
      if (entries.length > 2 * entriesMost) await this.#replace(last);
      return last.reverse();
    } catch (thrown) {
      throw historyError("read", this.path, thrown);
    }
  }

  /**
   * Adds an entry, which is one line; several processes may do so.
   *
   * @throws {SluiceError} `permanent` when it cannot be written.
   */
  async add(entry: string): Promise<void> {
    try {
      const folder = dirname(this.path);
      await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
      // Not writeTextFile, which would change the mode of what is there: of /dev/null, say.
      const file = await Deno.open(this.path, { append: true, create: true, mode });
      try {
        await writeAll(file, new TextEncoder().encode(`${entry}\n`));
      } finally {
        file.close();
      }
    } catch (thrown) {
      throw historyError("write", this.path, thrown);
    }
  }

  async #replace(entries: readonly string[]): Promise<void> {
    const draft = `${this.path}.${Deno.pid}.draft`;
    await Deno.writeTextFile(draft, entries.map((one) => `${one}\n`).join(""), { mode });
    await Deno.rename(draft, this.path);
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

function historyError(act: string, path: string, thrown: unknown): SluiceError {
  const detail = `${reasonOf(thrown)}; give another one by --history`;
  return new SluiceError(`${act} history ${path}`, "permanent", detail, { cause: thrown });
}
