import { usageError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { Session, WarehouseKind } from "../clients/warehouse/warehouse.ts";
import { sqlTokens } from "./sql_tokens.ts";

/**
 * How nothing is changed. Words decide first: what does not surely read is not sent. Then each
 * statement runs in a transaction that the server holds to reading: one of ours, or the person's own,
 * which is made so before each statement. PostgreSQL lets nobody out of one in which a query has run,
 * so that no SET, no function and no word that we have misread can; and as a statement is sent alone,
 * none can hide behind it. What is left is what functions do outside of the database.
 */
const reading = new Set([
  ...["select", "with", "values", "table", "show", "explain", "set", "reset"],
  ...["begin", "start", "commit", "end", "rollback", "abort", "declare", "fetch", "close"],
]);
const onPostgres = new Set([
  ...["move", "savepoint", "release", "prepare", "execute", "deallocate", "copy"],
]);
const onRedshift = new Set(["use", "describe"]);

/** Words that begin or end a transaction. */
const controlling = new Set(["begin", "start", "commit", "end", "rollback", "abort"]);

/** Words that are no slip of the pen for one that reads. */
const changing = new Set([
  ...["insert", "update", "delete", "merge", "truncate", "create", "alter", "drop", "grant"],
  ...["revoke", "copy", "call", "do", "vacuum", "analyze", "reindex", "cluster", "refresh", "lock"],
  ...["comment", "notify", "listen", "load", "discard", "reassign", "security", "unload", "import"],
]);

const writing = ["insert", "update", "delete", "merge"];

/**
 * Looks at a statement by its words. Cautious: what does not surely read is refused.
 *
 * @throws {SluiceError} `usage` for one that writes, or may.
 */
export function refuseWriting(sql: string, kind: WarehouseKind): void {
  // Whichever way the server reads backslashes, there must be nothing in it.
  for (const hasBackslashes of [false, true]) {
    const what = writingIn(wordsOf(sql, hasBackslashes), kind);
    if (what === undefined) continue;
    const near = nearest(what.toLowerCase(), [...reading]);
    const detail = near !== undefined && !changing.has(what.toLowerCase())
      ? `it is not known to only read; did you mean ${near.toUpperCase()}? Or give --write`
      : "it may change something, and only reading is allowed; give --write if it is meant";
    throw usageError(`run ${what}`, detail);
  }
}

/** What in a statement does more than to read; undefined when nothing does. */
function writingIn({ all, outer }: Words, kind: WarehouseKind): string | undefined {
  const [first = ""] = all;
  const more = kind === "redshift" ? onRedshift : onPostgres;
  if (!reading.has(first) && !more.has(first)) return first.toUpperCase() || "this";
  const has = (...row: string[]) =>
    all.some((_, i) => row.every((one, step) => all[i + step] === one));
  if (first !== "explain" && has("into")) return "SELECT ... INTO";
  if (controlling.has(first) || first === "set") {
    if (has("read", "write")) return `${first.toUpperCase()} ... READ WRITE`;
    if (has("prepared")) return `${first.toUpperCase()} PREPARED`;
    const setting = ["default_transaction_read_only", "transaction_read_only"].find((one) =>
      has(one)
    );
    if (setting !== undefined) return `SET ${setting}`;
  }
  if (first === "prepare" && has("prepare", "transaction")) return "PREPARE TRANSACTION";
  // Not what stands within the brackets of COPY: a column may have any name.
  const toStdout = outer.some((one, i) => one === "to" && outer[i + 1] === "stdout");
  if (first === "copy" && (!toStdout || outer.includes("program"))) return "COPY";
  // On Redshift no server stands behind this one: WITH can also begin these.
  if (kind === "redshift" && first === "with") {
    const found = writing.find((one) => has(one));
    if (found !== undefined) return `WITH ... ${found.toUpperCase()}`;
  }
  return undefined;
}

/**
 * Runs a statement, which {@linkcode refuseWriting} has let pass, in a transaction that only reads.
 *
 * @param act runs what it is given.
 * @throws {SluiceError} as `act` and the session do.
 */
export async function readOnly<T>(
  session: Session,
  sql: string,
  act: (sql: string) => Promise<T>,
): Promise<T> {
  const [first = ""] = wordsOf(sql, false).all;
  const isRedshift = session.kind === "redshift";
  if (controlling.has(first)) {
    // Redshift has no SET TRANSACTION by which it could be made so afterwards.
    return await act(isRedshift && (first === "begin" || first === "start") ? beginReading : sql);
  }
  // The query behind it is what makes it final: from then on PostgreSQL refuses to change it.
  if (session.transaction === "open" && !isRedshift) {
    await session.execute("SET TRANSACTION READ ONLY; SELECT 1");
  }
  if (session.transaction !== "none") return await act(sql);
  await session.execute(isRedshift ? beginReading : `${beginReading}; SELECT 1`);
  try {
    return await act(sql);
  } finally {
    if (!session.isBroken) await session.execute(endOf(session));
  }
}

/** Redshift has it, too, though nothing by which all transactions of a session would be so. */
const beginReading = "BEGIN READ ONLY";

/** Not always ROLLBACK: what SET has set has to stay. */
function endOf({ transaction }: Session): string {
  return transaction === "failed" ? "ROLLBACK" : "COMMIT";
}

interface Words {
  readonly all: readonly string[];
  /** Those outside of brackets. */
  readonly outer: readonly string[];
  /** Each bracket closes one, and each one is closed, as is each quote. */
  readonly isBalanced: boolean;
}

/** The words of a statement in small letters, without those in quotes and comments. */
function wordsOf(sql: string, hasBackslashes: boolean): Words {
  const all: string[] = [];
  const outer: string[] = [];
  let depth = 0;
  let isBalanced = true;
  for (const { type, from, to, open } of sqlTokens(sql, hasBackslashes)) {
    if (open) isBalanced = false;
    if (type === "word") {
      const text = sql.slice(from, to).toLowerCase();
      all.push(text);
      if (depth === 0) outer.push(text);
    }
    if (type !== "other") continue;
    if (sql[from] === "(") depth++;
    if (sql[from] === ")" && --depth < 0) isBalanced = false;
  }
  return { all, outer, isBalanced: isBalanced && depth === 0 };
}

/**
 * Whether a statement asks for rows and can do nothing else, so that it may be run again; and stays
 * within brackets when it is put into them, as COPY does.
 */
export function isPlainQuery(sql: string): boolean {
  return [false, true].every((hasBackslashes) => {
    const { all, isBalanced } = wordsOf(sql, hasBackslashes);
    return isBalanced && ["select", "with", "values", "table"].includes(all[0] ?? "") &&
      !["into", ...writing].some((one) => all.includes(one));
  });
}
