import type { HistoryFile } from "../clients/history_file.ts";
import { type Completer, LineEditor, type Typed } from "../clients/line_editor.ts";
import type { WarehouseKind } from "../clients/warehouse/warehouse.ts";
import { reasonOf } from "../core/errors.ts";
import { visible } from "../core/visible.ts";
import { namesSql } from "./catalog.ts";
import { complete, type KnownTable } from "./completion.ts";
import { runMeta, suffixOf } from "./meta.ts";
import type { Shell } from "./shell.ts";
import { type OpenPart, splitStatements } from "./statements.ts";

/** Where lines come from. */
export interface Lines {
  read(prompt: string): Promise<Typed>;
  onInterrupt(act: (() => void) | undefined): void;
  remember(entry: string): void;
  close(): void;
}

/** What may hold a secret is not written down. */
const secretive =
  /passw(or)?d|credential|secret|token|access_key|identified\s+by|:\/\/[^\s/:@]*:[^\s@]+@/i;

/**
 * A person types, we answer: statements over several lines up to their semicolon, and commands that
 * begin with a backslash. An error is told, and the next line is asked for.
 */
export class Prompt {
  /** The lines of the statement that is being typed. */
  #typed: string[] = [];
  #open: OpenPart = "=";
  /** Whether its line breaks mean nothing, so that it is one entry of the history. */
  #isOneEntry = true;
  #tables: KnownTable[] | undefined;
  #lines: Lines | undefined;
  #hasToLeave = false;

  /**
   * @param name what stands before what is typed: the database.
   * @param history null: nothing is kept.
   */
  constructor(
    private readonly shell: Shell,
    private readonly kind: WarehouseKind,
    private readonly name: string,
    private readonly history: HistoryFile | null,
  ) {}

  /** Asks on the terminal until the person leaves, or it is to stop: then what runs is given up. */
  async run(stop: AbortSignal): Promise<void> {
    const entries = await this.history?.read() ?? [];
    const editor = new LineEditor(entries, this.completer);
    const leave = () => {
      this.#hasToLeave = true;
      this.shell.interrupt();
      editor.close();
    };
    stop.addEventListener("abort", leave);
    try {
      await this.talk(editor);
    } finally {
      stop.removeEventListener("abort", leave);
    }
  }

  /** Asks until there are no more lines. */
  async talk(lines: Lines): Promise<void> {
    this.#lines = lines;
    try {
      while (!this.#hasToLeave) {
        const typed = await lines.read(`${this.name}${this.#open}> `);
        if (typed.type === "end") break;
        if (typed.type === "interrupted") this.#forget();
        else if (!await this.#take(typed.text)) return;
      }
      await this.shell.say("");
    } finally {
      lines.close();
    }
  }

  /** Completes what was typed so far. */
  readonly completer: Completer = async (line) => {
    this.#tables ??= await this.#readTables();
    return complete([...this.#typed, line].join("\n"), this.#tables);
  };

  /** A line; false when it asks to leave. */
  async #take(line: string): Promise<boolean> {
    if (this.#typed.length === 0) {
      if (line.trim() === "") return true;
      if (/^\s*\\/.test(line)) {
        await this.#remember([line]);
        return await this.#attempt(() => runMeta(this.shell, line)) !== false;
      }
      if (/^\s*(quit|exit)[\s;]*$/i.test(line)) return false;
    }
    this.#typed.push(line);
    const text = this.#typed.join("\n");
    const { statements, rest, open } = splitStatements(text, this.kind === "redshift");
    const isQuoted = ["'", '"', "$", "*"].includes(open);
    const suffixed = rest === null || isQuoted ? undefined : suffixOf(rest.text);
    if (rest !== null && !suffixed || isQuoted) {
      this.#open = open;
      this.#isOneEntry &&= !isQuoted && !line.includes("--");
      return true;
    }
    const lines = this.#isOneEntry ? [this.#typed.join(" ")] : this.#typed;
    this.#forget();
    await this.#remember(lines);
    for (const { text: sql } of statements) {
      if (!await this.#statement(sql, async () => void await this.shell.run(sql))) return true;
    }
    if (suffixed) await this.#statement(suffixed.sql, () => suffixed.act(this.shell));
    return true;
  }

  /** False when it has failed: those behind it are not run. */
  async #statement(sql: string, run: () => Promise<void>): Promise<boolean> {
    this.shell.last = sql;
    if (/^\s*(create|alter|drop)\b/i.test(sql)) this.#tables = undefined;
    const outcome = await this.#attempt(async () => {
      await run();
      return true;
    });
    return outcome !== undefined && !this.shell.isStopped;
  }

  /** Does something that Ctrl-C gives up; what goes wrong is told, and gives undefined. */
  async #attempt(act: () => Promise<boolean>): Promise<boolean | undefined> {
    this.shell.begin();
    this.#lines?.onInterrupt(() => this.shell.interrupt());
    try {
      return await act();
    } catch (thrown) {
      await this.shell.say(this.shell.isStopped ? "Cancelled" : visible(reasonOf(thrown)));
      return undefined;
    } finally {
      this.#lines?.onInterrupt(undefined);
    }
  }

  #forget(): void {
    this.#typed = [];
    this.#open = "=";
    this.#isOneEntry = true;
  }

  async #remember(lines: readonly string[]): Promise<void> {
    // A secret may stand in another line than the word that tells of it.
    const isSecret = secretive.test(lines.join(" "));
    for (const line of lines) {
      this.#lines?.remember(line);
      if (isSecret) continue;
      // A full disk is no reason to stop.
      await this.history?.add(line).catch(() => {});
    }
  }

  async #readTables(): Promise<KnownTable[]> {
    const { rows } = await this.shell.ask(namesSql);
    const tables = new Map<string, KnownTable & { columns: string[] }>();
    for (const [schema, name, column, visible] of rows) {
      const key = `${schema}.${name}`;
      const table = tables.get(key) ??
        {
          schema: schema ?? "",
          name: name ?? "",
          columns: [],
          isVisible: visible === "yes",
        };
      table.columns.push(column ?? "");
      tables.set(key, table);
    }
    return [...tables.values()];
  }
}
