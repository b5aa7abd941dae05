import assert from "node:assert/strict";
import { SluiceError } from "../../lib/core/errors.ts";
import { generationOf, jobId, temporaryTable } from "../../lib/replicate/job_ids.ts";
import { etagMark, labelsOf, marksOf, ownLabels } from "../../lib/replicate/marks.ts";
import {
  bucketFits,
  filesUri,
  jobFolder,
  pairFolder,
  parseBucket,
  stagedBy,
} from "../../lib/replicate/staging.ts";

const one = { projectId: "p1", datasetId: "web" };
const other = { projectId: "p2", datasetId: "web" };

Deno.test("parseBucket() reads buckets and folders, and refuses all else", () => {
  assert.deepEqual(parseBucket("gs://b-1", "--x"), { bucket: "b-1", prefix: "" });
  assert.deepEqual(parseBucket("gs://b-1/", "--x"), { bucket: "b-1", prefix: "" });
  assert.deepEqual(parseBucket("gs://b-1//a//b/", "--x"), { bucket: "b-1", prefix: "a/b/" });
  for (
    const bad of ["b-1", "s3://b-1", "gs://", "gs://B", "gs://b-1/a*", "gs://b-1/a#b", "gs://b"]
  ) {
    assert.throws(
      () => parseBucket(bad, "--x"),
      (thrown) =>
        thrown instanceof SluiceError && thrown.fault === "usage" && thrown.message.includes(bad),
    );
  }
});

Deno.test("folders of staged files end in a slash and hold the job's id: t1 is no beginning of t10", () => {
  const pair = pairFolder({ bucket: "b", prefix: "a/" }, one, other);
  const id = jobId("extract", 0, "x");
  const folders = ["t1", "t10"].map((tableId) => jobFolder(pair, { ...one, tableId }, id));
  const [first = "", second = ""] = folders;
  assert.match(first, /^a\/sluice\/[0-9a-f]{16}\/t1\/sluice_extract_[0-9a-f]{32}_0\/$/);
  assert.ok(!second.startsWith(first));
  assert.notEqual(pair, pairFolder({ bucket: "b", prefix: "a/" }, other, one));
  assert.equal(filesUri("b", first, "avro"), `gs://b/${first}*.avro`);
});

Deno.test("stagedBy() knows whose a staged object is, and takes no other for one", () => {
  const pair = pairFolder({ bucket: "b", prefix: "" }, one, other);
  const id = jobId("extract", 3, "x");
  const folder = jobFolder(pair, { ...one, tableId: "t1$20260101" }, id);
  assert.deepEqual(stagedBy(pair, `${folder}000000000000.avro`), {
    ...{ tableId: "t1$20260101", jobId: id, folder },
  });
  for (const name of [`${pair}t1/x/000.avro`, `${pair}t1`, "other/t1/x", `${folder}a/b`]) {
    assert.equal(stagedBy(pair, name), null, name);
  }
});

Deno.test("jobId() is the same for the same work, and another one for any other", () => {
  const id = jobId("load", 2, "a", "b");
  assert.equal(id, jobId("load", 2, "a", "b"));
  const others = [
    jobId("load", 3, "a", "b"),
    jobId("copy", 2, "a", "b"),
    jobId("load", 2, "ab"),
    jobId("load", 2, "ab", ""),
    jobId("load", 2, "b", "a"),
  ];
  assert.equal(new Set([id, ...others]).size, 6);
  assert.match(id, /^[A-Za-z0-9_-]{1,63}$/);
  assert.equal(generationOf(id), 2);
  assert.equal(generationOf("bquxjob_1"), null);
  assert.ok(temporaryTable("x") !== temporaryTable("y"));
});

Deno.test("marks go through labels and back, as labels may hold them", () => {
  const marks = {
    source: etagMark("Gx+/Y=="),
    modifiedMs: "1764000000000",
    run: jobId("extract", 12, "x"),
    state: "loaded" as const,
  };
  const labels = labelsOf(marks);
  for (const [name, value] of Object.entries(labels)) {
    assert.match(name, /^[a-z_]{1,63}$/);
    assert.match(value, /^[a-z0-9_-]{0,63}$/);
  }
  assert.deepEqual(marksOf({ ...labels, team: "web" }), marks);
  assert.deepEqual(ownLabels({ ...labels, team: "web" }), { team: "web" });
  assert.deepEqual(marksOf(undefined), { source: null, modifiedMs: null, run: null, state: null });
  assert.notEqual(etagMark("a"), etagMark("A"));
});

Deno.test("bucketFits() says which bucket BigQuery can use from where", () => {
  const fits: readonly [string, string, boolean][] = [
    ["EU", "EU", true],
    ["EUROPE-WEST2", "EU", true],
    ["US", "EU", false],
    ["ASIA", "US", true],
    ["EU", "europe-west2", true],
    ["EUROPE-WEST2", "europe-west2", true],
    ["EUROPE-WEST1", "europe-west2", false],
    ["US", "europe-west2", false],
  ];
  for (const [bucket, dataset, expected] of fits) {
    assert.equal(bucketFits(bucket, dataset), expected, `${bucket} from ${dataset}`);
  }
});
