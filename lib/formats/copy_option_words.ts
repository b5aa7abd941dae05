import { usageError } from "../core/errors.ts";

/** A word or a number as it stands, or a literal between single quotes as the server reads it. */
export interface CopyWord {
  readonly text: string;
  readonly isLiteral: boolean;
}

const words = /\s+|'((?:[^'\\]|''|\\[^])*)'|([^\s']+)/gy;

/**
 * Takes the text of COPY options apart.
 *
 * @throws {SluiceError} `usage` when a literal does not end. Its text is not told: it may be a key.
 */
export function copyWordsOf(text: string): CopyWord[] {
  const found: CopyWord[] = [];
  let end = 0;
  for (const match of text.matchAll(words)) {
    end = match.index + match[0].length;
    const [, literal, word] = match;
    if (literal !== undefined) found.push({ text: literalValue(literal), isLiteral: true });
    if (word !== undefined) found.push({ text: word.replace(/;$/, ""), isLiteral: false });
  }
  if (end < text.length) {
    const before = found.at(-1);
    const after = before && !before.isLiteral ? ` after ${before.text.toUpperCase()}` : "";
    throw usageError("read COPY options", `a literal${after} does not end: close it with '`);
  }
  return found;
}

const namedEscapes: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/**
 * What stands between the quotes, as Redshift reads it: `\t` is a tab, `\001` and `\x01` are bytes,
 * `''` is a quote; `\N` stays as it is, since it is what NULL AS names by default.
 */
function literalValue(inside: string): string {
  return inside.replace(
    /''|\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|[^])/g,
    (all, escaped: string | undefined) => {
      if (escaped === undefined) return "'";
      if (/^[0-7]/.test(escaped)) return String.fromCharCode(parseInt(escaped, 8) & 0xff);
      if (/^x./.test(escaped)) return String.fromCharCode(parseInt(escaped.slice(1), 16));
      return escaped === "N" ? all : namedEscapes[escaped] ?? escaped;
    },
  );
}
