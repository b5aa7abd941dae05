import assert from "node:assert/strict";
import { DatasetPair, type RowsOfTable, startReplicating } from "../support/replicate_rig.ts";
import {
  kindsProject,
  mappings,
  partitionKinds,
  refusedKinds,
  settingKinds,
  typeKinds,
} from "../support/replicate_kinds.ts";

const kinds = [...typeKinds, ...partitionKinds, ...settingKinds, ...refusedKinds];

function rowsOf(rows: RowsOfTable): string {
  return String(Object.values(rows).flat().length);
}

Deno.test(`${kinds.length} tables of every kind come from US to EU equal, or are refused with the reason`, async () => {
  assert.ok(kinds.length >= 100, String(kinds.length));
  await using server = await startReplicating();
  const pair = await DatasetPair.make(server, kindsProject);
  for (const { name, settings, rows } of kinds) {
    await pair.fill(name, settings, rows);
    assert.equal(server.table(pair.us(name))?.["numRows"], rowsOf(rows), `${name}: made`);
  }
  const { code, tables, stderr } = await pair.run(
    ["--via", "extract", "--number-of-agents", "8", ...mappings],
    { timeoutMs: 300_000 },
  );
  assert.equal(code, 3, stderr);
  assert.deepEqual([...tables.keys()].sort(), kinds.map(({ name }) => name).sort());
  const wrong: string[] = [];
  for (const { name, refused } of kinds) {
    const { status, reason = "" } = tables.get(name) ?? {};
    const isAsWanted = refused === undefined
      ? status === "copied"
      : status === "refused" && refused.test(reason);
    if (!isAsWanted) wrong.push(`${name}: ${status} ${reason}`);
  }
  assert.deepEqual(wrong, []);
  for (const { name, rows, refused, mapped } of kinds) {
    if (refused === undefined) {
      assert.equal(tables.get(name)?.rows, rowsOf(rows), name);
      await pair.assertSame(name, name, mapped);
    } else assert.equal(server.table(pair.eu(name)), undefined, name);
  }
  assert.deepEqual(await pair.staged(), []);
});
