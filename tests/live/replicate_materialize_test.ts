/** `sluice materialize` with the servers that stand in for BigQuery. */
import assert from "node:assert/strict";
import { Exit } from "../../lib/core/exit.ts";
import { type Outcome, runSluice } from "../support/command_line.ts";
import type { GoogleCall } from "../support/google_proxy_calls.ts";
import { isCall, isJob } from "../support/google_proxy_faults.ts";
import {
  DatasetPair,
  plain,
  queryFile,
  someRows,
  startReplicating,
} from "../support/replicate_rig.ts";
import { SluiceProcess } from "../support/sluice_process.ts";

const down = { do: "answer", status: 503, reason: "backendError" } as const;
const denied = { do: "answer", status: 403, reason: "accessDenied" } as const;

Deno.test("materialize writes, replaces, appends, previews, attaches, and tells by its exit code", async (t) => {
  await using server = await startReplicating();
  const pair = await DatasetPair.make(server, "reports");
  await pair.fill("visits", plain, someRows(5));
  const name = pair.us("top");
  const argsOf = (file: string, more: readonly string[]) => [
    ...["materialize", "-p", "reports", "-d", "web_us", "-t", "top", "--json", "-f", file],
    ...more,
  ];
  const run = async (sql: string, more: readonly string[] = []): Promise<Outcome> => {
    await using file = await queryFile(sql);
    return await runSluice(argsOf(file.path, more), { env: server.env() });
  };
  const rows = () => server.rows(name);
  const all = "SELECT id, text FROM `reports.web_us.visits`";
  const least = `${all} WHERE id >= @least`;
  const two = ['["","3","text 3"]', '["","4","text 4"]'];

  await t.step("a dry run writes nothing", async () => {
    const { code, stdout, stderr } = await run(all, ["--dry-run"]);
    assert.equal(code, Exit.ok, stderr);
    assert.deepEqual(JSON.parse(stdout), { status: "planned", bytes: "160", statement: "SELECT" });
    assert.equal(server.table(name), undefined);
  });
  await t.step("a new table, with parameters, clustering and labels", async () => {
    let labels: Record<string, string> = {};
    const look = (call: GoogleCall) => void (labels = call.body.configuration.labels);
    server.proxy.faults.add({ do: "run", when: isJob("query", /WRITE_EMPTY/), act: look });
    const { code, stdout, stderr } = await run(least, [
      ...["--parameter", "least:INT64:3", "--clustering", "id", "--label", "team=web"],
      ...["--range-partitioning", "id,0,10,5"],
    ]);
    assert.equal(code, Exit.ok, stderr);
    assert.equal(labels["team"], "web");
    const { status, rows: written } = JSON.parse(stdout);
    assert.deepEqual([status, written], ["written", "2"]);
    assert.equal((await rows()).length, 2);
    assert.deepEqual(server.table(name)?.["clustering"], { fields: ["id"] });
    assert.deepEqual(
      server.table(name)?.["rangePartitioning"],
      { field: "id", range: { start: "0", end: "10", interval: "5" } },
    );
  });
  await t.step("rows that are there stay without --force", async () => {
    const { code, stderr } = await run(all);
    assert.equal(code, Exit.failed);
    assert.match(stderr, /rows in top already; --force replaces them, --append adds to them/);
    assert.equal((await rows()).length, 2);
  });
  await t.step("--append adds, and adds again; --force replaces", async () => {
    const append = ["--append", "--parameter", "least:INT64:4"];
    for (const expected of [3, 4]) {
      assert.equal((await run(least, append)).code, Exit.ok);
      assert.equal((await rows()).length, expected);
    }
    assert.equal((await run(least, ["--force", "--parameter", "least:INT64:3"])).code, Exit.ok);
    assert.deepEqual((await rows()).map((row) => row.replace(/^\["\d*"/, '[""')), two);
  });
  await t.step("a run that has a name is done once", async () => {
    const named = ["--append", "--run-id", "2026-01-01", "--parameter", "least:INT64:4"];
    const [first, second] = [await run(least, named), await run(least, named)];
    assert.deepEqual([first.code, second.code], [0, 0], first.stderr + second.stderr);
    assert.deepEqual(
      [first, second].map(({ stdout }) => JSON.parse(stdout).status),
      ["written", "was done before"],
    );
    assert.equal((await rows()).length, 3);
  });
  await t.step("one that is killed leaves its job, and the same command finds it", async () => {
    server.jobs.latencyMs = 4_000;
    const before = server.jobs.count("query");
    await using file = await queryFile(all);
    {
      await using sluice = await SluiceProcess.start(
        argsOf(file.path, ["--append"]),
        server.env(),
      );
      const insert = isCall("POST", "/projects/{project}/jobs");
      const begun = new Promise<void>((resolve) =>
        server.proxy.faults.add({ do: "runAfter", when: insert, act: () => resolve() })
      );
      await begun;
      await sluice.end("SIGKILL");
    }
    const { code, stderr } = await runSluice(argsOf(file.path, ["--append"]), {
      env: server.env(),
    });
    server.jobs.latencyMs = 0;
    assert.equal(code, Exit.ok, stderr);
    assert.equal(server.jobs.count("query"), before + 1);
    assert.equal((await rows()).length, 8);
  });
  await t.step("a lost answer begins no second job", async () => {
    const before = server.jobs.count("query");
    server.proxy.faults.add({ do: "loseReply", when: isJob("query") });
    assert.equal((await run(`${all} LIMIT 1`, ["--append"])).code, Exit.ok);
    assert.equal(server.jobs.count("query"), before + 1);
    assert.equal((await rows()).length, 9);
  });
  await t.step("exit codes", async () => {
    const wrong = await run("SELECT nothing FROM `reports.web_us.visits`", ["--force"]);
    assert.equal(wrong.code, Exit.failed, wrong.stderr);
    const dear = await run(`${all} LIMIT 2`, ["--force", "--maximum-bytes-billed", "1B"]);
    assert.equal(dear.code, Exit.failed, dear.stderr);
    assert.match(dear.stderr, /bytes billed/);
    assert.equal((await run(" ")).code, Exit.usage);
    for (const [fault, code] of [[down, Exit.unreachable], [denied, Exit.denied]] as const) {
      const rule = server.proxy.faults.add({ ...fault, when: isJob("query"), times: Infinity });
      const { code: found, stderr } = await run(`${all} LIMIT 3`, ["--force", "--retry-for", "1s"]);
      rule.remove();
      assert.equal(found, code, stderr);
    }
    assert.equal((await rows()).length, 9);
  });
});
