import assert from "node:assert/strict";
import { moment, offset, rate } from "../../commands/restore_options.ts";
import { plainRecords, writeArchive } from "../support/archive_objects.ts";
import { assertComplaint, runSluice } from "../support/command_line.ts";
import { TempFiles } from "../support/temp_files.ts";

const wrong: [args: string[], complaint: string | RegExp][] = [
  [["file:///a", "--to-offset", "5", "--from-offset", "5"], /use --to-offset: 5 is not behind/],
  [["file:///a", "--from-offset", "-1"], /use --from-offset: .*give a whole number, 0 or more/],
  [["file:///a", "--from-time", "2026-02-30"], /use --from-time: .*give milliseconds since 1970/],
  [["file:///a", "--from-time", "9", "--to-time", "9"], /use --to-time: it is not behind/],
  [["file:///a", "--rate", "0"], /use --rate: .*it must be between 1 and/],
  [["file:///a", "--topic-map", "a"], /use --topic-map "a": write FROM=TO/],
  [["file:///a", "--topic", "("], /use --topic: .*give a regular expression/],
  [["file:///a"], /find Kafka: give --kafka/],
  [["http://a", "--kafka", "a:1"], /give s3:\/\/BUCKET\/PREFIX or file:\/\/\/FOLDER/],
];

for (const [args, complaint] of wrong) {
  Deno.test(`sluice archive restore ${args.join(" ")} exits 2 with one line`, async () => {
    const kafka = complaint.toString().includes("find Kafka") ? [] : ["--kafka=127.0.0.1:1"];
    assertComplaint(await runSluice(["archive", "restore", ...args, ...kafka]), 2, complaint);
  });
}

Deno.test("sluice archive restore exits 1 when there is no archive", async () => {
  await using files = await TempFiles.of({ "some": "file" });
  const seen = await runSluice([
    "archive",
    "restore",
    `file://${files.folder}`,
    "--kafka=127.0.0.1:1",
  ]);
  assertComplaint(seen, 1, /no archived partition is there; 1 objects are there that are none/);
});

Deno.test("sluice archive restore exits 10 when Kafka cannot be reached, and writes no state", async () => {
  await using files = await TempFiles.of();
  await writeArchive(files.folder, [{ topic: "t", first: 0, records: plainRecords(0, 3) }]);
  const seen = await runSluice([
    "archive",
    "restore",
    `file://${files.folder}`,
    "--kafka=127.0.0.1:1",
    `--state=${files.path("state")}`,
  ]);
  assertComplaint(seen, 10, /Kafka at 127\.0\.0\.1:1: connect ECONNREFUSED/);
  assert.deepEqual(await files.names(), ["sluice"]);
});

Deno.test("sluice archive restore refuses the state of another restore before it looks at Kafka", async () => {
  await using files = await TempFiles.of({ "state": '{"sluice":"archive restore","version":1}' });
  await writeArchive(files.folder, [{ topic: "t", first: 0, records: plainRecords(0, 3) }]);
  const seen = await runSluice([
    "archive",
    "restore",
    `file://${files.folder}`,
    "--kafka=127.0.0.1:1",
    `--state=${files.path("state")}`,
  ]);
  assertComplaint(seen, 2, /go on with the state file .*it is of a restore with URL/);
});

const moments: [written: string, ms: number][] = [
  ["0", 0],
  ["1790000000123", 1_790_000_000_123],
  ["2026-01-31", Date.UTC(2026, 0, 31)],
  ["2026-01-31T20:15Z", Date.UTC(2026, 0, 31, 20, 15)],
  ["2026-01-31T20:15:01.5Z", Date.UTC(2026, 0, 31, 20, 15, 1, 500)],
  ["2026-01-31T20:15:00+01:00", Date.UTC(2026, 0, 31, 19, 15)],
  ["2024-02-29T00:00:00-05:30", Date.UTC(2024, 1, 29, 5, 30)],
];
for (const [written, ms] of moments) {
  Deno.test(`moment() reads ${written}`, () => {
    assert.equal(moment({ help: "" }).read(written), ms);
  });
}

for (
  const written of [
    "",
    "-1",
    "yesterday",
    "2026-01-31T20:15:00", // whose zone?
    "2026-13-01",
    "2026-02-30T00:00:00Z",
    "2026-01-31 20:15Z",
    "2026-01-31T25:00Z",
  ]
) {
  Deno.test(`moment() refuses "${written}"`, () => {
    assert.throws(() => moment({ help: "" }).read(written), { fault: "usage" });
  });
}

Deno.test("offset() is exact and rate() takes a unit", () => {
  assert.equal(offset({ help: "" }).read("900719925474099301"), 900719925474099301n);
  assert.throws(() => offset({ help: "" }).read("1.5"), { fault: "usage" });
  assert.equal(rate({ help: "" }).read("500/s"), 500);
  assert.equal(rate({ help: "" }).read("500"), 500);
  assert.throws(() => rate({ help: "" }).read("500/m"), { fault: "usage" });
});
