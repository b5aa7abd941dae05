import assert from "node:assert/strict";
import { copyDelimiterOf } from "../../lib/formats/copy_clause.ts";
import { parseCopyOptions } from "../../lib/formats/copy_options.ts";
import { openRewriter } from "../../lib/formats/copy_rewriter.ts";
import type { RowFaults } from "../../lib/formats/row_faults.ts";
import { targetColumnOf } from "../../lib/formats/target_column.ts";

export type TextRow = (string | null)[];

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads COPY text the plain way, as PostgreSQL's manual tells it. */
export function readCopyText(bytes: Uint8Array, delimiter: string): TextRow[] {
  const text = decoder.decode(bytes);
  if (text === "") return [];
  assert.ok(text.endsWith("\n"), "the last line has no line feed");
  return text.slice(0, -1).split("\n").map((line) => {
    assert.notEqual(line, "\\.", "the line that ends the data");
    const fields = [""];
    for (let i = 0; i < line.length; i++) {
      const char = line[i] ?? "";
      if (char === delimiter) fields.push("");
      else if (char === "\\") fields[fields.length - 1] += `\\${line[++i] ?? ""}`;
      else fields[fields.length - 1] += char;
    }
    const letters: Record<string, string> = {
      n: "\n",
      r: "\r",
      t: "\t",
      b: "\b",
      f: "\f",
      v: "\v",
    };
    return fields.map((field) =>
      field === "\\N" ? null : field.replace(/\\([^])/g, (_, c: string) => letters[c] ?? c)
    );
  });
}

/** What a file becomes by the rewriter, handed over in pieces. */
export function rewrite(
  options: readonly string[],
  types: readonly string[],
  pieces: readonly Uint8Array[],
  findRow?: number,
): { rows: TextRow[]; faults: RowFaults; count: number } {
  const parsed = parseCopyOptions(options);
  const columns = types.map((type, i) => targetColumnOf({ name: `c${i}`, type }));
  const rewriter = openRewriter({
    options: parsed,
    columns,
    ...(findRow === undefined ? {} : { findRows: [findRow] }),
  });
  const written: Uint8Array[] = [];
  for (const piece of pieces) {
    const lent = piece.slice();
    written.push(rewriter.push(lent).slice());
    lent.fill(0xee);
  }
  written.push(rewriter.finish().slice());
  const all = new Uint8Array(written.reduce((sum, { length }) => sum + length, 0));
  written.reduce((at, bytes) => (all.set(bytes, at), at + bytes.length), 0);
  const rows = readCopyText(all, copyDelimiterOf(parsed));
  assert.equal(rewriter.rows, rows.length);
  return { rows, faults: rewriter.faults, count: rewriter.rows };
}

/** The bytes in one piece, in two cut at every place, and byte by byte. */
export function* everyCut(file: string | Uint8Array): Generator<Uint8Array[]> {
  const bytes = typeof file === "string" ? encoder.encode(file) : file;
  yield [bytes];
  for (let cut = 1; cut < bytes.length; cut++) yield [bytes.subarray(0, cut), bytes.subarray(cut)];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
}
