import { eventually } from "./waiting.ts";

/** A real terminal (of tmux) with a program in it, of which a test reads the screen. */
export class Terminal implements AsyncDisposable {
  private constructor(private readonly folder: string) {}

  /** Starts a program in a terminal of so many cells; its last line is then `exit CODE`. */
  static async start(
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
    { columns = 80, lines = 40 } = {},
  ): Promise<Terminal> {
    const terminal = new Terminal(await Deno.makeTempDir({ prefix: "sluice-tmux-" }));
    const words = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    await terminal.#tmux(
      ["new-session", "-d", "-x", String(columns), "-y", String(lines)],
      [`${words}; echo exit $?; exec sleep 1000`],
      { LC_ALL: "C.UTF-8", TERM: "xterm-256color", ...env },
    );
    return terminal;
  }

  /** Types a text as a person does: a line feed is the return key. */
  async type(text: string): Promise<void> {
    for (const [i, line] of text.split("\n").entries()) {
      if (i > 0) await this.key("Enter");
      // A semicolon at the end would be one of tmux's own.
      const words = line.replace(/;$/, "\\;");
      if (line !== "") await this.#tmux(["send-keys", "-l"], ["--", words]);
    }
  }

  /** Presses a key by tmux's name: `Tab`, `Up`, `C-c`. */
  async key(name: string): Promise<void> {
    await this.#tmux(["send-keys"], [name]);
  }

  /** What is seen now, without spaces at the ends of lines and below. */
  async screen(): Promise<string> {
    return (await this.#tmux(["capture-pane", "-p"], [])).replace(/ +$/gm, "").trimEnd();
  }

  /** Waits until the screen has this in it; gives the screen. */
  async shows(what: RegExp, timeoutMs = 90_000): Promise<string> {
    let screen = "";
    try {
      return await eventually(`${what} on the screen`, async () => {
        screen = await this.screen();
        return what.test(screen) && screen;
      }, { timeoutMs });
    } catch (thrown) {
      throw new Error(`${thrown}\n${screen}`, { cause: thrown });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux(["kill-server"], []).catch(() => {});
    await Deno.remove(this.folder, { recursive: true });
  }

  async #tmux(
    command: readonly string[],
    words: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      // A server of its own, which nothing of this machine's is mixed up with.
      args: ["-u", "-f", "/dev/null", "-S", `${this.folder}/socket`, ...command, ...words],
      env,
    }).output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`tmux ${command.join(" ")}: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  }
}
