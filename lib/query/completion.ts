import { visible } from "../core/visible.ts";
import { metaNames } from "./meta.ts";

/** What completion knows of the database. */
export interface KnownTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
  /** Found without its schema. */
  readonly isVisible: boolean;
}

const keywords = (
  "ALL ALTER ANALYZE AND AS ASC BEGIN BETWEEN BY CASE CAST COMMIT COPY COUNT CREATE CROSS " +
  "CURRENT_DATE CURRENT_TIMESTAMP DELETE DESC DISTINCT DROP ELSE END EXCEPT EXISTS EXPLAIN EXTRACT " +
  "FALSE FROM FULL GROUP HAVING ILIKE IN INNER INSERT INTERSECT INTERVAL INTO IS JOIN LEFT LIKE " +
  "LIMIT NOT NULL OFFSET ON OR ORDER OUTER OVER PARTITION RIGHT ROLLBACK ROW_NUMBER SELECT SET " +
  "SHOW SUM TABLE THEN TRUE TRUNCATE UNION UNLOAD UPDATE USING VACUUM VALUES VIEW WHEN WHERE WITH"
).split(" ");

/** What can stand at the end of a text. */
export interface Completion {
  readonly candidates: readonly string[];
  /** The end of the text that a candidate replaces. */
  readonly partial: string;
}

/**
 * Completes the end of what was typed: tables where a table has to stand, otherwise columns of the
 * tables that the statement names, keywords, tables.
 *
 * @param statement what was typed in the lines before, and this one up to the cursor.
 */
export function complete(statement: string, tables: readonly KnownTable[]): Completion {
  const meta = /(?:^|\s)(\\[\w?-]*)$/.exec(statement);
  if (meta) return offer(metaNames, meta[1] ?? "");
  const partial = /(?:"[^"]*|[\p{L}\p{N}_$.]*)$/u.exec(statement)?.[0] ?? "";
  const before = statement.slice(0, statement.length - partial.length);
  const wantsTable =
    /(?:\b(?:from|join|into|update|table|analyze|vacuum|copy)|\\dt?)\s+(?:only\s+)?$/i
      .test(before) || /\bfrom\s+[\w".]+(?:\s+\w+)?\s*,\s*$/i.test(before);
  if (wantsTable) return offer(tableNames(tables), partial);
  const dot = partial.lastIndexOf(".");
  if (dot >= 0) return columnsBehind(statement, partial, dot, tables);
  if (partial === "") return { candidates: [], partial };
  const named = tables.filter(({ name }) => mentions(statement, name));
  const columns = named.flatMap((table) => table.columns).map(quoted);
  return offer([...columns, ...casedLike(partial, keywords), ...tableNames(tables)], partial);
}

/** `orders.to`, `o.to` where `o` stands for orders, `sales.ord`. */
function columnsBehind(
  statement: string,
  partial: string,
  dot: number,
  tables: readonly KnownTable[],
): Completion {
  const owner = partial.slice(0, dot);
  const bare = owner.replaceAll('"', "");
  const alias = new RegExp(`([\\w".]+)\\s+(?:as\\s+)?${bare.replace(/\W/g, "\\$&")}\\b`, "iu")
    .exec(statement)?.[1]?.replaceAll('"', "").toLowerCase();
  const columns = tables.filter(({ schema, name }) =>
    [name, `${schema}.${name}`].some((one) => one === bare || one.toLowerCase() === alias)
  ).flatMap((table) => table.columns);
  const inSchema = tables.filter(({ schema }) => schema === bare).map(({ name }) => name);
  return offer([...columns, ...inSchema].map((name) => `${owner}.${quoted(name)}`), partial);
}

function tableNames(tables: readonly KnownTable[]): string[] {
  return tables.map(({ schema, name, isVisible }) =>
    isVisible ? quoted(name) : `${quoted(schema)}.${quoted(name)}`
  );
}

function mentions(statement: string, name: string): boolean {
  return statement.toLowerCase().includes(name.toLowerCase());
}

/** Small letters for who types small letters. */
function casedLike(partial: string, words: readonly string[]): readonly string[] {
  return partial === partial.toLowerCase() ? words.map((word) => word.toLowerCase()) : words;
}

/** A name that needs quotes, with them. */
function quoted(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function offer(words: readonly string[], partial: string): Completion {
  const lower = partial.toLowerCase();
  const candidates = words.filter((word) =>
    // What could not be typed is not shown either: the line and the list go to the terminal as they are.
    (word.toLowerCase().startsWith(lower) || word.toLowerCase().startsWith(`"${lower}`)) &&
    visible(word) === word
  );
  return { candidates: [...new Set(candidates)].sort(), partial };
}
