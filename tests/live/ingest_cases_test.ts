import assert from "node:assert/strict";
import { ingestCases } from "../support/ingest_cases.ts";
import { checkCase, runCases } from "../support/ingest_cases_run.ts";
import {
  bucketStore,
  type CaseStore,
  type CaseTarget,
  folderStore,
  pgliteTarget,
  postgresTarget,
  redshiftTarget,
} from "../support/ingest_cases_target.ts";
import { startPostgres } from "../support/postgres_server.ts";
import { assertRedshiftTakes } from "../support/redshift_grammar.ts";
import { startRedshift } from "../support/redshift_stand_in.ts";
import { startS3 } from "../support/s3_server.ts";
import { TempFiles } from "../support/temp_files.ts";

Deno.test("there are forty cases at least, each by a name of its own", () => {
  assert.ok(ingestCases.length >= 40);
  assert.equal(new Set(ingestCases.map(({ id }) => id)).size, ingestCases.length);
});

async function compare(
  t: Deno.TestContext,
  target: CaseTarget,
  store: CaseStore,
  chosen = ingestCases,
): Promise<void> {
  const { cases, complaints, strays } = await runCases(chosen, target, store);
  for (const one of chosen) {
    await t.step(`${one.id}: ${one.what}`, () => {
      const result = cases.get(one.id);
      assert.ok(result);
      checkCase(one, target.kind, result);
    });
  }
  await t.step("the exit codes tell what was refused, and nothing else is left", () => {
    assert.deepEqual(complaints, []);
    assert.deepEqual(strays, []);
  });
}

Deno.test("PostgreSQL holds what the model says: files of S3", async (t) => {
  await using server = await startPostgres();
  await using s3 = await startS3();
  using store = await bucketStore(s3, "cases");
  await compare(t, await postgresTarget(server, "cases"), store);
});

Deno.test("PostgreSQL holds what the model says: files of a folder, a third of the cases", async (t) => {
  await using server = await startPostgres();
  await using files = await TempFiles.of();
  const some = ingestCases.filter(({ passes }, i) => i % 3 === 0 || passes.length > 2);
  await compare(t, await postgresTarget(server, "cases"), folderStore(files.folder), some);
});

Deno.test("PGlite holds what the model says: files of a folder", async (t) => {
  await using base = await TempFiles.of();
  await using files = await TempFiles.of();
  await compare(t, pgliteTarget(base.path("db")), folderStore(files.folder));
});

Deno.test("what stands in for Redshift holds what the model says: files of S3", async (t) => {
  await using s3 = await startS3();
  await using redshift = await startRedshift({ s3 });
  using store = await bucketStore(s3, "cases");
  await compare(t, redshiftTarget(redshift), store);
  assertRedshiftTakes(...redshift.statements);
});
