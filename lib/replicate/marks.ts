import { createHash } from "node:crypto";

/**
 * What a copy tells of itself in its labels:
 *
 * - `sluice_source`: a digest of the etag that the source had when its copying began;
 * - `sluice_modified`: when the source was last modified then, milliseconds since 1970-01-01 UTC;
 * - `sluice_run`: the id of the job that took the rows out of the source, which names the staged files;
 * - `sluice_state`: only while it is not finished: `loaded` (whole, but settings may be missing), `wrong`
 *   (it did not come out equal), `made` (empty still).
 *
 * There is no other record of what was copied: whoever drops the table, drops it with it.
 */
export interface Marks {
  readonly source: string | null;
  readonly modifiedMs: string | null;
  readonly run: string | null;
  readonly state: UnfinishedState | null;
}

export type UnfinishedState = "loaded" | "wrong" | "made";

const prefix = "sluice_";

/** Reads the marks from a table's labels. */
export function marksOf(labels: Readonly<Record<string, string>> | undefined): Marks {
  const of = (name: string) => labels?.[`${prefix}${name}`] ?? null;
  const state = of("state");
  return {
    source: of("source"),
    modifiedMs: of("modified"),
    run: of("run"),
    state: state === "loaded" || state === "wrong" || state === "made" ? state : null,
  };
}

/** The marks as labels; those that are null are left out. */
export function labelsOf(marks: Marks): Record<string, string> {
  const all = {
    source: marks.source,
    modified: marks.modifiedMs,
    run: marks.run,
    state: marks.state,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) =>
      value === null ? [] : [[`${prefix}${name}`, value]]
    ),
  );
}

/** The labels without marks: what belongs to the table itself. */
export function ownLabels(
  labels: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels ?? {}).filter(([name]) => !name.startsWith(prefix)),
  );
}

/** An etag as a label may hold it: letters of labels are small, and those of etags are not. */
export function etagMark(etag: string): string {
  return digest(etag).slice(0, 24);
}

/** SHA-256 of the parts as hexadecimal digits; no two lists of parts give the same text. */
export function digest(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
