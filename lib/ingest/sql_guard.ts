import { usageError } from "../core/errors.ts";
import { readSql, type SqlStatement } from "../formats/sql_words.ts";

const ending =
  /^(BEGIN(?! ATOMIC)|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT|PREPARE TRANSACTION)\b/;

/** TRUNCATE and VACUUM commit on Redshift; on PostgreSQL VACUUM is refused by the server. */
const endingOnRedshift = /^(TRUNCATE|VACUUM)\b/;

/**
 * Refuses SQL of a manifest that would end the transaction of the load, and with it exactly-once. What
 * a procedure or a DO block does is left to the server: within a transaction it lets none commit.
 *
 * @throws {SluiceError} `usage` with the statement's word.
 */
export function refuseEnding(key: string, texts: readonly string[], isRedshift: boolean): void {
  for (const text of texts) {
    for (const { words } of statementsOf(key, text, isRedshift)) {
      const beginning = words.slice(0, 2).join(" ");
      const word = ending.exec(beginning)?.[1] ??
        (isRedshift ? endingOnRedshift.exec(beginning)?.[1] : undefined);
      if (word === undefined) continue;
      const detail = `${word} ends the transaction of the load; leave it out` +
        (word === "TRUNCATE" ? " or write DELETE FROM" : "");
      throw usageError(`use ${key} of the manifest`, detail);
    }
  }
}

/**
 * Refuses a staging-select that is more than one query: it becomes part of a statement of ours, and
 * what stands behind a semicolon would be run on its own.
 *
 * @throws {SluiceError} `usage` telling what it is instead.
 */
export function refuseNoSelect(text: string, isRedshift: boolean): void {
  const key = "staging-select";
  const [statement, ...others] = statementsOf(key, text, isRedshift);
  const action = `use ${key} of the manifest`;
  if (others.length > 0) {
    throw usageError(action, "it is more than one statement: give one SELECT");
  }
  const first = statement?.words.find((one) => one !== "(");
  if (first === undefined || !/^(SELECT|WITH|VALUES|TABLE)$/.test(first)) {
    throw usageError(action, `it begins with ${first ?? "nothing"}: give one SELECT`);
  }
}

function statementsOf(key: string, text: string, isRedshift: boolean): readonly SqlStatement[] {
  const { statements, open } = readSql(text, isRedshift ? "redshift" : "postgres");
  if (open === null) return statements;
  throw usageError(`use ${key} of the manifest`, `${open} is not closed`);
}
