import type { StoredObject } from "../clients/store/store.ts";
import type { Manifest } from "./manifest.ts";
import { isDataFile } from "./manifest.ts";
import type { Unit } from "./scan.ts";

/** What is known of one directory between two passes. */
export class Watch {
  manifest: Manifest | null = null;
  manifestEtag = "";
  /** Files of the last pass that are in the target: kept, or their delete has failed. */
  done: ReadonlySet<string> = new Set();
  /** Why it is not being loaded; null when all is well. */
  trouble: string | null = null;
  /** Failures in a row. */
  failures = 0;
  /** By the monotonic clock: not to be tried before, unless its manifest changes. */
  notBeforeMs = 0;
  isBusy = false;
  /** When the oldest file that waits was put, by the wall clock; null when none waits. */
  oldestMs: number | null = null;

  constructor(readonly directory: string) {}

  /** Whether there is something to do, as far as can be told without reading the manifest. */
  isDue(unit: Unit, nowMs: number, keep: boolean): boolean {
    if (this.isBusy) return false;
    if (this.manifest === null || this.manifestEtag !== unit.manifest.etag) {
      return unit.manifest.etag !== this.manifestEtag || nowMs >= this.notBeforeMs;
    }
    if (nowMs < this.notBeforeMs) return false;
    const { waiting, loaded } = this.parted(unit);
    return waiting.length > 0 || (!keep && loaded.length > 0);
  }

  /** The data files of a unit: those to load, and those that are loaded already. */
  parted(unit: Unit): { waiting: StoredObject[]; loaded: StoredObject[] } {
    const { manifest } = this;
    const files = manifest === null
      ? []
      : unit.files.filter(({ key }) => isDataFile(manifest, key));
    const waiting = files.filter((file) => !this.done.has(markOf(file)));
    const loaded = files.filter((file) => this.done.has(markOf(file)));
    this.oldestMs = waiting.length === 0
      ? null
      : waiting.reduce((least, one) => Math.min(least, one.modifiedMs), Infinity);
    return { waiting, loaded };
  }
}

/** What tells a file from another one under the same key. */
export function markOf({ key, etag }: StoredObject): string {
  return `${etag} ${key}`;
}
