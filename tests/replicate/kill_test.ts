import assert from "node:assert/strict";
import { Rig, type Wanted } from "./rig.ts";

/** What a dataset looks like that all kills are tried on. */
function fill(rig: Rig): void {
  rig.cloud.table("p1.web", "t1", { description: "one" }, ["a", "b", "c"]);
  rig.cloud.table("p1.web", "t10", { labels: { x: "y" } }, ["d", "e"]);
  rig.cloud.table("p1.web", "days", { timePartitioning: { type: "DAY" } }, {
    "20260101": ["f", "g"],
    "20260102": ["h"],
  });
  rig.cloud.table("p1.web", "empty", {});
}

/** Runs until the n-th moment (before and after each call are two), then no call answers any more. */
async function runUntil(rig: Rig, moment: number, wanted: Wanted): Promise<boolean> {
  let left = moment;
  const hang = () => new Promise<void>(() => {});
  try {
    await rig.run(wanted, () => left-- <= 0 ? hang() : Promise.resolve());
    return false;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.message.startsWith("Nothing can go on")) return true;
    throw thrown;
  }
}

function assertWhole(rig: Rig, moment: number): void {
  const at = `killed at moment ${moment}`;
  for (const [tableId, table] of rig.source.tables) {
    assert.deepEqual(rig.rows(tableId), table.rows.sort(), `${tableId}, ${at}`);
    const copy = rig.destination.tables.get(tableId);
    assert.equal(copy?.resource["description"], table.resource["description"], at);
    assert.equal(copy?.labels()["x"], table.labels()["x"], at);
    assert.equal(copy?.labels()["sluice_state"], undefined, at);
    assert.ok(copy?.labels()["sluice_source"] !== undefined, `${tableId} has no marks, ${at}`);
  }
  const days = rig.source.tables.get("days")?.partitions;
  assert.deepEqual(rig.destination.tables.get("days")?.partitions, days, at);
  assert.deepEqual(rig.cloud.objects(), [], at);
  const others = [...rig.destination.tables.keys()].filter((name) => !rig.source.tables.has(name));
  assert.deepEqual(others, [], at);
}

const ways: Record<string, readonly [[string, string], Wanted]> = {
  "through files": [["US", "EU"], { via: "extract" }],
  "by copy jobs": [["EU", "EU"], {}],
  "by whatever works": [["US", "EU"], {}],
};

for (const [way, [locations, wanted]] of Object.entries(ways)) {
  Deno.test(`replicate, killed at any moment, ${way}: the next run leaves all whole and nothing else`, async () => {
    // Every third moment, which is one before and one after a call in turns.
    for (let moment = 0;; moment += 3) {
      const rig = new Rig(locations);
      fill(rig);
      if (!await runUntil(rig, moment, wanted)) break;
      // Nobody sees a part of a table, whatever the moment.
      for (const [tableId, table] of rig.destination.tables) {
        if (tableId.startsWith("sluice_tmp_")) continue;
        const { rows } = rig.source.tables.get(tableId) ?? { rows: [] };
        assert.deepEqual(table.rows.sort(), rows.sort(), `${tableId} at ${moment}`);
      }
      const outcomes = Object.values(await rig.run(wanted));
      assert.ok(outcomes.every((is) => is === "copied"), `at ${moment}: ${outcomes}`);
      assertWhole(rig, moment);
    }
  });
}

Deno.test("replicate, killed again and again, goes on each time and comes to its end", async () => {
  const rig = new Rig();
  fill(rig);
  let kills = 0;
  for (let moment = 3; await runUntil(rig, moment, { via: "extract" }); moment += 2) {
    kills++;
    assert.ok(kills < 200);
  }
  assertWhole(rig, -1);
  assert.ok(kills > 5);
  // No job was done twice: every one that was begun was found again.
  const extracts = [...rig.cloud.jobs.keys()].filter((id) => id.includes("extract"));
  assert.ok(extracts.every((id) => id.endsWith("_0")), extracts.join());
});

Deno.test("replicate replaces changed tables whole, killed at any moment", async () => {
  for (let moment = 0;; moment += 3) {
    const rig = new Rig();
    fill(rig);
    await rig.run({ via: "extract" });
    const table = rig.source.tables.get("t1");
    if (table === undefined) throw new Error("t1 is gone");
    table.writePartition("", ["z", "y"], rig.world.nowMs());
    rig.cloud.touch(table);
    const wanted: Wanted = { via: "extract", choice: "changed" };
    if (!await runUntil(rig, moment, wanted)) break;
    const between = rig.rows("t1")?.join();
    assert.ok(between === "a,b,c" || between === "y,z", between);
    await rig.run(wanted);
    assertWhole(rig, moment);
  }
});

Deno.test("replicate of what changed also finishes copies that it was killed before it had marked", async () => {
  for (let moment = 0;; moment += 3) {
    const rig = new Rig(["EU", "EU"]);
    fill(rig);
    if (!await runUntil(rig, moment, { choice: "changed" })) break;
    await rig.run({ choice: "changed" });
    assertWhole(rig, moment);
  }
});

Deno.test("replicate of what changed finds a source that changed while the copy job of a killed run went on", async () => {
  for (let moment = 0;; moment++) {
    const rig = new Rig(["EU", "EU"]);
    const table = rig.cloud.table("p1.web", "t1", { description: "one" }, ["a", "b"]);
    if (!await runUntil(rig, moment, { choice: "changed" })) break;
    // The job reads, the source changes, and only then the copy appears.
    table.writePartition("", ["a", "b", "c"], rig.world.nowMs());
    rig.cloud.touch(table);
    await rig.world.until(rig.world.sleep(60_000));
    await rig.run({ choice: "changed" });
    assertWhole(rig, moment);
  }
});

Deno.test("replicate, killed at any moment and then faced with a changed source, leaves all whole", async () => {
  for (let moment = 0;; moment += 3) {
    const rig = new Rig();
    fill(rig);
    if (!await runUntil(rig, moment, { via: "extract" })) break;
    for (const table of rig.source.tables.values()) {
      if (table.rows.length > 0) table.writePartition("20260103", ["new"], rig.world.nowMs());
      rig.cloud.touch(table);
    }
    await rig.run({ via: "extract", choice: "changed", cleansAll: true });
    assertWhole(rig, moment);
  }
});

Deno.test("replicate --clean leaves alone what is put together for another source of the same destination", async () => {
  const rig = new Rig();
  const days = rig.cloud.table("p1.web", "days", { timePartitioning: { type: "DAY" } }, {
    "20260101": ["a"],
  });
  // Killed when its partitions are in the temporary table.
  const killed = rig.run(
    { via: "extract" },
    (_when, call) =>
      call.startsWith("jobs.insert sluice_place_") ? new Promise(() => {}) : Promise.resolve(),
  );
  await assert.rejects(killed, /Nothing can go on/);
  const isTemporary = (name: string) => name.startsWith("sluice_tmp_");
  const left = () => [...rig.destination.tables.keys()].filter(isTemporary).length;
  assert.equal(left(), 1);
  rig.cloud.dataset("p1.other", "US");
  const other = { projectId: "p1", datasetId: "other" };
  await rig.run({ via: "extract", source: other, cleansAll: true });
  assert.equal(left(), 1);
  rig.cloud.touch(days);
  await rig.run({ via: "extract", cleansAll: true });
  assert.deepEqual([left(), rig.rows("days")], [0, ["a"]]);
});

Deno.test("two runs at once, begun at different moments, double nothing", async () => {
  for (const delayMs of [0, 500, 2_100, 2_600, 4_300, 5_000, 5_400, 7_000]) {
    const rig = new Rig();
    rig.cloud.table("p1.web", "t1", {}, ["a", "b", "c"]);
    rig.cloud.table("p1.web", "t2", {}, ["d"]);
    const first = rig.begin({ via: "extract" });
    const second = rig.world.sleep(delayMs).then(() => rig.begin({ via: "extract" }));
    await rig.world.until(Promise.all([first, second]), 1e7);
    assert.deepEqual(rig.rows("t1"), ["a", "b", "c"], String(delayMs));
    assert.deepEqual(rig.rows("t2"), ["d"], String(delayMs));
    assert.ok(
      rig.outcomes.every(({ is }) => is === "copied"),
      rig.outcomes.map(({ is }) => is).join(),
    );
    assert.deepEqual(rig.cloud.objects(), [], String(delayMs));
  }
});
