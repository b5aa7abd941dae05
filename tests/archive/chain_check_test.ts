import assert from "node:assert/strict";
import fc from "fast-check";
import { ChainCheck, unknownFinding } from "../../lib/archive/verify/chain_check.ts";
import type { Finding, ObjectFacts } from "../../lib/archive/verify/facts.ts";
import type { ObjectNotes } from "../../lib/formats/object_notes.ts";

interface Link {
  readonly first: bigint;
  /** Null: an object of the predecessor. */
  readonly next: bigint | null;
  readonly records?: number;
  readonly kind?: "values" | "records";
  readonly gap?: "retention";
  readonly topicId?: string;
  readonly isRead?: boolean;
}

function factsOf(link: Link): ObjectFacts {
  const { first, next, records = 1, kind = "values", gap = null, topicId = "", isRead } = link;
  const suffix = kind === "values" ? ".baldr.gz" : ".records.gz";
  const content = { records, emptyRecords: 0, bytes: 0, crc32c: 0, whole: undefined };
  return {
    key: `g/t/partition=0/${String(first).padStart(10, "0")}${suffix}`,
    kind,
    first,
    sizeBytes: 1,
    etag: "",
    modifiedMs: 0,
    notes: next === null ? null : notesOf(first, next, gap, topicId),
    content: isRead === false ? undefined : { ...content, damage: undefined },
    findings: [],
  };
}

function notesOf(
  firstOffset: bigint,
  nextOffset: bigint,
  gap: "retention" | null,
  topicId: string,
): ObjectNotes {
  return {
    firstOffset,
    nextOffset,
    records: 0,
    nullValues: 0,
    firstTimestampMs: null,
    lastTimestampMs: null,
    uncompressedBytes: 0,
    crc32c: 0,
    version: "1",
    highWatermark: 0n,
    format: "value",
    topicId,
    writer: "",
    gap,
  };
}

/** What is found along a chain, as `kind from..to`. */
function check(links: readonly Link[]): { found: string[]; chain: ChainCheck; all: Finding[] } {
  const chain = new ChainCheck();
  const all = links.flatMap((link) => {
    const { findings, open } = chain.add(factsOf(link));
    return open === undefined ? findings : [...findings, unknownFinding(open)];
  });
  const found = all.map(({ kind, from, to }) => `${kind} ${from}..${to}`);
  return { found, chain, all };
}

const cases: [what: string, links: Link[], found: string[]][] = [
  ["no object", [], []],
  ["one object", [{ first: 5n, next: 9n }], []],
  ["objects that follow each other", [{ first: 5n, next: 9n }, { first: 9n, next: 12n }], []],
  ["a missing object", [{ first: 0n, next: 9n }, { first: 12n, next: 13n }], ["gap 9..12"]],
  ["an offset twice", [{ first: 0n, next: 9n }, { first: 8n, next: 13n }], ["overlap 8..9"]],
  [
    "an object inside another, and the next where that one ends",
    [{ first: 0n, next: 9n }, { first: 3n, next: 5n }, { first: 9n, next: 10n }],
    ["overlap 3..5"],
  ],
  [
    "both formats at one offset",
    [{ first: 0n, next: 9n }, { first: 0n, next: 9n, kind: "records" }, { first: 9n, next: 10n }],
    ["overlap 0..9"],
  ],
  [
    "offsets that Kafka had deleted",
    [{ first: 0n, next: 9n }, { first: 9n, next: 50n, gap: "retention" }, {
      first: 50n,
      next: 51n,
    }],
    ["retention 9..50"],
  ],
  [
    "an archive of the predecessor without a hole",
    [{ first: 0n, next: null, records: 9 }, { first: 9n, next: null, records: 1 }],
    [],
  ],
  [
    "an archive of the predecessor with fewer records than offsets",
    [{ first: 0n, next: null, records: 9 }, { first: 11n, next: null, records: 1 }],
    ["unknown 9..11"],
  ],
  [
    "an archive of the predecessor with more records than offsets",
    [{ first: 0n, next: null, records: 9 }, { first: 7n, next: null, records: 5 }],
    ["overlap 7..9"],
  ],
  [
    "an archive that sluice went on with",
    [{ first: 0n, next: null, records: 9 }, { first: 9n, next: 20n }, { first: 20n, next: 22n }],
    [],
  ],
  [
    "objects of the predecessor that were not read",
    [{ first: 0n, next: null, isRead: false }, { first: 9n, next: null, isRead: false }],
    [],
  ],
  [
    "another topic of the name",
    [{ first: 0n, next: 9n, topicId: "a" }, { first: 9n, next: 10n, topicId: "b" }],
    ["notice 9..undefined"],
  ],
];

for (const [what, links, expected] of cases) {
  Deno.test(`the chain: ${what}`, () => assert.deepEqual(check(links).found, expected));
}

Deno.test("the end of a chain is the furthest that is answered for, and whether that is certain", () => {
  const endOf = (links: readonly Link[]) => check(links).chain.end;
  assert.equal(endOf([]), undefined);
  assert.deepEqual(
    endOf([{ first: 0n, next: 9n, topicId: "t" }, { first: 3n, next: 5n, topicId: "t" }]),
    { next: 9n, isExact: true, topicId: "t" },
  );
  assert.deepEqual(endOf([{ first: 4n, next: null, records: 3 }]), {
    next: 7n,
    isExact: false,
    topicId: "",
  });
  const { chain } = check([{ first: 0n, next: null, isRead: false }]);
  assert.deepEqual([chain.unread, chain.end?.next], [1, 0n]);
});

Deno.test("a finding names the object that it is about and the one before", () => {
  const { all: [gap] } = check([{ first: 0n, next: 9n }, { first: 12n, next: 13n }]);
  assert.equal(gap?.key, "g/t/partition=0/0000000012.baldr.gz");
  assert.match(gap?.what ?? "", /0000000000\.baldr\.gz ends before them/);
});

/** A sound chain of objects of these lengths. */
const chains = fc.array(fc.bigInt({ min: 1n, max: 1_000n }), { minLength: 3, maxLength: 20 })
  .map((lengths) => {
    let at = 10n;
    return lengths.map((length) => {
      const first = at;
      at += length;
      return { first, next: at };
    });
  });

Deno.test("property: removed objects are gaps, each with exactly its offsets", () => {
  fc.assert(fc.property(chains, fc.infiniteStream(fc.boolean()), (chain, keeps) => {
    const isKept = chain.map((_, i) =>
      i === 0 || i === chain.length - 1 || keeps.next().value === true
    );
    const removed: string[] = [];
    for (let i = 0; i < chain.length; i++) {
      if (isKept[i]) continue;
      const begin = chain[i]?.first;
      while (!isKept[i + 1]) i++;
      removed.push(`gap ${begin}..${chain[i]?.next}`);
    }
    assert.deepEqual(check(chain.filter((_, i) => isKept[i])).found, removed);
  }));
});

Deno.test("property: a doubled object is an overlap with exactly its offsets, and nothing else", () => {
  fc.assert(fc.property(chains, fc.nat(), (chain, index) => {
    const double = chain[index % chain.length] as Link;
    const links = [...chain, { ...double, kind: "records" as const }]
      .sort((a, b) => Number(a.first - b.first));
    assert.deepEqual(check(links).found, [`overlap ${double.first}..${double.next}`]);
  }));
});

Deno.test("property: an object that was moved to other offsets is a gap, an overlap, or both", () => {
  const moves = fc.bigInt({ min: -500n, max: 500n }).filter((by) => by !== 0n);
  fc.assert(fc.property(chains, fc.nat(), moves, (chain, at, by) => {
    const index = 1 + at % (chain.length - 2);
    const moved = chain.map(({ first, next }, i) =>
      i === index ? { first: first + by, next: next + by } : { first, next }
    ).filter(({ first }) => first >= 0n).sort((a, b) => Number(a.first - b.first));
    const { found } = check(moved);
    assert.ok(found.some((one) => /^(gap|overlap) /.test(one)), found.join());
  }));
});

Deno.test("property: whatever is removed, doubled and moved, a sound chain alone has no finding", () => {
  const any = fc.array(
    fc.record({ first: fc.bigInt({ min: 0n, max: 30n }), length: fc.bigInt({ min: 1n, max: 9n }) }),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(any, (some) => {
      const links = some.map(({ first, length }) => ({ first, next: first + length }))
        .sort((a, b) => Number(a.first - b.first));
      const isSound = links.every(({ first }, i) => i === 0 || links[i - 1]?.next === first);
      assert.equal(check(links).found.length === 0, isSound);
    }),
    { numRuns: 2_000 },
  );
});
