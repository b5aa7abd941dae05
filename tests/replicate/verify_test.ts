import assert from "node:assert/strict";
import type { Cell, TableResource } from "../../lib/clients/bigquery/bigquery.ts";
import { fingerprintDifference, fingerprintSql } from "../../lib/replicate/fingerprint.ts";
import { Rig } from "./rig.ts";

const name = { projectId: "p1", datasetId: "web", tableId: "t" };

function sqlOf(more: Partial<TableResource>): string {
  return fingerprintSql(name, { etag: "", type: "TABLE", tableReference: name, ...more });
}

async function* rows(...all: readonly (readonly Cell[])[]): AsyncGenerator<readonly Cell[]> {
  yield* all;
}

Deno.test("fingerprintSql() asks by partition, whatever they are by", () => {
  assert.match(sqlOf({}), /CAST\('' AS STRING\) AS part.*FROM `p1\.web\.t` AS t\)/);
  assert.match(sqlOf({ timePartitioning: { type: "DAY" } }), /CAST\(_PARTITIONTIME AS STRING\)/);
  const schema = {
    fields: [{ name: "d", type: "DATE" }, { name: "ts", type: "TIMESTAMP" }, {
      name: "n",
      type: "INTEGER",
    }],
  };
  const by = (field: string, type: "DAY" | "MONTH") =>
    sqlOf({ schema, timePartitioning: { type, field } });
  assert.match(by("d", "MONTH"), /DATE_TRUNC\(t\.`d`, MONTH\)/);
  assert.match(by("ts", "DAY"), /TIMESTAMP_TRUNC\(t\.`ts`, DAY\)/);
  const rangePartitioning = { field: "n", range: { start: "0", end: "100", interval: "10" } };
  assert.match(sqlOf({ schema, rangePartitioning }), /DIV\(t\.`n` - 0, 10\)/);
  const timePartitioning = { type: "DAY" as const, field: "d" };
  assert.match(
    sqlOf({ timePartitioning: { type: "DAY" }, requirePartitionFilter: true }),
    /WHERE _PARTITIONTIME IS NULL OR _PARTITIONTIME IS NOT NULL/,
  );
  assert.match(
    sqlOf({ schema, timePartitioning, requirePartitionFilter: true }),
    /WHERE t\.`d` IS NULL OR t\.`d` IS NOT NULL/,
  );
});

const a: readonly Cell[] = ["2026-01-01", "3", "17", "5"];
const b: readonly Cell[] = ["2026-01-02", "1", "9", "2"];

Deno.test("fingerprintDifference() names the first partition that differs, and how", async () => {
  const differ = async (
    one: readonly (readonly Cell[])[],
    other: readonly (readonly Cell[])[],
  ) => await fingerprintDifference(rows(...one), rows(...other));
  assert.equal(await differ([a, b], [a, b]), null);
  assert.equal(await differ([], []), null);
  assert.match(await differ([a, b], [a]) ?? "", /2026-01-02 has 1 rows in the source and is not/);
  assert.match(await differ([a], [a, b]) ?? "", /2026-01-02 is in the copy only/);
  assert.match(await differ([a], [b]) ?? "", /2026-01-01 is on one side only/);
  assert.match(
    await differ([a], [["2026-01-01", "2", "17", "5"]]) ?? "",
    /2026-01-01 has 3 rows in the source and 2 in the copy/,
  );
  assert.match(await differ([a], [["2026-01-01", "3", "18", "5"]]) ?? "", /has rows that differ/);
  assert.match(await differ([a], [["2026-01-01", "3", "17", "6"]]) ?? "", /has rows that differ/);
  assert.match(
    await differ([["", "1", "1", "1"]], [["", "2", "1", "1"]]) ?? "",
    /^the table has 1/,
  );
  assert.match(await differ([[null, "1", "1", "1"]], []) ?? "", /^the partition of NULL/);
});

Deno.test("replicate with --verify fingerprint finds rows that differ in a copy of the right length", async () => {
  const rig = new Rig();
  rig.cloud.table("p1.web", "t", {}, ["a", "b"]);
  const spoil = (id: string) => {
    if (!id.includes("_print_")) return;
    const copy = rig.destination.tables.get("t");
    if (copy?.rows.includes("b")) copy.writePartition("", ["a", "x"], 0);
  };
  rig.cloud.onJob = spoil;
  const wanted = { via: "extract", verify: "fingerprint" } as const;
  assert.deepEqual(await rig.run(wanted), { t: "failed" });
  assert.match(rig.reason("t"), /rows that differ/);
  assert.equal(rig.destination.tables.get("t")?.labels()["sluice_state"], "wrong");
  assert.deepEqual(rig.cloud.objects(), []);
  // The next run makes it anew, by other jobs.
  rig.cloud.onJob = () => {};
  assert.deepEqual(await rig.run(wanted), { t: "copied" });
  assert.deepEqual(rig.rows("t"), ["a", "b"]);
  assert.equal(rig.destination.tables.get("t")?.labels()["sluice_state"], undefined);
});

Deno.test("replicate finds a copy with too few rows by counting, and makes it anew the next time", async () => {
  const rig = new Rig();
  rig.cloud.table("p1.web", "t", {}, ["a", "b", "c"]);
  rig.cloud.onJob = (_id, { load }) => {
    if (load === undefined) return;
    const stage = rig.cloud.buckets.get("stage");
    const [first] = [...stage?.keys() ?? []];
    if (first !== undefined) stage?.delete(first);
  };
  assert.deepEqual(await rig.run({ via: "extract" }), { t: "failed" });
  assert.match(rig.reason("t"), /the copy has 1 rows and the source 3/);
  rig.cloud.onJob = () => {};
  assert.deepEqual(await rig.run({ via: "extract" }), { t: "copied" });
  assert.deepEqual(rig.rows("t"), ["a", "b", "c"]);
});

Deno.test("replicate --partitions --verify fingerprint compares the whole table, if its source rests", async () => {
  for (const isSpoilt of [false, true]) {
    const rig = new Rig();
    const table = rig.cloud.table(
      "p1.web",
      "t",
      { timePartitioning: { type: "DAY", field: "d" } },
      {
        "20260101": ["a"],
      },
    );
    await rig.run({ via: "extract" });
    rig.destination.tables.get("t")?.write(table.partitions, "WRITE_TRUNCATE", rig.world.nowMs());
    await rig.world.until(rig.world.sleep(60_000));
    table.writePartition("20260102", ["b"], rig.world.nowMs());
    rig.cloud.touch(table);
    // A partition that was not copied this time differs.
    if (isSpoilt) rig.destination.tables.get("t")?.writePartition("20260101", ["x"], 0);
    const wanted = { via: "extract", choice: "partitions", verify: "fingerprint" } as const;
    assert.deepEqual(await rig.run(wanted), { t: isSpoilt ? "failed" : "copied" });
    assert.equal(rig.callsOf("jobs.insert sluice_print").length, 2);
    if (!isSpoilt) continue;
    assert.match(rig.reason("t"), /the partition 20260101 has rows that differ/);
    // Made anew as a whole; the fake does not part the rows of a load, so they are counted.
    assert.deepEqual(await rig.run({ ...wanted, verify: "rows" }), { t: "copied" });
    assert.deepEqual(rig.rows("t"), ["a", "b"]);
  }
});
