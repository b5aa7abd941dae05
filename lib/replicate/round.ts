import { crashPoint } from "../clients/crash_point.ts";
import { reasonOf, SluiceError } from "../core/errors.ts";
import { Machine, retryTransient, type Unfinished } from "../core/machine.ts";
import type { World } from "../core/world.ts";
import { advance } from "./advance.ts";
import { chooseTables, type Chosen } from "./choosing.ts";
import { type Context, temporaryOf } from "./configurations.ts";
import { foreignKeyPatch } from "./constraints.ts";
import { newWatch } from "./job_watch.ts";
import { partitionOf } from "./moves.ts";
import { patiently } from "./patience.ts";
import { Performer, type PerformerTools } from "./performer.ts";
import { cleanLeftovers } from "./leftovers.ts";
import { failure, type Outcome } from "./report.ts";
import { requestOf } from "./requests.ts";
import {
  type Group,
  type Stage,
  stageOf,
  type TableEnd,
  type TableState,
  type Work,
} from "./states.ts";
import type { Candidate } from "./table_choice.ts";

/** Whoever wants to know how a run gets on. */
export interface Listener {
  /** A table has come to another stage; a partition is named as `TABLE$PARTITION`. */
  reached(name: string, stage: Stage): void;
  /** A table waits after a failure. */
  failing(name: string, stage: Stage, error: unknown): void;
  /** A partition is done, well or not. */
  partitionEnded(name: string): void;
  ended(outcome: Outcome): void;
}

/** Copies the chosen tables, so many at a time, and tells how each came out. */
export class Round {
  readonly #machine: Machine<Work, TableState, TableEnd>;
  readonly #performer: Performer;
  readonly #world: World;
  readonly #context: Context;
  readonly #begunMs = new Map<Work, number>();
  /** Tables whose foreign keys are still to come. */
  readonly #withKeys: { readonly tableId: string; readonly patch: Record<string, unknown> }[] = [];

  constructor(private readonly tools: PerformerTools, private readonly listener: Listener) {
    this.#world = tools.world;
    this.#context = tools.context;
    this.#performer = new Performer(tools);
    this.#machine = new Machine(this.#context.settings.agents, this.#world, {
      step: (work, state) => this.#step(work, state),
      retryMs: (failed, work) => {
        const { patienceMs } = this.#context.settings;
        const pauseMs = retryTransient(failed, patienceMs, this.#world.random());
        if (pauseMs !== null) {
          this.listener.failing(work.source.tableId, stageOf(failed.state), failed.error);
        }
        return pauseMs;
      },
      ended: (work, end) => this.#ended(work, end),
      unfinished: (work, end) => this.#unfinished(work, end),
    });
  }

  /** Tables that are being worked on. */
  get underWay(): number {
    return this.#machine.underWay;
  }

  /** Tables that are not done. */
  get left(): number {
    return this.#machine.left;
  }

  /** Looks what there is to do. Transient faults are tried again for as long as patience lasts. */
  async choose(signal: AbortSignal): Promise<Chosen> {
    return await this.#patiently(
      "list the datasets",
      signal,
      () =>
        chooseTables(this.tools.client, this.#context.settings, this.#context, this.#world.nowMs()),
    );
  }

  /** Copies; after a first `stop` what was begun is finished, and no more. */
  async run(chosen: Pick<Chosen, "tables" | "probes">, stop: AbortSignal): Promise<void> {
    for (const candidate of chosen.tables) this.#add(candidate, false);
    for (const candidate of chosen.probes) this.#add(candidate, true);
    await this.#machine.run(stop);
    await this.#setForeignKeys(stop);
  }

  /** Deletes what earlier runs have staged and nobody needs; see {@linkcode cleanLeftovers}. */
  async clean(
    { destinations }: Pick<Chosen, "destinations">,
    all: boolean,
    signal: AbortSignal,
  ): Promise<{ readonly objects: number; readonly tables: number }> {
    return await this.#patiently(
      "clean up after earlier runs",
      signal,
      () => cleanLeftovers(this.#performer, this.tools, destinations, all),
    );
  }

  #patiently<T>(what: string, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
    return patiently(this.#world, this.#context.settings, what, signal, act);
  }

  #add(candidate: Candidate, isProbe: boolean): void {
    const { settings } = this.#context;
    const { tableId } = candidate;
    const work: Work = {
      candidate,
      source: { ...settings.source, tableId },
      destination: { ...settings.destination, tableId },
      group: null,
      isProbe,
    };
    this.#machine.add(work, { at: "planned", restarts: 0, isOurs: false, isByFiles: false });
  }

  async #step(work: Work, state: TableState) {
    if (!this.#begunMs.has(work)) {
      this.#begunMs.set(work, this.#world.monotonicMs());
      if (!work.isProbe) this.listener.reached(work.source.tableId, stageOf(state));
    }
    const answer = await this.#performer.perform(work, requestOf(work, state, this.#context));
    crashPoint(`after-${state.at}`);
    const move = advance(work, state, answer, this.#context);
    if ("to" in move && stageOf(move.to) !== stageOf(state)) {
      this.listener.reached(work.source.tableId, stageOf(move.to));
    }
    return move;
  }

  #ended(work: Work, end: TableEnd): void {
    if (end.is === "split") return this.#split(end.group);
    if (work.group !== null) {
      const error = end.is === "placed" ? null : errorOf(work, end);
      return this.#partitionEnded(work, work.group, error);
    }
    const name = work.source.tableId;
    const told = { name, kind: "table" as const, ms: this.#msOf(work) };
    switch (end.is) {
      case "copied": {
        const { way, rows, bytes, notes, source } = end.result;
        const patch = foreignKeyPatch(source.tableConstraints, this.#context);
        if (patch !== null) this.#withKeys.push({ tableId: name, patch });
        return this.listener.ended({ ...told, is: "copied", way, rows, bytes, notes });
      }
      case "refused":
        return this.listener.ended({ ...told, is: "refused", reason: end.reason });
      case "unchanged":
        if (work.isProbe) return;
        return this.listener.ended({ ...told, is: "unchanged" });
      case "failed":
        return this.listener.ended(failure(name, "table", told.ms, end.error));
      case "placed":
        return;
    }
  }

  #unfinished(work: Work, end: Unfinished<TableState>): void {
    const error = end.error ?? null;
    if (work.group !== null) {
      if (end.why === "stopped") work.group.progress.isStopped = true;
      const why = error instanceof SluiceError ? error : unknownError(work, error);
      return this.#partitionEnded(work, work.group, end.why === "stopped" ? null : why);
    }
    // A table that is there already is no failure if it could not be looked at.
    if (work.isProbe && end.state.at === "planned") return;
    const name = work.source.tableId;
    const ms = this.#msOf(work);
    if (end.why === "stopped" && error === null) {
      return this.listener.ended({ name, kind: "table", ms, is: "stopped" });
    }
    this.listener.ended(failure(name, "table", ms, error));
  }

  #msOf(work: Work): number {
    const nowMs = this.#world.monotonicMs();
    const begunMs = this.#begunMs.get(work) ?? nowMs;
    this.#begunMs.delete(work);
    return nowMs - begunMs;
  }

  /** Each partition becomes a unit; the last one that ends lets the table go on. */
  #split(group: Group): void {
    const { work, known, target, rows } = group;
    if (rows.size === 0) return this.#partitionsDone(group);
    const job = newWatch(known.firstGeneration);
    const base = { ...known, replaces: true, isSplit: false, litter: [] };
    const into = target === "temporary"
      ? temporaryOf(work, known, this.#context)
      : work.destination;
    for (const partitionId of rows.keys()) {
      const part: Work = {
        candidate: work.candidate,
        source: { ...work.source, tableId: `${work.source.tableId}$${partitionId}` },
        destination: { ...into, tableId: `${into.tableId}$${partitionId}` },
        group,
        isProbe: false,
      };
      const at = known.way === "copy" ? "copying" as const : "extracting" as const;
      this.#machine.add(part, { at, known: base, job });
    }
  }

  #partitionEnded(work: Work, group: Group, error: SluiceError | null): void {
    this.#begunMs.delete(work);
    this.listener.partitionEnded(work.source.tableId);
    const { progress } = group;
    progress.left--;
    if (error !== null) progress.failed.push({ partition: partitionOf(work), error });
    if (progress.left === 0) this.#partitionsDone(group);
  }

  #partitionsDone({ work, known, target, rows, progress: { failed, isStopped } }: Group): void {
    const [first] = failed;
    if (isStopped) {
      const name = work.source.tableId;
      return this.listener.ended({ name, kind: "table", ms: this.#msOf(work), is: "stopped" });
    }
    if (first !== undefined) {
      const error = new SluiceError(
        `copy table ${work.source.tableId}`,
        first.error.fault,
        `${failed.length} of its ${rows.size} partitions failed, the first ${first.partition}: ` +
          first.error.message,
        { cause: first.error },
      );
      return this.listener.ended(failure(work.source.tableId, "table", this.#msOf(work), error));
    }
    if (target === "temporary") {
      const job = newWatch(known.firstGeneration);
      return this.#machine.add(work, { at: "placing", known, job });
    }
    const wrote = { rows: null, run: "", folders: [] };
    const isCompared = this.#context.settings.verify === "fingerprint";
    this.#machine.add(work, { at: isCompared ? "rechecking" : "marking", known, wrote });
  }

  /** Once all tables are there; one that it does not work for is told of, and is whole all the same. */
  async #setForeignKeys(stop: AbortSignal): Promise<void> {
    const { projectId, datasetId } = this.#context.destination;
    for (const { tableId, patch } of this.#withKeys) {
      try {
        await this.#patiently(
          "set the foreign keys",
          stop,
          () => this.tools.client.patchTable({ projectId, datasetId, tableId }, patch),
        );
      } catch (thrown) {
        const error = new SluiceError(
          `set the foreign keys of ${tableId}`,
          thrown instanceof SluiceError ? thrown.fault : "permanent",
          thrown instanceof SluiceError ? thrown.detail : String(thrown),
          { cause: thrown },
        );
        this.listener.ended(failure(tableId, "table", 0, error));
      }
    }
  }
}

function errorOf(work: Work, end: TableEnd): SluiceError {
  if (end.is === "failed") return end.error;
  return new SluiceError(`copy ${work.source.tableId}`, "permanent", "it came to no end");
}

function unknownError(work: Work, thrown: unknown): SluiceError {
  const action = `copy ${work.source.tableId}`;
  return new SluiceError(action, "permanent", reasonOf(thrown), { cause: thrown });
}
