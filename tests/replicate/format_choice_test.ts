import assert from "node:assert/strict";
import type { FieldSchema } from "../../lib/clients/bigquery/bigquery.ts";
import { chooseFormat, lossesOf } from "../../lib/replicate/format_choice.ts";

function columns(...types: string[]): FieldSchema[] {
  return types.map((type, i) => ({ name: `c${i}`, type }));
}

const all = [
  ...["STRING", "BYTES", "INTEGER", "INT64", "FLOAT", "FLOAT64", "BOOLEAN", "BOOL", "NUMERIC"],
  ...["BIGNUMERIC", "TIMESTAMP", "DATE", "TIME", "DATETIME", "GEOGRAPHY", "JSON", "INTERVAL"],
];

Deno.test("chooseFormat() takes Avro wherever it carries all", () => {
  assert.deepEqual(chooseFormat(columns(...all), "auto", false), { format: "avro", losses: [] });
});

const matrix: readonly [
  types: string[],
  wanted: "auto" | "avro" | "ndjson" | "parquet",
  result: string,
][] = [
  [["RANGE"], "auto", "ndjson"],
  [["RANGE", "GEOGRAPHY", "INTERVAL"], "auto", "ndjson"],
  [["RANGE", "JSON"], "auto", "refused"],
  [["RANGE"], "avro", "refused"],
  [["JSON"], "ndjson", "refused"],
  [["JSON"], "parquet", "refused"],
  [["INTERVAL"], "parquet", "refused"],
  [["BIGNUMERIC"], "parquet", "refused"],
  [["NUMERIC", "DATETIME"], "parquet", "parquet"],
  [["VECTOR"], "auto", "refused"],
];

for (const [types, wanted, result] of matrix) {
  Deno.test(`chooseFormat() of ${types.join(", ")}, ${wanted}: ${result}`, () => {
    const choice = chooseFormat(columns(...types), wanted, false);
    assert.equal("refused" in choice ? "refused" : choice.format, result);
    // Within a record it is the same.
    const inside = [{
      name: "r",
      type: "RECORD",
      mode: "REPEATED" as const,
      fields: columns(...types),
    }];
    const nested = chooseFormat(inside, wanted, false);
    assert.equal("refused" in nested ? "refused" : nested.format, result);
  });
}

Deno.test("chooseFormat() names the column, the type and the way out", () => {
  const choice = chooseFormat(columns("RANGE", "JSON"), "auto", false);
  const reason = "refused" in choice ? choice.refused : "";
  assert.match(reason, /no format carries it exactly; avro: column c0 of the type RANGE/);
  assert.match(reason, /--lossy/);
});

Deno.test("chooseFormat() with --lossy takes what loses least, and says what", () => {
  const choice = chooseFormat(columns("RANGE", "JSON", "JSON"), "auto", true);
  assert.ok("format" in choice);
  assert.equal(choice.format, "avro");
  assert.equal(choice.losses.length, 1);
});

Deno.test("lossesOf() finds names and picoseconds that a format does not carry", () => {
  const fields = [{ name: "größe", type: "STRING" }, {
    name: "t",
    type: "TIMESTAMP",
    timestampPrecision: "12",
  }];
  assert.deepEqual(lossesOf(fields, "avro").map((loss) => loss.split(":")[0]), [
    "column größe",
    "column t",
  ]);
  assert.deepEqual(lossesOf(fields, "ndjson"), []);
});
