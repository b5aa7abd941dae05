import assert from "node:assert/strict";
import { changedPartitions } from "../../lib/replicate/partitions.ts";
import { Rig } from "./rig.ts";

function entry(partitionId: string, totalRows: string, lastModifiedTime = "100") {
  return { partitionId, totalRows, totalLogicalBytes: "0", lastModifiedTime };
}

Deno.test("changedPartitions() takes what is new, has other rows or was modified since", () => {
  const source = [
    entry("1", "5"),
    entry("2", "5"),
    entry("3", "6"),
    entry("4", "5", "101"),
    entry("5", "5", ""),
    entry("__NULL__", "1", "200"),
    entry("__UNPARTITIONED__", "9", "200"),
  ];
  const there = ["1", "3", "4", "5", "old"].map((id) => [id, entry(id, "5")] as const);
  const { changed, notes, needsAll } = changedPartitions(source, new Map(there), 100, true);
  assert.equal(needsAll, false);
  assert.deepEqual([...changed], [["2", "5"], ["3", "6"], ["4", "5"], ["5", "5"], [
    "__NULL__",
    "1",
  ]]);
  assert.deepEqual(notes, [
    "9 rows in the streaming buffer are not copied",
    "1 partitions are gone from the source and kept in the copy: old",
  ]);
});

Deno.test("changedPartitions() asks for the whole table when rows outside of all partitions changed", () => {
  const outside = (rows: string) =>
    new Map([["__UNPARTITIONED__", entry("__UNPARTITIONED__", rows)]]);
  type Entries = ReadonlyMap<string, ReturnType<typeof entry>>;
  const cases: readonly (readonly [Entries, Entries, boolean])[] = [
    [outside("9"), outside("9"), false],
    [outside("9"), outside("8"), true],
    [outside("9"), new Map(), true],
    [new Map(), outside("9"), true],
  ];
  for (const [source, there, needed] of cases) {
    const { changed, notes, needsAll } = changedPartitions(source.values(), there, 100, false);
    assert.deepEqual([needsAll, changed.size, notes], [needed, 0, []]);
  }
});

Deno.test("replicate --changed replaces what was modified since it was copied, and nothing else", async () => {
  const rig = new Rig();
  const old = rig.cloud.table("p1.web", "a", { description: "old", labels: { x: "1" } }, ["1"]);
  rig.cloud.table("p1.web", "b", {}, ["2"]);
  await rig.run({ via: "extract" });
  await rig.world.until(rig.world.sleep(60_000));
  old.writePartition("", ["1", "3"], rig.world.nowMs());
  old.resource = { schema: { fields: [{ name: "z", type: "STRING" }] }, labels: { y: "2" } };
  rig.cloud.touch(old);
  assert.deepEqual(await rig.run({ via: "extract", choice: "missing" }), {});
  assert.deepEqual(await rig.run({ via: "extract", choice: "changed" }), { a: "copied" });
  const copy = rig.destination.tables.get("a");
  assert.deepEqual(rig.rows("a"), ["1", "3"]);
  assert.deepEqual(copy?.fields(), [{ name: "z", type: "STRING" }]);
  assert.equal(copy?.resource["description"], undefined);
  assert.equal(copy?.labels()["x"], undefined);
  assert.equal(copy?.labels()["y"], "2");
  assert.deepEqual(await rig.run({ via: "extract", choice: "changed" }), {});
});

Deno.test("replicate --changed counts --number among those that changed", async () => {
  const rig = new Rig();
  for (const name of ["a", "b", "c", "d"]) rig.cloud.table("p1.web", name, {}, [name]);
  await rig.run({ via: "extract" });
  for (const name of ["a", "b", "d"]) {
    const table = rig.source.tables.get(name);
    if (table) rig.cloud.touch(table);
  }
  rig.cloud.table("p1.web", "c2", {}, ["new"]);
  const outcomes = await rig.run({ via: "extract", choice: "changed", number: 2, agents: 1 });
  assert.deepEqual(Object.keys(outcomes), ["d", "c2"]);
});

Deno.test("replicate --all copies again by other jobs, also what did not change", async () => {
  const rig = new Rig(["EU", "EU"]);
  rig.cloud.table("p1.web", "t", {}, ["a"]);
  for (const via of ["extract", "copy"] as const) {
    await rig.run({ via });
    rig.destination.tables.get("t")?.writePartition("", ["spoilt"], 0);
    assert.deepEqual(await rig.run({ via, choice: "all" }), { t: "copied" }, via);
    assert.deepEqual(rig.rows("t"), ["a"], via);
    assert.deepEqual(await rig.run({ via, choice: "all" }), { t: "copied" }, via);
    rig.destination.tables.delete("t");
    // Its job is done, and its table gone: another job makes it.
    assert.deepEqual(await rig.run({ via }), { t: "copied" }, via);
    assert.deepEqual(rig.rows("t"), ["a"], via);
    rig.destination.tables.delete("t");
  }
});

Deno.test("replicate copies again what somebody has put in the place of its copy, though its job is done", async () => {
  for (const via of ["copy", "extract"] as const) {
    for (const choice of ["all", "changed"] as const) {
      const rig = new Rig(["EU", "EU"]);
      rig.cloud.table("p1.web", "t", {}, ["a"]);
      await rig.run({ via });
      await rig.world.until(rig.world.sleep(3_600_000));
      // CREATE OR REPLACE TABLE: as many rows, and no marks.
      rig.cloud.table("p2.web_eu", "t", {}, ["z"]);
      await rig.world.until(rig.world.sleep(3_600_000));
      assert.deepEqual(await rig.run({ via, choice }), { t: "copied" }, `${via} ${choice}`);
      assert.deepEqual(rig.rows("t"), ["a"], `${via} ${choice}`);
    }
  }
});

Deno.test("replicate --changed goes by the time where a table has no marks", async () => {
  const rig = new Rig();
  const table = rig.cloud.table("p1.web", "t", {}, ["a"]);
  await rig.world.until(rig.world.sleep(2 * 86_400_000));
  rig.cloud.table("p2.web_eu", "t", {}, ["by another program"]);
  assert.deepEqual(await rig.run({ via: "extract", choice: "changed" }), {});
  assert.deepEqual(rig.rows("t"), ["by another program"]);
  rig.cloud.touch(table);
  assert.deepEqual(await rig.run({ via: "extract" }), {});
  assert.deepEqual(await rig.run({ via: "extract", choice: "changed" }), { t: "copied" });
  assert.deepEqual(rig.rows("t"), ["a"]);
});

Deno.test("replicate --partitions copies only the partitions that changed", async () => {
  for (const [locations, via] of [[["US", "EU"], "extract"], [["EU", "EU"], "auto"]] as const) {
    const rig = new Rig([locations[0], locations[1]]);
    const timePartitioning = { type: "DAY", field: "d" };
    const table = rig.cloud.table("p1.web", "t", { timePartitioning }, {
      "20260101": ["a", "b"],
      "20260102": ["c"],
    });
    const copied = via === "auto" ? {} : { via };
    await rig.run({ ...copied });
    const copy = rig.destination.tables.get("t");
    // The fake keeps rows of a whole load in one partition; BigQuery parts them.
    copy?.write(table.partitions, "WRITE_TRUNCATE", rig.world.nowMs());
    await rig.world.until(rig.world.sleep(60_000));
    table.writePartition("20260102", ["c", "d"], rig.world.nowMs());
    table.writePartition("20260103", ["e"], rig.world.nowMs());
    rig.cloud.touch(table);
    const before = rig.cloud.jobs.size;
    assert.deepEqual(await rig.run({ ...copied, choice: "partitions" }), { t: "copied" });
    assert.equal(rig.cloud.jobs.size - before, via === "auto" ? 2 : 4);
    assert.deepEqual(
      Object.fromEntries(rig.destination.tables.get("t")?.partitions ?? []),
      Object.fromEntries(table.partitions),
    );
    assert.deepEqual(await rig.run({ ...copied, choice: "partitions" }), {});
    assert.deepEqual(rig.cloud.objects(), []);
  }
});

Deno.test("replicate --partitions replaces a table whole when a column came, or rows outside of all ranges", async () => {
  const rangePartitioning = { field: "n", range: { start: "0", end: "9", interval: "1" } };
  const wider = { fields: [{ name: "a", type: "STRING" }, { name: "b", type: "STRING" }] };
  for (const [locations, via] of [[["US", "EU"], "extract"], [["EU", "EU"], "copy"]] as const) {
    for (const what of ["column", "rows"]) {
      const rig = new Rig([locations[0], locations[1]]);
      const days = { "1": ["a"], "__UNPARTITIONED__": ["far"] };
      const table = rig.cloud.table("p1.web", "t", { rangePartitioning }, days);
      await rig.run({ via });
      // The fake keeps rows of a whole load in one partition; BigQuery parts them.
      const copy = rig.destination.tables.get("t");
      copy?.write(table.partitions, "WRITE_TRUNCATE", rig.world.nowMs());
      await rig.world.until(rig.world.sleep(60_000));
      table.writePartition("2", ["b"], rig.world.nowMs());
      if (what === "column") table.resource = { ...table.resource, schema: wider };
      else table.writePartition("__UNPARTITIONED__", ["far", "off"], rig.world.nowMs());
      rig.cloud.touch(table);
      assert.deepEqual(await rig.run({ via, choice: "partitions" }), { t: "copied" }, what);
      assert.deepEqual(rig.rows("t"), table.rows.sort(), what);
      assert.deepEqual(copy?.fields(), table.fields(), what);
      const [outcome] = rig.outcomes;
      assert.deepEqual(outcome?.is === "copied" && [outcome.way, outcome.notes], [via, []]);
    }
  }
});

Deno.test("replicate --partitions tells how many partitions failed, and tries them in the next run", async () => {
  const rig = new Rig();
  const timePartitioning = { type: "DAY", field: "d" };
  const table = rig.cloud.table("p1.web", "t", { timePartitioning }, { "20260101": ["a"] });
  await rig.run({ via: "extract" });
  const wanted = { via: "extract", choice: "partitions" } as const;
  rig.destination.tables.get("t")?.write(table.partitions, "WRITE_TRUNCATE", rig.world.nowMs());
  await rig.world.until(rig.world.sleep(60_000));
  for (const day of ["20260102", "20260103"]) table.writePartition(day, [day], rig.world.nowMs());
  rig.cloud.touch(table);
  rig.cloud.jobFault = (_id, { load }) =>
    JSON.stringify(load ?? "").includes("$20260103")
      ? { reason: "invalid", message: "no" }
      : undefined;
  assert.deepEqual(await rig.run(wanted), { t: "failed" });
  assert.match(rig.reason("t"), /1 of its 2 partitions failed, the first 20260103: .*no/);
  rig.cloud.jobFault = () => undefined;
  assert.deepEqual(await rig.run(wanted), { t: "copied" });
  assert.deepEqual(rig.rows("t"), ["20260102", "20260103", "a"]);
  assert.deepEqual(rig.cloud.objects(), []);
});

Deno.test("replicate refuses to replace what is partitioned in another way", async () => {
  const rig = new Rig();
  const table = rig.cloud.table("p1.web", "t", {}, ["a"]);
  await rig.run({ via: "extract" });
  table.resource = { ...table.resource, timePartitioning: { type: "DAY", field: "d" } };
  rig.cloud.touch(table);
  assert.deepEqual(await rig.run({ via: "extract", choice: "changed" }), { t: "failed" });
  assert.match(rig.reason("t"), /partitioned in another way.*drop it/);
});

Deno.test("replicate has row access policies in the copy before its first row", async () => {
  const rig = new Rig();
  const table = rig.cloud.table("p1.web", "t", {}, ["a", "b"]);
  table.policies.set("eu", { filterPredicate: "x = 1", grantees: [] });
  assert.deepEqual(await rig.run({ via: "extract" }), { t: "refused" });
  assert.match(rig.reason("t"), /--row-policy-map eu=MEMBER/);
  assert.equal(rig.rows("t"), null);
  let rowsAtPolicy = -1;
  rig.cloud.onJob = (_id, { load }) => {
    const copy = rig.destination.tables.get("t");
    if (load) rowsAtPolicy = copy?.policies.size === 1 ? copy.rows.length : -1;
  };
  const rowPolicyMap = new Map([["eu", ["user:a@x"]]]);
  assert.deepEqual(await rig.run({ via: "extract", rowPolicyMap }), { t: "copied" });
  assert.equal(rowsAtPolicy, 0);
  assert.deepEqual(rig.rows("t"), ["a", "b"]);
  assert.deepEqual(rig.destination.tables.get("t")?.policies.get("eu")?.grantees, ["user:a@x"]);
});

Deno.test("replicate refuses row access policies on a table that is put together of partitions", async () => {
  const rig = new Rig();
  const days = { "20260101": ["a"] };
  const table = rig.cloud.table("p1.web", "t", { timePartitioning: { type: "DAY" } }, days);
  table.policies.set("eu", { filterPredicate: "x = 1", grantees: [] });
  const rowPolicyMap = new Map([["eu", ["user:a@x"]]]);
  assert.deepEqual(await rig.run({ via: "extract", rowPolicyMap }), { t: "refused" });
  assert.match(rig.reason("t"), /^its partitions are those of the time of loading and it has row/);
  assert.equal(rig.cloud.jobs.size, 0);
});

Deno.test("replicate sets foreign keys when the tables that they point to are there", async () => {
  const rig = new Rig();
  const key = (tableId: string, datasetId = "web") => ({
    name: `to_${tableId}`,
    referencedTable: { projectId: "p1", datasetId, tableId },
    columnReferences: [{ referencingColumn: "a", referencedColumn: "a" }],
  });
  rig.cloud.table("p1.web", "orders", {
    tableConstraints: {
      primaryKey: { columns: ["a"] },
      foreignKeys: [key("people"), key("x", "other")],
    },
  }, ["1"]);
  rig.cloud.table("p1.web", "people", { tableConstraints: { primaryKey: { columns: ["a"] } } }, [
    "2",
  ]);
  await rig.run({ via: "extract" });
  const constraints = rig.destination.tables.get("orders")?.resource["tableConstraints"];
  assert.deepEqual(constraints, {
    primaryKey: { columns: ["a"] },
    foreignKeys: [{
      ...key("people"),
      referencedTable: { projectId: "p2", datasetId: "web_eu", tableId: "people" },
    }],
  });
  const orders = rig.outcomes.find(({ name }) => name === "orders");
  assert.match(
    orders?.is === "copied" ? orders.notes.join() : "",
    /foreign key to_x to p1\.other\.x/,
  );
});
