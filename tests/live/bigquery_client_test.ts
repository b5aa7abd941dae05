/** BigQuery's and Cloud Storage's clients with the servers that stand in for them. */
import assert from "node:assert/strict";
import "./bigquery_row_cases.ts";
import "./bigquery_job_cases.ts";
import { endShared } from "./bigquery_rig.ts";

Deno.test("The servers end and leave nothing", async () => {
  const folder = await endShared();
  if (folder !== undefined) await assert.rejects(Deno.stat(folder), Deno.errors.NotFound);
});
