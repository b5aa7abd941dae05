import assert from "node:assert/strict";
import { cat, type CatPlan, count } from "../../lib/baldr/cat.ts";
import { check } from "../../lib/baldr/check.ts";
import type { SluiceError } from "../../lib/core/errors.ts";
import { archivedRecord, type SampleRecord } from "../support/archive_objects.ts";
import { baldrOf, gzipped, MemorySink } from "../support/baldr.ts";
import { TempFiles } from "../support/temp_files.ts";

const records: SampleRecord[] = [
  { offset: 5, timestampMs: 1_790_000_000_123, key: "k", value: '{"a":"é"}' },
  { offset: 10_000_000_007, timestampMs: -1, key: null, value: null },
  {
    offset: 10_000_000_008,
    timestampMs: 0,
    key: Uint8Array.of(0xff, 0),
    value: "",
    headers: [["h", "1"], ["h", Uint8Array.of(0xfe)], ["\ufeffbom", null]],
  },
];
const stream = baldrOf(records.map(archivedRecord));

async function run(content: Uint8Array, plan: Partial<CatPlan> = {}, name = "a.records.gz") {
  await using files = await TempFiles.of({ [name]: content });
  const sink = new MemorySink();
  const reports: SluiceError[] = [];
  await cat(
    {
      inputs: [files.path(name)],
      format: "lines",
      colours: false,
      skip: 0,
      limit: undefined,
      recordBytesMost: 2 ** 30,
      ...plan,
    },
    sink,
    (error) => reports.push(error),
  );
  return { bytes: sink.bytes, text: new TextDecoder().decode(sink.bytes), reports };
}

Deno.test("cat() shows whole records as JSON: text, other bytes marked, null, double headers", async () => {
  for (const content of [gzipped(stream), stream]) {
    const { text, reports } = await run(content, { format: "jsonl" });
    assert.deepEqual(reports, []);
    assert.deepEqual(text.split("\n"), [
      '{"offset":5,"timestamp":1790000000123,"key":"k","value":"{\\"a\\":\\"é\\"}","headers":[]}',
      '{"offset":10000000007,"timestamp":-1,"key":null,"value":null,"headers":[]}',
      '{"offset":10000000008,"timestamp":0,"key":{"base64":"/wA="},"value":"","headers":' +
      '[{"key":"h","value":"1"},{"key":"h","value":{"base64":"/g=="}},' +
      '{"key":"\ufeffbom","value":null}]}',
      "",
    ]);
  }
});

Deno.test("cat() shows whole records to people on several lines", async () => {
  const { text } = await run(stream, { format: "pretty", skip: 1, limit: 1 }, "a.records");
  assert.equal(
    text,
    '{\n  "offset": 10000000007,\n  "timestamp": -1,\n  "key": null,\n  "value": null,\n' +
      '  "headers": []\n}\n',
  );
});

const forms: [format: CatPlan["format"], printed: Uint8Array | string][] = [
  ["lines", '{"a":"é"}\n\n\n'],
  ["raw", '{"a":"é"}'],
  ["hex", "7b2261223a22c3a9227d\n\n\n"],
  ["baldr", baldrOf(['{"a":"é"}', "", ""])],
];
for (const [format, printed] of forms) {
  Deno.test(`cat() gives the values of whole records as ${format}`, async () => {
    const { bytes, text } = await run(gzipped(stream), { format });
    if (typeof printed === "string") assert.equal(text, printed);
    else assert.deepEqual(bytes, printed);
  });
}

Deno.test("--skip and --limit count over files of both kinds, each shown in its own way", async () => {
  await using files = await TempFiles.of({
    "a.baldr": baldrOf(["1", "2"]),
    "b.records": stream,
    "c.baldr": baldrOf(["3", "4"]),
  });
  const sink = new MemorySink();
  await cat(
    {
      inputs: ["a.baldr", "b.records", "c.baldr"].map((name) => files.path(name)),
      format: "jsonl",
      colours: false,
      skip: 1,
      limit: 5,
      recordBytesMost: 2 ** 30,
    },
    sink,
    (error) => assert.fail(error.message),
  );
  const lines = new TextDecoder().decode(sink.bytes).trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => JSON.parse(line)).map((one) => one.offset ?? one), [
    2,
    5,
    10_000_000_007,
    10_000_000_008,
    3,
  ]);
});

Deno.test("a record that is none is damage: what comes before it is given, with where it is", async () => {
  const good = archivedRecord(records[0] as SampleRecord);
  const content = baldrOf([good, good, "no record", good]);
  const at = 2 * (8 + good.length);
  const seen = await run(gzipped(content), { format: "jsonl" });
  assert.equal(seen.text.trimEnd().split("\n").length, 2);
  const [report] = seen.reports;
  assert.equal(report?.fault, "corrupt");
  assert.match(report?.message ?? "", new RegExp(`damaged at byte ${at} \\(byte \\d+ of the gzip`));
  assert.match(
    report?.message ?? "",
    /it begins with 110: .*; 2 whole records before it, the last/,
  );
  await using files = await TempFiles.of({ "a.records": content, "good.records": stream });
  const inputs = [files.path("a.records"), files.path("good.records")];
  const lines: string[] = [];
  const tell = (line: string) => Promise.resolve(void lines.push(line));
  await check({ inputs, recordBytesMost: 2 ** 30, json: false }, tell, () => {});
  assert.match(lines[0] ?? "", new RegExp(`a.records: damaged at byte ${at}: .*2 whole records`));
  assert.match(lines[1] ?? "", /good.records: ok, 3 records, \d+ bytes/);
  const counts: number[] = [];
  await count({ inputs, recordBytesMost: 2 ** 30 }, (_, records) => {
    counts.push(records);
    return Promise.resolve();
  }, () => {});
  assert.deepEqual(counts, [2, 3]);
});

Deno.test("whole records are read wherever the pieces of a file are cut", async () => {
  const large = { offset: 9, timestampMs: 0, key: null, value: "x".repeat(700_000) };
  const content = baldrOf([large, ...records, large].map(archivedRecord));
  const { text } = await run(content, { format: "lines" });
  assert.equal(text.length, 2 * 700_001 + '{"a":"é"}\n\n\n'.length);
});
