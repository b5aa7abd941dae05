import type { StoredObject } from "../clients/store/store.ts";
import { backoffMs, type RetryPolicy } from "../core/retry.ts";
import type { Manifest } from "./manifest.ts";
import { isDataFile } from "./manifest.ts";
import type { Unit } from "./scan.ts";

/** What is known of one directory between two passes. */
export class Watch {
  manifest: Manifest | null = null;
  manifestEtag = "";
  /** Where its rows go, once the manifest was read: nobody else may load there at the same time. */
  table: string | null = null;
  /** Files that are in the target and stay (--keep). */
  done: ReadonlySet<string> = new Set();
  /** Files that are loaded or moved aside, and could not be deleted yet. */
  leftover: ReadonlySet<string> = new Set();
  /** Why it cannot be a unit of work as it is. */
  misfit: string | null = null;
  /** Its loads, and the deletes behind them: one may fail where the other goes on. */
  readonly loading = new Trouble();
  readonly deleting = new Trouble();
  /** It is worked on, or waits for its turn. */
  isBusy = false;
  /** It has its turn: it does not wait for it any more. */
  hasTurn = false;
  /** Files that wait to be loaded, as they were last seen. */
  waitingFiles = 0;
  /** When the oldest file that waits was put, by the wall clock; null when none waits. */
  oldestMs: number | null = null;

  constructor(readonly directory: string) {}

  /** Why something in it is not as it should be; empty when all is well. */
  get troubles(): string[] {
    return [this.misfit, this.loading.reason, this.deleting.reason].filter((one) => one !== null);
  }

  /** Whether its files are not loaded as they are. */
  get isBlocked(): boolean {
    return this.misfit !== null || this.loading.reason !== null;
  }

  /**
   * Takes note of the directory as it is now. A trouble passes when what it was about has gone.
   *
   * @returns whether there is something to do, as far as can be told without reading the manifest.
   */
  see(unit: Unit, nowMs: number): boolean {
    this.misfit = null;
    if (this.manifestEtag !== unit.manifest.etag) return true;
    if (this.manifest === null) return this.loading.isOver(nowMs);
    const { waiting, leftover } = this.parted(unit);
    if (waiting.length === 0) this.loading.pass();
    if (leftover.length === 0) this.deleting.pass();
    return (waiting.length > 0 && this.loading.isOver(nowMs)) ||
      (leftover.length > 0 && this.deleting.isOver(nowMs));
  }

  /** The data files of a unit: those to load, those that are kept, and those that are to go. */
  parted(unit: Unit): { waiting: StoredObject[]; kept: StoredObject[]; leftover: StoredObject[] } {
    const { manifest } = this;
    const waiting: StoredObject[] = [];
    const kept: StoredObject[] = [];
    const leftover: StoredObject[] = [];
    for (const file of unit.files) {
      const mark = markOf(file);
      // Deleted it is whatever data-pattern says by now.
      if (this.leftover.has(mark)) leftover.push(file);
      else if (manifest === null || !isDataFile(manifest, file.key)) continue;
      else (this.done.has(mark) ? kept : waiting).push(file);
    }
    this.waitingFiles = waiting.length;
    this.oldestMs = waiting.length === 0
      ? null
      : waiting.reduce((least, one) => Math.min(least, one.modifiedMs), Infinity);
    return { waiting, kept, leftover };
  }
}

/** Why something does not go on, and when it is to be tried again. */
export class Trouble {
  #reason: string | null = null;
  #failures = 0;
  /** By the monotonic clock. */
  #notBeforeMs = 0;

  get reason(): string | null {
    return this.#reason;
  }

  isOver(nowMs: number): boolean {
    return nowMs >= this.#notBeforeMs;
  }

  /**
   * Takes a failure down.
   *
   * @returns how long to wait before the next try, and whether the reason is a new one.
   */
  failed(
    reason: string,
    policy: RetryPolicy,
    nowMs: number,
    random: number,
  ): { readonly pauseMs: number; readonly isNew: boolean } {
    const pauseMs = backoffMs(policy, ++this.#failures, random);
    const isNew = reason !== this.#reason;
    this.#notBeforeMs = nowMs + pauseMs;
    this.#reason = reason;
    return { pauseMs, isNew };
  }

  /** The next try may begin; the reason stays. */
  retry(): void {
    this.#notBeforeMs = 0;
  }

  /** @returns whether there was one. */
  pass(): boolean {
    const was = this.#reason !== null;
    this.#reason = null;
    this.#failures = 0;
    this.#notBeforeMs = 0;
    return was;
  }
}

/** What tells a file from another one under the same key. */
export function markOf({ key, etag }: StoredObject): string {
  return `${etag} ${key}`;
}
