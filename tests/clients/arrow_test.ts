import assert from "node:assert/strict";
import { tableFromIPC } from "apache-arrow";
import { ArrowStream } from "../../lib/clients/arrow.ts";
import { faultOf } from "../../lib/core/errors.ts";

function columns(text: string): { name: string; type: string }[] {
  return text.split(" ").map((type, i) => ({ name: `c${i}`, type }));
}

/** Writes rows, a batch after the other, and reads them back. */
function readBack(types: string, ...batches: (string | null)[][][]) {
  const stream = new ArrowStream(columns(types));
  const parts = [stream.head(), ...batches.flatMap((rows) => stream.add(rows)), ...stream.finish()];
  return tableFromIPC(parts);
}

const types = "int2 int4 int8 oid float4 float8 bool date timestamp timestamptz bytea numeric text";
const arrow = [
  ...["Int16", "Int32", "Int64", "Uint32", "Float32", "Float64", "Bool", "Date32<DAY>"],
  ...["Timestamp<MICROSECOND>", "Timestamp<MICROSECOND, UTC>", "Binary", "Utf8", "Utf8"],
];

Deno.test("each type has Arrow's own, and each value its value", () => {
  const row = [
    ...["-7", "70000", "9007199254740993", "4000000000", "1.5", "0.1", "t", "2000-02-29"],
    ...["2026-11-24 10:50:20.25", "2026-11-24 11:50:20.25+01", "\\x00ff", "1.10", "日本"],
  ];
  const table = readBack(types, [row, row.map(() => null), row]);
  assert.deepEqual(table.schema.fields.map(({ type }) => String(type)), arrow);
  assert.deepEqual(table.schema.fields.map(({ nullable }) => nullable), arrow.map(() => true));
  assert.equal(table.numRows, 3);
  const values = (at: number) => table.schema.fields.map((_, i) => table.getChildAt(i)?.get(at));
  const stamp = 1_795_517_420_250;
  const wanted: unknown[] = [
    ...[-7, 70_000, 9007199254740993n, 4_000_000_000, 1.5, 0.1, true, Date.UTC(2000, 1, 29)],
    ...[stamp, stamp, new Uint8Array([0, 255]), "1.10", "日本"],
  ];
  const bytes = values(0)[10];
  assert.deepEqual([...bytes], [0, 255]);
  assert.deepEqual(values(0).with(10, null).map(plain), wanted.with(10, null).map(plain));
  assert.deepEqual(values(1), arrow.map(() => null));
  assert.deepEqual(values(2).with(10, null).map(plain), wanted.with(10, null).map(plain));
});

/** The library gives dates as Date or as a number, by its version. */
function plain(value: unknown): unknown {
  return value instanceof Date ? value.getTime() : value;
}

Deno.test("very many rows are several batches, and all are there in their order", () => {
  const rows = Array.from({ length: 40_000 }, (_, i) => [String(i), i % 3 === 0 ? null : `n${i}`]);
  const table = readBack("int4 text", rows.slice(0, 10), rows.slice(10));
  assert.equal(table.batches.length, 5);
  assert.equal(table.numRows, rows.length);
  for (const i of [0, 1, 8_191, 8_192, 39_999]) {
    assert.deepEqual([table.getChildAt(0)?.get(i), table.getChildAt(1)?.get(i)], [i, rows[i]?.[1]]);
  }
  assert.equal(table.getChildAt(1)?.nullCount, 13_334);
});

Deno.test("a result without rows has a schema", () => {
  const table = readBack("int4 text");
  assert.deepEqual([table.numRows, table.numCols], [0, 2]);
});

Deno.test("booleans are told apart, true, false and null", () => {
  const table = readBack("bool", [["t"], ["f"], [null], ["t"]]);
  assert.deepEqual([...table.getChildAt(0) ?? []], [true, false, null, true]);
  const all = readBack("bool", [["t"], ["t"]]);
  assert.deepEqual([...all.getChildAt(0) ?? []], [true, true]);
});

for (const [type, value] of [["date", "infinity"], ["timestamp", "0044-03-15 12:00:00 BC"]]) {
  Deno.test(`a ${type} that Arrow has no value for is refused with its column`, () => {
    const stream = new ArrowStream(columns(type ?? ""));
    stream.add([[value ?? ""]]);
    assert.throws(() => stream.finish(), (thrown) => {
      assert.equal(faultOf(thrown), "permanent");
      assert.match(String(thrown), new RegExp(`column c0 holds ${value}.*cast it to text`));
      return true;
    });
  });
}
