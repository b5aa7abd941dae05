import assert from "node:assert/strict";
import fc from "fast-check";
import { parseCopyOptions } from "../../lib/formats/copy_options.ts";
import { DelimitedReader } from "../../lib/formats/delimited.ts";
import { FixedTime } from "../../lib/formats/fixed_time.ts";
import { isoOf, readTimePattern } from "../../lib/formats/time_pattern.ts";
import { rewrite, type TextRow } from "../support/copy_text.ts";

const text2 = ["varchar(20)", "varchar(20)"];

/** Any rows, written the way other programs write CSV. */
const anyRows = fc.array(fc.array(fc.string({ unit: "grapheme" }), { minLength: 3, maxLength: 3 }));
const anyCuts = fc.array(fc.nat(200), { maxLength: 5 });

function cutUp(text: string, cuts: readonly number[]): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  const places = [
    0,
    ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b),
    bytes.length,
  ];
  return places.slice(1).map((place, i) => bytes.subarray(places[i], place));
}

Deno.test("DelimitedRewriter gives back any rows of CSV in any pieces", () => {
  const field = (text: string, always: boolean) =>
    always || /["\n\r,\\]|^\s|^$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  fc.assert(fc.property(anyRows, fc.boolean(), anyCuts, (rows, always, cuts) => {
    const file = rows.map((row) => row.map((one) => field(one, always)).join(",") + "\n").join("");
    const { rows: read } = rewrite(["CSV"], ["text", "text", "text"], cutUp(file, cuts));
    assert.deepEqual(read, rows);
  }));
});

Deno.test("DelimitedRewriter gives back any rows with escapes in any pieces", () => {
  fc.assert(fc.property(anyRows, anyCuts, (rows, cuts) => {
    const escaped = (text: string) => text.replace(/[\\|\n\r]/g, "\\$&");
    const file = rows.map((row) => row.map(escaped).join("|") + "\n").join("");
    const { rows: read } = rewrite(
      ["ESCAPE NULL AS '\\001'"],
      ["text", "text", "text"],
      cutUp(file, cuts),
    );
    assert.deepEqual(read, rows);
  }));
});

/** The rows, or the line that is refused. */
function orLine(run: () => TextRow[]): TextRow[] | string | undefined {
  try {
    return run();
  } catch (thrown) {
    const [line] = /line \d+/.exec(String(thrown)) ?? [];
    if (line === undefined) throw thrown;
    return line;
  }
}

Deno.test("DelimitedRewriter and DelimitedReader read any bytes alike", () => {
  const bytes = fc.array(fc.constantFrom(..."ab,\"'\\\n\r |N\t".split("")), { maxLength: 40 });
  const options = fc.constantFrom(
    "CSV",
    "",
    "ESCAPE",
    "REMOVEQUOTES",
    "ESCAPE REMOVEQUOTES",
    "CSV QUOTE ''''",
  );
  fc.assert(
    fc.property(bytes, options, anyCuts, (chars, option, cuts) => {
      const pieces = cutUp(chars.join(""), cuts);
      const rewritten = orLine(() => rewrite([option], text2, pieces).rows);
      const read = orLine(() => {
        const rows: TextRow[] = [];
        const reader = new DelimitedReader(parseCopyOptions([option]), (row, line) => {
          const isEnded = row.length === 3 && row[2]?.length === 0 && !option.startsWith("CSV");
          // The reader does not tell whether an empty field had quotation marks: '' is a field more.
          fc.pre(!isEnded || !option.includes("REMOVEQUOTES"));
          if (row.length !== 2 && !isEnded) throw new RangeError(`line ${line}: fields`);
          rows.push(row.slice(0, 2).map((one) => one && new TextDecoder().decode(one)));
        });
        pieces.forEach((piece) => reader.push(piece));
        reader.finish();
        return rows;
      });
      assert.deepEqual(rewritten, read);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("FixedTime reads what readTimePattern() reads, or leaves it", () => {
  const patterns = ["YYYY-MM-DD HH:MI:SS", "DD.MM.YYYY", "YYYYMMDDHH24MISS", "MM/DD/YYYY HH24:MI"];
  const char = fc.constantFrom(..."0123456789-.:/ ".split(""));
  const random = fc.array(char, { maxLength: 20 }).map((chars) => chars.join(""));
  const digits = fc.array(fc.constantFrom(..."0123456789".split("")), { minLength: 20 });
  fc.assert(
    fc.property(fc.constantFrom(...patterns), fc.boolean(), random, digits, (...drawn) => {
      const [pattern, withTime, random, digits] = drawn;
      const read = readTimePattern(pattern);
      const fixed = FixedTime.of(pattern, withTime);
      assert.ok(typeof read !== "string" && fixed);
      let i = 0;
      const formed = pattern.replace("HH24", "HH").replace(/[A-Z]/g, () => digits[i++] ?? "0");
      assert.ok(fixed.read(new TextEncoder().encode(formed), 0, formed.length), formed);
      for (const text of [formed, random]) {
        const bytes = new TextEncoder().encode(text);
        const iso = fixed.read(bytes, 0, bytes.length);
        if (iso) assert.equal(new TextDecoder().decode(iso), isoOf(text, read, withTime));
      }
    }),
  );
});

Deno.test("FixedTime leaves patterns that need more than digits in their place", () => {
  for (const pattern of ["DD-MON-YYYY", "DD.MM.YY", "YYYY-MM-DD HH12:MI AM"]) {
    assert.equal(FixedTime.of(pattern, true), undefined, pattern);
  }
});
