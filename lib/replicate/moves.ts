import { SluiceError } from "../core/errors.ts";
import type { Context } from "./configurations.ts";
import { newWatch } from "./job_watch.ts";
import type { Answer, Known, Move, TableEnd, Work, Wrote } from "./states.ts";

/** The clocks of the two services that tell moments need not be one. */
const clocksMs = 60_000;

/**
 * Whether that moment is not after the other one, both in milliseconds as texts. It is taken to be so
 * when one of them is not told.
 */
export function isUntil(ms: string | undefined, otherMs: string | null | undefined): boolean {
  return !(Number(ms ?? NaN) > Number(otherMs ?? NaN) + clocksMs);
}

/** How often a table is begun anew because its source changed in between. */
const restartsMost = 3;

/** The rows are in the destination: they are counted first, then hashed if that is wanted. */
export function afterWriting(
  work: Work,
  known: Known,
  wrote: Wrote,
  { settings }: Context,
): Move {
  const expected = work.group === null
    ? known.source.numRows
    : work.group.rows.get(partitionOf(work));
  if (wrote.rows !== null && expected !== undefined && wrote.rows !== expected) {
    const why = miscounted(work, known, wrote.rows, expected);
    if (work.group !== null) {
      return finish(known, wrote.folders, { is: "failed", error: why });
    }
    return { to: { at: "spoiling", known, wrote, why } };
  }
  if (work.group !== null) return finish(known, wrote.folders, { is: "placed" });
  if (settings.verify === "fingerprint") {
    const jobs = [newWatch(0), newWatch(0)] as const;
    return { to: { at: "printing", known, wrote, jobs, done: 0 } };
  }
  return { to: { at: "marking", known, wrote } };
}

/** The copy is not whole. */
export function miscounted(work: Work, known: Known, rows: string, expected: string): SluiceError {
  const buffer = known.source.streamingBuffer === undefined
    ? ""
    : "; rows in its streaming buffer may be the reason: run it again when it is empty";
  return new SluiceError(
    `copy table ${work.source.tableId}`,
    "permanent",
    `the copy has ${rows} rows and the source ${expected}${buffer}`,
  );
}

/** The end of a table, once what it has left behind is cleaned up. */
export function finish(known: Known, folders: readonly string[], end: TableEnd): Move {
  return cleaned(known, folders, { end });
}

/** `then`, once what is left behind is cleaned up. */
function cleaned(known: Known, folders: readonly string[], then: Move): Move {
  const all = [...new Set([...known.litter, ...folders])];
  if (all.length === 0 && !known.isSplit) return then;
  return { to: { at: "cleaning", known, folders: all, then } };
}

/** Its source has changed: all over again, a few times. */
export function restart(
  work: Work,
  known: Known,
  folders: readonly string[],
  { isGone, isOurs }: { readonly isGone: boolean; readonly isOurs: boolean },
): Move {
  if (!isGone && known.restarts < restartsMost) {
    return cleaned(known, folders, {
      to: { at: "planned", restarts: known.restarts + 1, isOurs, isByFiles: false },
    });
  }
  const error = new SluiceError(
    `copy table ${work.candidate.tableId}`,
    "permanent",
    isGone
      ? "it was dropped while it was copied"
      : `it was changed each of the ${restartsMost + 1} times that it was copied; run it again ` +
        "when it rests",
  );
  return finish(known, folders, { is: "failed", error });
}

/** The end of a copy that came out well. */
export function copied(known: Known, way: Known["way"] | "create" | "partitions"): TableEnd {
  const { numRows = "0", numBytes = "0" } = known.source;
  const { source, notes } = known;
  return { is: "copied", result: { way, rows: numRows, bytes: numBytes, notes, source } };
}

/** The id of a partition unit's partition. */
export function partitionOf({ source: { tableId } }: Work): string {
  return tableId.slice(tableId.indexOf("$") + 1);
}

/** The answer that belongs to the request; any other is a defect. */
export function expect<K extends Answer["is"]>(
  answer: Answer,
  is: K,
): Extract<Answer, { readonly is: K }> {
  if (answer.is !== is) {
    if (answer.is === "refused") throw answer.error;
    throw new Error(`The answer is ${answer.is} where ${is} was asked for`);
  }
  return answer as Extract<Answer, { readonly is: K }>;
}
