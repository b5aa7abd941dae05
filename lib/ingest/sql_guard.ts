import { usageError } from "../core/errors.ts";

const quoted = /'(?:[^'\\]|''|\\[^])*'|"(?:[^"]|"")*"|\$(\w*)\$[^]*?\$\1\$|--[^\n]*|\/\*[^]*?\*\//g;

const ending =
  /(?:^|;)\s*(begin|start\s+transaction|commit|end|rollback|abort|prepare\s+transaction)\b/i;

/** TRUNCATE and VACUUM commit on Redshift; on PostgreSQL VACUUM is refused by the server. */
const endingOnRedshift = /(?:^|;)\s*(truncate|vacuum)\b/i;

/**
 * Refuses SQL of a manifest that would end the transaction of the load, and with it exactly-once.
 *
 * @throws {SluiceError} `usage` with the statement's word.
 */
export function refuseEnding(key: string, texts: readonly string[], isRedshift: boolean): void {
  for (const text of texts) {
    const bare = text.replace(quoted, " ");
    const word = ending.exec(bare)?.[1] ??
      (isRedshift ? endingOnRedshift.exec(bare)?.[1] : undefined);
    if (word === undefined) continue;
    const detail = `${word.toUpperCase()} ends the transaction of the load; leave it out` +
      (/truncate/i.test(word) ? " or write DELETE FROM" : "");
    throw usageError(`use ${key} of the manifest`, detail);
  }
}
