import { usageError } from "../core/errors.ts";
import type { WarehouseKind } from "../clients/warehouse/warehouse.ts";

/** What makes every transaction of a session one that reads; null where the server cannot. */
export function readOnlySql(kind: WarehouseKind): string | null {
  return kind === "redshift" ? null : "SET default_transaction_read_only = on";
}

/** Words that begin a statement which changes nothing but the session itself. */
const reading = [
  ...["select", "with", "values", "table", "show", "explain", "describe"],
  ...["set", "reset", "begin", "start", "commit", "end", "rollback", "abort"],
  ...["declare", "fetch", "close", "prepare", "deallocate", "use"],
];

/** What a quote, a comment or a `$tag$` text may hide; `''` in a literal is two of them, side by side. */
const hidden = /'(?:[^'\\]|\\[^])*'|"[^"]*"|--[^\n]*|\/\*[^]*?\*\/|\$(\w*)\$[^]*?\$\1\$/g;

/**
 * Looks at a statement for a server that cannot hold itself to reading: Redshift knows no transactions
 * that only read. Cautious: what does not surely read is refused.
 *
 * @throws {SluiceError} `usage` for one that writes, or may.
 */
export function refuseWriting(sql: string): void {
  const words = wordsOf(sql);
  const [first = ""] = words;
  const tail = "Redshift cannot hold a session to reading; give --write if it is meant";
  if (!reading.includes(first)) {
    throw usageError(`run ${first.toUpperCase() || "this"} without --write`, tail);
  }
  // SELECT ... INTO makes a table; EXPLAIN and PREPARE of something that writes do not, or not yet.
  if (first !== "explain" && words.includes("into")) {
    throw usageError("run SELECT ... INTO without --write", tail);
  }
  if (first === "prepare" && !words.slice(1).some((one) => one === "select" || one === "with")) {
    throw usageError("run PREPARE without --write", tail);
  }
}

/** The words of a statement in small letters, without those in quotes and comments. */
function wordsOf(sql: string): readonly string[] {
  const bare = sql.replace(hidden, " ");
  return bare.toLowerCase().match(/[\p{L}_][\p{L}\p{N}_$]*/gu) ?? [];
}

/** Whether a statement asks for rows and can do nothing else: it may be run again, or by COPY. */
export function isPlainQuery(sql: string): boolean {
  const words = wordsOf(sql);
  return ["select", "with", "values", "table"].includes(words[0] ?? "") &&
    !words.some((one) => ["into", "insert", "update", "delete", "merge"].includes(one));
}
