import assert from "node:assert/strict";
import { runSluice } from "../support/command_line.ts";

const table = ["-p", "shop", "-d", "reports", "-t", "visits"];

const wrong: readonly [what: string, args: readonly string[], message: RegExp][] = [
  ["no table", [], /give --project-id PROJECT --dataset-id DATASET --table-id TABLE/],
  ["a project's name", ["-p", "Shop Ltd", "-d", "a", "-t", "b"], /the project "Shop Ltd": give/],
  ["a dataset with its project", ["-p", "a", "-d", "a.b", "-t", "c"], /dataset "a\.b": .* without/],
  ["a table with its dataset", ["-p", "a", "-d", "b", "-t", "b.c"], /table "b\.c": .* without/],
  ["two dispositions", [...table, "--force", "--append"], /--force and --append together/],
  [
    "a parameter without a type",
    [...table, "--parameter", "x"],
    /--parameter.*give NAME:TYPE:VALUE/,
  ],
  [
    "mixed parameters",
    [...table, "--parameter", "a::b", "--parameter", "::c"],
    /all of them a name/,
  ],
  ["a label in capitals", [...table, "--label", "Team=x"], /--label "Team=x"/],
  ["five columns to cluster by", [...table, "--clustering", "a,b,c,d,e"], /4 columns at most/],
  [
    "two ways to partition",
    [...table, "--time-partitioning-type", "DAY", "--range-partitioning", "n,0,9,1"],
    /by time and by ranges/,
  ],
  ["an expiration alone", [...table, "--time-partitioning-expiration", "1d"], /give --time-partit/],
  ["a file that is not there", [...table, "-f", "/nowhere/q.sql"], /\/nowhere\/q\.sql/],
];

Deno.test("materialize refuses what cannot be, with code 2 and one line", async () => {
  for (const [what, args, message] of wrong) {
    const { code, stdout, stderr } = await runSluice(["materialize", ...args]);
    assert.equal(code, 2, what);
    assert.match(stderr, message, what);
    assert.deepEqual([stdout, stderr.trimEnd().split("\n").length], ["", 1], what);
  }
});

Deno.test("materialize refuses an empty query; no server is code 10", async () => {
  const file = await Deno.makeTempFile({ suffix: ".sql" });
  try {
    const args = ["materialize", ...table, "-f", file, "--retry-for", "1s", "--log-level", "error"];
    const empty = await runSluice(args);
    assert.deepEqual([empty.code, empty.stderr], [
      2,
      "sluice: Cannot materialize: the query is empty\n",
    ]);
    await Deno.writeTextFile(file, "SELECT 1");
    const away = await runSluice([...args, "--bigquery-endpoint", "http://127.0.0.1:1"]);
    assert.equal(away.code, 10);
    assert.match(away.stderr, /nobody listens there/);
  } finally {
    await Deno.remove(file);
  }
});
