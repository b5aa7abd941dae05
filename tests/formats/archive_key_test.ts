import assert from "node:assert/strict";
import fc from "fast-check";
import {
  gapKey,
  objectKey,
  type ParsedKey,
  parseKey,
  partitionFolder,
  recordSuffix,
  valueSuffix,
} from "../../lib/formats/archive_key.ts";
import { SluiceError } from "../../lib/core/errors.ts";

const plain = { group: "sluice", topic: "logs.web", partition: 3 };

const examples: [key: string, parsed: ParsedKey][] = [
  [
    "sluice/logs.web/partition=3/0000000042.baldr.gz",
    { ...plain, kind: "values", first: 42n },
  ],
  [
    "sluice/logs.web/partition=3/0000000042.records.gz",
    { ...plain, kind: "records", first: 42n },
  ],
  [
    "sluice/logs.web/partition=3/12345678901.baldr.gz",
    { ...plain, kind: "values", first: 12_345_678_901n },
  ],
  [
    "sluice/logs.web/partition=3/9223372036854775807.baldr.gz",
    { ...plain, kind: "values", first: 2n ** 63n - 1n },
  ],
  [
    "sluice/logs.web/partition=3/gap-0000000000-0000000007.json",
    { ...plain, kind: "gap", first: 0n, next: 7n },
  ],
  [
    "a%2Fb%25 c%0A/t/partition=2147483647/0000000000.baldr.gz",
    { group: "a/b% c\n", topic: "t", partition: 2 ** 31 - 1, kind: "values", first: 0n },
  ],
  ["%2E%2E/t/partition=0/0000000000.baldr.gz", {
    ...{ group: "..", topic: "t", partition: 0, kind: "values", first: 0n },
  }],
  ["über.grün/...a/partition=0/0000000000.baldr.gz", {
    ...{ group: "über.grün", topic: "...a", partition: 0, kind: "values", first: 0n },
  }],
];

function keyOf({ kind, first, next, ...of }: ParsedKey): string {
  if (kind === "gap") return gapKey({ ...of, first, next: next ?? -1n });
  return objectKey({
    ...of,
    offset: first,
    suffix: kind === "values" ? valueSuffix : recordSuffix,
  });
}

for (const [key, parsed] of examples) {
  Deno.test(`${key} is made and read`, () => {
    assert.equal(keyOf(parsed), key);
    assert.deepEqual(parseKey(key), parsed);
    assert.ok(key.startsWith(partitionFolder(parsed)));
  });
}

const strangers = [
  "",
  "/",
  "sluice",
  "sluice/t/partition=3/",
  "sluice/t/partition=3/42.baldr.gz",
  "sluice/t/partition=3/00000000042.baldr.gz", // eleven digits where ten do
  "sluice/t/partition=3/9223372036854775808.baldr.gz",
  "sluice/t/partition=3/00000000000000000000000000000042.baldr.gz",
  "sluice/t/partition=3/-000000042.baldr.gz",
  "sluice/t/partition=3/0000000042.baldr",
  "sluice/t/partition=3/0000000042.baldr.gz.tmp",
  "sluice/t/partition=3/0000000042.baldr.gz\n",
  "sluice/t/partition=3/x0000000042.baldr.gz",
  "sluice/t/partition=3/gap-0000000007.json",
  "sluice/t/partition=3/gap-0000000007-0000000007.json",
  "sluice/t/partition=3/gap-0000000008-0000000007.json",
  "sluice/t/partition=3/gap-7-0000000008.json",
  "sluice/t/partition=03/0000000042.baldr.gz",
  "sluice/t/partition=/0000000042.baldr.gz",
  "sluice/t/partition=2147483648/0000000042.baldr.gz",
  "sluice/t/part=3/0000000042.baldr.gz",
  "sluice/t x/partition=3/0000000042.baldr.gz",
  "sluice/../partition=3/0000000042.baldr.gz",
  `sluice/${"t".repeat(250)}/partition=3/0000000042.baldr.gz`,
  "/t/partition=3/0000000042.baldr.gz",
  "../t/partition=3/0000000042.baldr.gz",
  "a%2fb/t/partition=3/0000000042.baldr.gz", // lower-case digits
  "%41/t/partition=3/0000000042.baldr.gz",
  "%/t/partition=3/0000000042.baldr.gz",
  "%FF/t/partition=3/0000000042.baldr.gz",
  "prefix/sluice/t/partition=3/0000000042.baldr.gz",
  "sluice/t/partition=3/more/0000000042.baldr.gz",
];

for (const key of strangers) {
  Deno.test(`parseKey() takes ${JSON.stringify(key).slice(0, 70)} for nobody's`, () => {
    assert.equal(parseKey(key), null);
  });
}

const groups = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 20 }),
  fc.string({ unit: fc.constantFrom("/", "%", ".", "\0", "2", "F", "\x7f", "\x85"), minLength: 1 })
    .map((text) => text.slice(0, 20)),
);
const topics = fc.stringMatching(/^[a-zA-Z0-9._-]{1,30}$/)
  .filter((topic) => topic !== "." && topic !== "..");
const offsets = fc.bigInt(0n, 2n ** 63n - 1n);
const kinds = fc.constantFrom("values", "records", "gap");

Deno.test("Every key is read back as what it was made from, and fits a file system", () => {
  fc.assert(fc.property(
    ...[groups, topics, fc.nat(2 ** 31 - 1), kinds, offsets, fc.bigInt(1n, 2n ** 40n)] as const,
    (group, topic, partition, kind, at, length) => {
      const first = kind === "gap" && at + length >= 2n ** 63n ? 0n : at;
      const of = { group, topic, partition, kind, first } as const;
      const parsed = kind === "gap" ? { ...of, next: first + length } : of;
      const key = keyOf(parsed);
      assert.deepEqual(parseKey(key), parsed);
      assert.equal(key.split("/").length, 4);
      for (const step of key.split("/")) assert.ok(step !== "." && step !== ".." && step !== "");
      // deno-lint-ignore no-control-regex -- that there are none
      assert.doesNotMatch(key, /[\u0000-\u001f\u007f-\u009f]/);
    },
  ));
});

Deno.test("Keys of one partition are in the order of their offsets, up to ten digits", () => {
  const short = fc.bigInt(0n, 9_999_999_999n);
  fc.assert(fc.property(short, short, (a, b) => {
    const [keyA, keyB] = [a, b].map((offset) =>
      objectKey({ ...plain, offset, suffix: valueSuffix })
    ) as [string, string];
    assert.equal(a < b, keyA < keyB);
  }));
});

const refused: [what: string, make: () => string, detail: RegExp][] = [
  ["a group without a name", () => partitionFolder({ ...plain, group: "" }), /no name/],
  ["half a character", () => partitionFolder({ ...plain, group: "\ud800" }), /not Unicode/],
  ["a group too long", () => partitionFolder({ ...plain, group: "%".repeat(86) }), /255 bytes/],
  ["a topic without a name", () => partitionFolder({ ...plain, topic: "" }), /no name of a Kafka/],
  ["a topic up there", () => partitionFolder({ ...plain, topic: ".." }), /no name of a Kafka/],
  ["a topic with a slash", () => partitionFolder({ ...plain, topic: "a/b" }), /no name of a Kafka/],
  ["half a partition", () => partitionFolder({ ...plain, partition: 0.5 }), /no number of a part/],
  ["partition -1", () => partitionFolder({ ...plain, partition: -1 }), /no number of a partition/],
  ["offset -1", () => objectKey({ ...plain, offset: -1n, suffix: valueSuffix }), /no offset/],
  ["2^63", () => objectKey({ ...plain, offset: 2n ** 63n, suffix: valueSuffix }), /no offset/],
  ["no gap", () => gapKey({ ...plain, first: 7n, next: 7n }), /end at 7/],
];

for (const [what, make, detail] of refused) {
  Deno.test(`No key is made for ${what}`, () => {
    assert.throws(make, (thrown) => {
      assert.ok(thrown instanceof SluiceError);
      assert.equal(thrown.fault, "usage");
      assert.match(thrown.detail, detail);
      return true;
    });
  });
}

Deno.test("A group of 255 bytes is fine", () => {
  const group = "%".repeat(85);
  const key = objectKey({ ...plain, group, offset: 0n, suffix: recordSuffix });
  assert.equal(parseKey(key)?.group, group);
});
