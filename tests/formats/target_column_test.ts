import assert from "node:assert/strict";
import { targetColumnOf } from "../../lib/formats/target_column.ts";

const types: [type: string, kind: string, limitBytes: number | null, scale: number | null][] = [
  ["character varying(20)", "varchar", 20, null],
  ["varchar", "varchar", null, null],
  ["text", "varchar", null, null],
  ["character(3)", "char", 3, null],
  ["bpchar", "char", null, null],
  ["numeric(8,2)", "number", null, 2],
  ["numeric(8)", "number", null, 0],
  ["numeric", "number", null, null],
  ["numeric(3,-2)", "number", null, 0],
  ["integer", "other", null, null],
  ["text[]", "other", null, null],
  ["numeric(8,2)[]", "other", null, null],
  ["date", "date", null, null],
  ["daterange", "other", null, null],
  ["timestamp(3) without time zone", "time", null, null],
  ["timestamp with time zone", "time", null, null],
];

for (const [type, kind, limitBytes, scale] of types) {
  Deno.test(`targetColumnOf() reads ${type}`, () => {
    assert.deepEqual(targetColumnOf({ name: "a", type }), { name: "a", kind, limitBytes, scale });
  });
}
