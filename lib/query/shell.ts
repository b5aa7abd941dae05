import type { QueryResult, Session } from "../clients/warehouse/warehouse.ts";
import { SluiceError } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import type { ChartKind } from "./chart_rows.ts";
import { type Style, writerOf } from "./printing.ts";
import type { TextOutput } from "./row_writer.ts";
import { type Outcome, runStatement } from "./run_statement.ts";

/** What a shell works with. */
export interface ShellTools {
  /** Opens a session that may do what is allowed. */
  connect(): Promise<Session>;
  readonly output: TextOutput;
  /** Asked before each result, as a terminal changes its size. */
  style(): Style;
  readonly mayWrite: boolean;
  readonly world: World;
}

/** How one result is to be printed, besides what holds for all. */
export interface Wish {
  readonly chart?: ChartKind;
  readonly isExpanded?: boolean;
}

/**
 * Runs statements one after the other on a session, which is opened when it is needed. When it is lost,
 * what comes next is not run: a transaction may have been lost with it, or what was set. The one behind
 * that gets a new session.
 */
export class Shell {
  isTiming = false;
  isExpanded = false;
  /** The statement that \watch and \chart run again. */
  last: string | undefined;
  #session: Session | undefined;
  /** The statement under way has failed by the loss. */
  #hasToldLoss = false;
  /** Aborted when what runs is to be given up. */
  #stop = new AbortController();

  constructor(readonly tools: ShellTools) {}

  /** @throws {SluiceError} as connecting does; `transient` once when the connection was lost. */
  async session(): Promise<Session> {
    if (this.#session?.isBroken) {
      await this.#session.close();
      this.#session = undefined;
      if (!this.#hasToldLoss) {
        const detail =
          "the connection was lost, with transaction and settings; the next one is new";
        throw new SluiceError("run this", "transient", detail);
      }
    }
    this.#hasToldLoss = false;
    return this.#session ??= await this.tools.connect();
  }

  /** True: a person has asked for what runs to be given up. */
  get isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Told before each thing that a person asks for. */
  begin(): void {
    this.#stop = new AbortController();
  }

  /** Gives up what runs. */
  interrupt(): void {
    this.#stop.abort();
    // Whether the server hears it or not, the statement comes to an end and tells.
    this.#session?.cancel().catch(() => {});
  }

  /** Waits, unless it is interrupted. */
  async wait(ms: number): Promise<void> {
    await this.tools.world.sleep(ms, this.#stop.signal);
  }

  /**
   * Runs one statement and prints its result; then the time, when that is wanted.
   *
   * @throws {SluiceError} as the server does.
   */
  async run(sql: string, wish: Wish = {}): Promise<Outcome> {
    const { output, mayWrite, world } = this.tools;
    const session = await this.session();
    const style = this.tools.style();
    const writer = await writerOf({
      ...style,
      chart: wish.chart ?? style.chart,
      isExpanded: wish.isExpanded ?? this.isExpanded,
    }, output);
    const begun = world.monotonicMs();
    const isStopped = () => this.isStopped;
    const outcome = await runStatement(sql, { session, output, writer, mayWrite, isStopped })
      .catch((thrown) => {
        this.#hasToldLoss = session.isBroken;
        throw thrown;
      });
    if (style.isForPeople) {
      if (!outcome.hasColumns && outcome.tag !== "") await this.say(outcome.tag);
      if (!outcome.isWhole && outcome.rows === 0 && this.isStopped) await this.say("Cancelled");
    }
    if (this.isTiming) await this.say(timeText(world.monotonicMs() - begun));
    return outcome;
  }

  /** The result of a question to the catalogs. */
  async ask(sql: string): Promise<QueryResult> {
    return await (await this.session()).query(sql);
  }

  /** Prints a line. */
  async say(line: string): Promise<void> {
    await this.tools.output.write(`${line}\n`);
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }
}

/** `Time: 1.234 s`, `Time: 12.3 ms` */
function timeText(ms: number): string {
  return ms < 1_000 ? `Time: ${ms.toFixed(1)} ms` : `Time: ${(ms / 1_000).toFixed(3)} s`;
}
