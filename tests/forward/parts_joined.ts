import assert from "node:assert/strict";
import type { SeenRecord } from "./rig.ts";

/** What stands for the record's text when its parts are joined: the whole value unless told. */
type TextOf = (record: SeenRecord) => string;

/**
 * Joins the parts of one message by the header `sluice-part` alone, in whatever order they came, as
 * whoever reads the topic would: `1`, `2`, `3/3`, each of which may be two again: `2.1`, `2.2/2`.
 */
export function joinParts(
  records: readonly SeenRecord[],
  textOf: TextOf = ({ value }) => value,
): string {
  const named = new Map(records.map((one) => [one.headers["sluice-part"] ?? "", textOf(one)]));
  assert.equal(named.size, records.length, `names are not unique: ${[...named.keys()]}`);
  const names = [...named.keys()].sort(byNumbers);
  assertComplete("", names);
  return names.map((name) => named.get(name)).join("");
}

const numbersOf = (name: string) => name.split(".").map((level) => Number.parseInt(level));

function byNumbers(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  const at = left.findIndex((number, i) => number !== right[i]);
  return at < 0 ? left.length - right.length : (left[at] ?? 0) - (right[at] ?? 0);
}

/** Every level counts from 1 and its last says how many there are. */
function assertComplete(prefix: string, names: readonly string[]): void {
  const levels = new Map<string, string[]>();
  for (const name of names) {
    const [first = "", ...rest] = name.split(".");
    levels.set(first, [...levels.get(first) ?? [], ...(rest.length > 0 ? [rest.join(".")] : [])]);
  }
  const seen = [...levels.keys()];
  if (seen.length === 1 && seen[0] === "") return;
  const wanted = seen.map((_, i) => i + 1 < seen.length ? `${i + 1}` : `${i + 1}/${i + 1}`);
  assert.deepEqual(seen, wanted, `parts under "${prefix}"`);
  for (const [name, below] of levels) if (below.length > 0) assertComplete(name, below);
}
