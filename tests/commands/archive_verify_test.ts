import assert from "node:assert/strict";
import { openStore } from "../../lib/clients/store/store.ts";
import { realWorld } from "../../lib/core/world.ts";
import { bytesOf, keyOf, putChain, putObject } from "../support/archive_maker.ts";
import { assertComplaint, runSluice } from "../support/command_line.ts";
import { freePort } from "../support/ports.ts";
import { TempFiles } from "../support/temp_files.ts";

/** A folder with a chain of three objects of topic web. */
async function archive() {
  const files = await TempFiles.of();
  const url = `file://${files.folder}`;
  const store = await openStore(url, { world: realWorld(() => {}) });
  await putChain(store, [0n, 5n, 6n, 20n]);
  return { files, url, store, [Symbol.asyncDispose]: () => files[Symbol.asyncDispose]() };
}

function verify(...args: readonly string[]) {
  return runSluice(["archive", "verify", ...args]);
}

Deno.test("archive verify of a sound archive exits 0, whichever folder of it is given", async () => {
  await using made = await archive();
  for (const below of ["", "/", "/sluice", "/sluice/web", "/sluice/web/partition=0"]) {
    const { code, stdout, stderr } = await verify(made.url + below);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(
      stdout,
      "sluice/web/0: ok, 3 objects, 20 records, offsets 0 to 20\n" +
        "1 partition, 3 objects, 20 records, all sound\n",
    );
  }
});

Deno.test("archive verify exits 3 for a gap and 12 for damage, and names both", async () => {
  await using made = await archive();
  await made.store.delete(keyOf({ first: 5n, next: 6n }));
  const gap = await verify(made.url);
  assert.equal(gap.code, 3);
  assert.match(gap.stdout, /^sluice\/web\/0: not ok, .*\n {2}sluice\/.*: gap 5 to 6: no object/);
  const wanted = { first: 20n, next: 22n, records: ["one", "two"] };
  await putObject(made.store, wanted, bytesOf(wanted).subarray(0, -9));
  const both = await verify(made.url);
  assert.equal(both.code, 12);
  assert.match(both.stdout, /: gap 5 to 6: no object/);
  assert.match(
    both.stdout,
    /0000000020\.baldr\.gz: damaged at byte 22 \(byte \d+ of the gzip\): the/,
  );
  assert.match(both.stdout, /\n1 partition, 3 objects, 21 records, 1 damaged object, 1 gap\n$/);
});

Deno.test("archive verify --strict-gaps makes possible gaps errors", async () => {
  await using made = await archive();
  const records = ["a"];
  await putObject(made.store, { first: 20n, next: 21n, records, plain: true });
  await putObject(made.store, { first: 25n, next: 26n, records, plain: true });
  assert.equal((await verify(made.url)).code, 0);
  assert.equal((await verify("--strict-gaps", made.url)).code, 3);
  assert.equal((await verify("--strict-gaps", "--group=other", made.url)).code, 1);
});

Deno.test("archive verify --json is one document of this shape", async () => {
  await using made = await archive();
  await made.store.delete(keyOf({ first: 5n, next: 6n }));
  await putChain(made.store, [7n, 8n], { topic: "app" });
  await Deno.writeTextFile(`${made.files.folder}/README`, "notes");
  const { code, stdout, stderr } = await verify("--json", made.url);
  assert.deepEqual([code, stderr], [3, ""]);
  const { partitions: [app, web, ...more], ...rest } = JSON.parse(stdout);
  assert.deepEqual(more, []);
  assert.deepEqual([app.topic, app.findings, app.kafka], ["app", [], null]);
  const [{ what, ...gap }] = web.findings;
  assert.match(what, /^no object answers for them/);
  assert.deepEqual(gap, {
    kind: "gap",
    key: "sluice/web/partition=0/0000000006.baldr.gz",
    from_offset: "5",
    to_offset: "6",
    at_byte: null,
    at_compressed_byte: null,
  });
  const { newest_object, bytes, counts, findings: _, ...told } = web;
  assert.match(newest_object, /^20\d\d-.*Z$/);
  assert.ok(bytes > 100);
  assert.equal(counts.gap, 1);
  assert.deepEqual(told, {
    group: "sluice",
    topic: "web",
    partition: 0,
    objects: 2,
    objects_without_notes: 0,
    uncompressed_bytes: 19 * 8 + 5 * 12 + 10 * 12 + 4 * 13,
    records: 19,
    null_values: 0,
    first_offset: "0",
    next_offset: "20",
    next_offset_exact: true,
    first_timestamp: "2023-11-14T22:13:20.000Z",
    last_timestamp: "2023-11-14T22:13:29.000Z",
    findings_left_out: 0,
    kafka: null,
  });
  const { totals, ...end } = rest;
  assert.deepEqual(end, {
    archive: made.url,
    shallow: false,
    unarchived_partitions: [],
    foreign: { objects: 1, keys: ["README"] },
    verdict: "partial",
    exit: 3,
  });
  assert.deepEqual(Object.keys(totals), [
    "partitions",
    "objects",
    "bytes",
    "uncompressed_bytes",
    "records",
    "not_archived",
    "counts",
  ]);
  assert.deepEqual(Object.keys(totals.counts), [
    "damaged",
    "contradiction",
    "gap",
    "overlap",
    "unreadable",
    "retention",
    "unknown",
    "notice",
  ]);
});

Deno.test("archive verify --topic and --group narrow it to whole names", async () => {
  await using made = await archive();
  await putChain(made.store, [7n, 8n], { topic: "web.app" });
  const { stdout } = await verify("--topic=web", "--group=sluice", made.url);
  assert.match(stdout, /^sluice\/web\/0: [^]*\n1 partition/);
  const both = await verify("--topic=nothing", "--topic=web.*", made.url);
  assert.match(both.stdout, /\n2 partitions/);
});

Deno.test("archive verify --shallow does not see damage inside", async () => {
  await using made = await archive();
  const wanted = { first: 20n, next: 22n, records: ["one", "two"] };
  await putObject(made.store, wanted, bytesOf(wanted).subarray(0, -9));
  const { code, stdout } = await verify("--shallow", made.url);
  assert.equal(code, 0);
  assert.match(stdout, /^sluice\/web\/0: ok, 4 objects, 22 records, offsets 0 to 22\n/);
});

const wrong: [what: string, args: string[], code: number, complaint: string | RegExp][] = [
  [
    "no URL",
    [],
    2,
    "Cannot understand the command line: missing required argument 'URL'; " +
    "see sluice archive verify --help",
  ],
  ["a URL of something else", ["http://a/b"], 2, /^Cannot use a URL that begins http: as a store/],
  [
    "a folder that is not there",
    ["file:///gone/away"],
    1,
    /^Cannot find an archive at .*: there are/,
  ],
  ["a pattern that is none", ["--topic=(", "file:///tmp"], 2, /--topic: .*regular expression$/],
  ["too many at once", ["--parallel=65", "file:///tmp"], 2, /--parallel: .*between 1 and 64$/],
  [
    "two ways to Kafka",
    ["--kafka=a:1", "--zookeeper=a:1", "file:///tmp"],
    2,
    "Cannot use --kafka and --zookeeper together: give one of them",
  ],
  [
    "a Kafka that is away",
    [`--kafka=127.0.0.1:${freePort()}`, "file:///tmp"],
    10,
    /Kafka at 127\.0\.0\.1:\d+: connect ECONNREFUSED/,
  ],
];

for (const [what, args, code, complaint] of wrong) {
  Deno.test(`archive verify: ${what} ends it with code ${code} and one clear line`, async () => {
    assertComplaint(await verify(...args), code, complaint);
  });
}
