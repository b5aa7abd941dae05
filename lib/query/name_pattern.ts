import { usageError } from "../core/errors.ts";

/** Which tables are meant, as patterns of LIKE. */
export interface NamePattern {
  /** Null: those that are found without a schema. */
  readonly schema: string | null;
  readonly name: string;
  /** Whether there is a `*` or `?` in it: then several may be meant. */
  readonly isWild: boolean;
}

/** A part of a name: between double quotes as it is, otherwise in lower case and with wild cards. */
const part = /^(?:"((?:[^"]|"")*)"|([^".]*))(\.?)/;

/**
 * Reads what a person means: `orders`, `sales.orders`, `"Odd name"`, `sales.*`, `ord?r*`.
 *
 * @throws {SluiceError} `usage` when it is none of these.
 */
export function readNamePattern(text: string): NamePattern {
  const parts: string[] = [];
  let isWild = false;
  let rest = text.trim();
  for (let dot = "."; dot !== "";) {
    const found = part.exec(rest);
    const [whole = "", quoted, plain = ""] = found ?? [];
    dot = found?.[3] ?? "";
    rest = rest.slice(whole.length);
    if (quoted === undefined) isWild ||= /[*?]/.test(plain);
    parts.push(
      quoted === undefined
        ? escaped(plain.toLowerCase()).replaceAll("*", "%").replaceAll("?", "_")
        : escaped(quoted.replaceAll('""', '"')),
    );
  }
  const [first = "", second] = parts;
  if (rest !== "" || parts.length > 2 || parts.includes("")) {
    throw usageError(`look for "${text}"`, "give table, schema.table, or a part of one with *");
  }
  return second === undefined
    ? { schema: null, name: first, isWild }
    : { schema: first, name: second, isWild };
}

/** What LIKE would take for a wild card. */
function escaped(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}
