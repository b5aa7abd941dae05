import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import {
  type ArchiveReport,
  compareArchive,
  dumpArchive,
  type PartitionReport,
  totalsOf,
  walkArchive,
} from "./archive_comparison.ts";
import { baldrOf, joined } from "./baldr.ts";
import { TempFiles } from "./temp_files.ts";

const encoder = new TextEncoder();

interface Plan {
  readonly first: number;
  readonly next: number;
  readonly values: readonly string[];
  /** Altered notes. */
  readonly notes?: Readonly<Record<string, string>>;
  readonly form?: "value" | "record";
}

function framesOf({ first, values, form = "value" }: Plan): Uint8Array {
  return baldrOf(
    values.map((value, i) =>
      form === "value" ? encoder.encode(value) : wholeRecord(first + i, value)
    ),
  );
}

function notesOf(plan: Plan): Record<string, string> {
  const { first, next, values, notes = {}, form = "value" } = plan;
  const raw = framesOf(plan);
  return {
    "first-offset": `${first}`,
    "next-offset": `${next}`,
    "records": `${values.length}`,
    "null-values": "0",
    "uncompressed-bytes": `${raw.length}`,
    "crc32c": crc32cOf(raw),
    "format": form,
    ...notes,
  };
}

/** An object, written without any of sluice's code. */
function objectOf(plan: Plan): Uint8Array {
  const raw = framesOf(plan);
  const told = notesOf(plan);
  const json = encoder.encode(JSON.stringify(told));
  const head = new Uint8Array(16);
  head.set([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255]);
  const view = new DataView(head.buffer);
  view.setUint16(10, json.length + 4, true);
  head.set(encoder.encode("SL"), 12);
  view.setUint16(14, json.length, true);
  const end = new Uint8Array(8);
  new DataView(end.buffer).setUint32(0, crc32(raw), true);
  new DataView(end.buffer).setUint32(4, raw.length, true);
  return joined([head, json, new Uint8Array(deflateRawSync(raw)), end]);
}

/** Offsets and lengths below 64, no key, one header. */
function wholeRecord(offset: number, value: string): Uint8Array {
  const zigzag = (n: number) => n >= 0 ? n * 2 : -n * 2 - 1;
  return Uint8Array.from([
    ...[1, 0, zigzag(5), zigzag(offset), zigzag(-1)],
    ...[zigzag(value.length), ...encoder.encode(value)],
    ...[zigzag(1), zigzag(1), 104, zigzag(-1)],
  ]);
}

/** CRC-32C, bit by bit. */
function crc32cOf(bytes: Uint8Array): string {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  }
  return ((crc ^ 0xffff_ffff) >>> 0).toString(16).padStart(8, "0");
}

async function place(files: TempFiles, objects: readonly Plan[]): Promise<void> {
  await Deno.mkdir(files.path("g/t/partition=0"), { recursive: true });
  for (const one of objects) {
    const suffix = one.form === "record" ? "records" : "baldr";
    await files.write(
      `g/t/partition=0/${String(one.first).padStart(10, "0")}.${suffix}.gz`,
      objectOf(one),
    );
  }
}

/** What "Kafka" holds: offset and value. */
async function recordsFile(
  files: TempFiles,
  records: readonly (readonly [number, string])[],
): Promise<string> {
  const lines = records.map(([offset, value]) =>
    JSON.stringify({
      topic: "t",
      partition: 0,
      offset: `${offset}`,
      timestamp: 5,
      key: null,
      value: Buffer.from(value).toString("base64"),
      headers: [[btoa("h"), null]],
    })
  );
  return await files.write("read.jsonl", lines.join("\n") + "\n");
}

async function compared(
  objects: readonly Plan[],
  kafka: readonly (readonly [number, string])[],
  how: { readonly isOpen?: boolean; readonly isShortened?: boolean } = {},
): Promise<PartitionReport> {
  await using archive = await TempFiles.of();
  await using read = await TempFiles.of();
  await place(archive, objects);
  const report = await compareArchive(archive, {
    kafka: "",
    topics: ["t"],
    group: "g",
    recordsFile: await recordsFile(read, kafka),
    ...how,
  });
  assert.deepEqual(report.strays, []);
  return only(report);
}

function only({ partitions }: ArchiveReport): PartitionReport {
  const [one] = partitions;
  assert.equal(partitions.length, 1);
  assert.ok(one);
  return one;
}

const kafka = [[0, "a"], [1, "b"], [2, "a"], [5, "c"], [6, "d"]] as const;
const good: readonly Plan[] = [
  { first: 0, next: 2, values: ["a", "b"] },
  { first: 2, next: 6, values: ["a", "c"] },
  { first: 6, next: 8, values: ["d"] },
];

Deno.test("the checker finds nothing wrong with a whole chain, holes in the offsets included", async () => {
  const seen = await compared(good, kafka);
  assert.deepEqual(
    [seen.objects, seen.records, seen.kafkaRecords, seen.first, seen.next],
    [3, 5, 5, "0", "8"],
  );
  assert.deepEqual([seen.lost, seen.extra, seen.altered, seen.problems], [0, 0, 0, []]);
});

Deno.test("the checker sees each kind of harm, and only that", async () => {
  const [one, two, three] = good as [Plan, Plan, Plan];
  const cases: [string, Plan[], Partial<PartitionReport>, RegExp][] = [
    ["doubled", [one, { ...two, values: ["a", "c", "c"] }, three], { extra: 1 }, /1 extra.*'c'/],
    ["missing", [one, { ...two, values: ["c"] }, three], { lost: 1 }, /1 lost.*'a'/],
    ["altered", [one, { ...two, values: ["a", "C"] }, three], { lost: 1, extra: 1 }, /lost/],
    ["exchanged", [one, { ...two, values: ["c", "a"] }, three], { altered: 1 }, /order/],
    ["no object", [one, three], { lost: 2 }, /begins at 6, 2 is next: offsets missing/],
    ["no first", [two, three], { lost: 2 }, /offset 0 of Kafka is before 2/],
    ["no last", [one, two], { lost: 1 }, /offset 6 of Kafka is after the archive's end, 6/],
    [
      "in two objects",
      [one, { ...two, first: 1, values: ["b", "a", "c"] }, three],
      { extra: 1 },
      /begins at 1, 2 is next: offsets doubled/,
    ],
  ];
  for (const [name, objects, harm, said] of cases) {
    const { lost, extra, altered, problems } = await compared(objects, kafka);
    assert.deepEqual({ lost, extra, altered }, { lost: 0, extra: 0, altered: 0, ...harm }, name);
    assert.match(problems.join("\n"), said, name);
  }
});

Deno.test("the checker lets an archive that is still being written end early, when asked to", async () => {
  const seen = await compared(good.slice(0, 2), kafka, { isOpen: true });
  assert.deepEqual([seen.lost, seen.records, seen.problems], [0, 4, []]);
});

Deno.test("the checker lets Kafka delete the first records of an object, when asked to", async () => {
  const shortened = kafka.slice(3);
  assert.equal((await compared(good, shortened)).extra, 1);
  const { extra, lost, kafkaRecords } = await compared(good, shortened, { isShortened: true });
  assert.deepEqual([extra, lost, kafkaRecords], [0, 0, 2]);
  const changed = [[5, "C"], [6, "d"]] as const;
  assert.equal((await compared(good, changed, { isShortened: true })).lost, 1);
});

Deno.test("the checker takes no record to be in the archive when Kafka has and it has no object", async () => {
  const { lost, problems } = await compared([], kafka);
  assert.equal(lost, 5);
  assert.match(problems[0] ?? "", /offset 0 of Kafka is after the archive's end/);
});

Deno.test("the checker compares offset, time, key, value and headers of whole records", async () => {
  const values = ["a", "b", "c"];
  const objects = [{ first: 0, next: 4, values, form: "record" as const }];
  const read = values.map((value, i) => [i, value] as const);
  assert.deepEqual((await compared(objects, read)).problems, []);
  const moved = [[0, "a"], [1, "b"], [3, "c"]] as const;
  const { lost, extra } = await compared(objects, moved);
  assert.deepEqual([lost, extra], [1, 1]);
});

Deno.test("the checker hashes content without offsets, so that restored records look the same", async () => {
  const hash = async (first: number) => {
    await using files = await TempFiles.of();
    await place(files, [{ first, next: first + 2, values: ["a", "b"], form: "record" }]);
    return only(await walkArchive(files)).contentSha256;
  };
  assert.equal(await hash(0), await hash(7));
});

Deno.test("the checker walks past a damaged object and says what is wrong with it", async () => {
  const plan = good[1] as Plan;
  const whole = objectOf(plan);
  const cases: [string, Uint8Array, RegExp][] = [
    ["cut", whole.slice(0, -9), /gzip: cut/],
    ["empty", new Uint8Array(), /gzip: no header/],
    ["wrong crc", Uint8Array.from([...whole.slice(0, -8), 0, ...whole.slice(-7)]), /gzip: /],
    ["more behind it", joined([whole, whole]), /bytes after its end/],
    ["no notes", Uint8Array.from(gzipSync("x")), /no extra field/],
    ["a count", objectOf({ ...plan, notes: { records: "3" } }), /2 are there, the notes say 3/],
    ["another first", objectOf({ ...plan, notes: { "first-offset": "1" } }), /first-offset/],
    ["another crc32c", objectOf({ ...plan, notes: { crc32c: "00000000" } }), /crc32c/],
    ["another size", objectOf({ ...plan, notes: { "uncompressed-bytes": "1" } }), /bytes/],
    ["a note missing", objectOf({ ...plan, notes: { format: "record" } }), /format/],
    ["nothing in it", objectOf({ ...plan, next: 1 }), /before first-offset/],
  ];
  for (const [name, bytes, said] of cases) {
    await using files = await TempFiles.of();
    await place(files, good);
    await files.write("g/t/partition=0/0000000002.baldr.gz", bytes);
    const { problems } = only(await walkArchive(files));
    assert.match(problems.join("\n"), said, name);
  }
});

Deno.test("the checker holds gaps against their notes, and knows what is no object", async () => {
  await using files = await TempFiles.of();
  await place(files, [
    ...good,
    { first: 8, next: 20, values: [], notes: { gap: "retention" } },
  ]);
  assert.match(only(await walkArchive(files)).problems.join(), /gap files tell \[\]/);
  await files.write("g/t/partition=0/gap-0000000008-0000000020.json", "{}");
  const seen = only(await walkArchive(files));
  assert.deepEqual([seen.problems, seen.gaps], [[], [["8", "20"]]]);
  await files.write("g/t/partition=0/0000000020.baldr.gz.draft", "");
  await files.write("g/t/partition=0/00000000020.baldr.gz", "");
  assert.deepEqual((await walkArchive(files)).strays, [
    "g/t/partition=0/00000000020.baldr.gz",
    "g/t/partition=0/0000000020.baldr.gz.draft",
  ]);
});

Deno.test("the checker holds what a store keeps with an object against what stands in it", async () => {
  await using files = await TempFiles.of();
  await using notes = await TempFiles.of();
  const [plan] = good as [Plan];
  await place(files, [plan]);
  const stored = `${notes.folder}/g/t/partition=0/0000000000.baldr.gz/meta`;
  const said = async () =>
    only(await walkArchive({ folder: files.folder, notes: notes.folder })).problems.join("\n");
  assert.match(await said(), /FileNotFoundError/);
  await Deno.mkdir(stored, { recursive: true });
  const told = notesOf(plan);
  await Deno.writeTextFile(`${stored}/metadata`, JSON.stringify(told));
  assert.equal(await said(), "");
  await Deno.writeTextFile(`${stored}/metadata`, JSON.stringify({ ...told, records: "3" }));
  assert.match(await said(), /stored metadata/);
});

Deno.test("the checker gives every record, and sums are over what is asked for", async () => {
  await using files = await TempFiles.of();
  await place(files, good);
  const values = (await dumpArchive(files)).map(({ first, value }) => [
    first,
    atob(value ?? ""),
  ]);
  assert.deepEqual(values, [["0", "a"], ["0", "b"], ["2", "a"], ["2", "c"], ["6", "d"]]);
  const report = await walkArchive(files);
  assert.equal(totalsOf(report).records, 5);
  assert.equal(totalsOf(report, ["other"]).records, 0);
});
