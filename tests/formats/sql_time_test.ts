import assert from "node:assert/strict";
import { daysOf, microsecondsOf } from "../../lib/formats/sql_time.ts";

const days: [text: string, days: number | undefined][] = [
  ["1970-01-01", 0],
  ["2000-02-29", 11_016],
  ["1969-12-31", -1],
  ["0101-01-01", -682_638],
  ["12000-01-01", 3_663_382],
  ["infinity", undefined],
  ["0044-03-15 BC", undefined],
  ["01/02/2000", undefined],
];

for (const [text, wanted] of days) {
  Deno.test(`the date ${text} is ${wanted} days`, () => assert.equal(daysOf(text), wanted));
}

const stamps: [text: string, microseconds: bigint | undefined][] = [
  ["1970-01-01 00:00:00", 0n],
  ["1970-01-01 00:00:01.5", 1_500_000n],
  ["1969-12-31 23:59:59.999999", -1n],
  ["1970-01-01 01:00:00+01", 0n],
  ["1969-12-31 18:30:00.000001-05:30", 1n],
  ["1900-01-01 00:19:32+00:19:32", -2_208_988_800_000_000n],
  ["2026-11-24 10:50:20.25+00", 1_795_517_420_250_000n],
  ["-infinity", undefined],
  ["2026-11-24", undefined],
  ["24.11.2026 10:50:20", undefined],
];

for (const [text, wanted] of stamps) {
  Deno.test(`the timestamp ${text} is ${wanted} microseconds`, () => {
    assert.equal(microsecondsOf(text), wanted);
  });
}
