/** `sluice materialize` with the servers that stand in for BigQuery. */
import assert from "node:assert/strict";
import { Exit } from "../../lib/core/exit.ts";
import { type Outcome, runSluice } from "../support/command_line.ts";
import type { BigQueryServer } from "../support/bigquery_server.ts";
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
import { within } from "../support/waiting.ts";

const down = { do: "answer", status: 503, reason: "backendError" } as const;
const denied = { do: "answer", status: 403, reason: "accessDenied" } as const;

const insert = isCall("POST", "/projects/{project}/jobs");
const polled = isCall("GET", "/projects/{project}/jobs/{job}");

const all = "SELECT id, text FROM `reports.web_us.visits`";
const least = `${all} WHERE id >= @least`;

/** What the steps have: a server with a table to ask, and the command to write another one. */
class Stage {
  constructor(readonly server: BigQueryServer, readonly pair: DatasetPair) {}

  argsOf(file: string, more: readonly string[]): string[] {
    return [
      ...["materialize", "-p", "reports", "-d", "web_us", "-t", "top", "--json", "-f", file],
      ...more,
    ];
  }

  async run(sql: string, more: readonly string[] = []): Promise<Outcome> {
    await using file = await queryFile(sql);
    return await runSluice(this.argsOf(file.path, more), { env: this.server.env() });
  }

  /** The table, as tables.get gives it. */
  get table(): Record<string, unknown> | undefined {
    return this.server.table(this.pair.us("top"));
  }

  rows(): Promise<string[]> {
    return this.server.rows(this.pair.us("top"));
  }

  /** Resolves when such a call has been carried out. @throws {Error} after two minutes. */
  async met(when: (call: GoogleCall) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.server.proxy.faults.add({ do: "runAfter", when, act: () => resolve() });
    assert.ok(await within(promise, 120_000), "no such call within two minutes");
  }

  /** How many query jobs there have been. */
  get jobs(): number {
    return this.server.jobs.count("query");
  }
}

/** In this order: each begins with what the one before has left. */
const steps: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  "a dry run writes nothing": async (stage) => {
    const { code, stdout, stderr } = await stage.run(all, ["--dry-run"]);
    assert.equal(code, Exit.ok, stderr);
    assert.deepEqual(JSON.parse(stdout), { status: "planned", bytes: "160", statement: "SELECT" });
    assert.equal(stage.table, undefined);
  },
  "a new table, with parameters, clustering and labels": async (stage) => {
    let labels: Record<string, string> = {};
    const look = (call: GoogleCall) => void (labels = call.body.configuration.labels);
    stage.server.proxy.faults.add({ do: "run", when: isJob("query", /WRITE_EMPTY/), act: look });
    const { code, stdout, stderr } = await stage.run(least, [
      ...["--parameter", "least:INT64:3", "--clustering", "id", "--label", "team=web"],
      ...["--range-partitioning", "id,0,10,5"],
    ]);
    assert.equal(code, Exit.ok, stderr);
    assert.equal(labels["team"], "web");
    const { status, rows: written } = JSON.parse(stdout);
    assert.deepEqual([status, written], ["written", "2"]);
    assert.equal((await stage.rows()).length, 2);
    assert.deepEqual(stage.table?.["clustering"], { fields: ["id"] });
    assert.deepEqual(
      stage.table?.["rangePartitioning"],
      { field: "id", range: { start: "0", end: "10", interval: "5" } },
    );
  },
  "rows that are there stay without --force": async (stage) => {
    const { code, stderr } = await stage.run(all);
    assert.equal(code, Exit.failed);
    assert.match(stderr, /rows in top already; --force replaces them, --append adds to them/);
    assert.equal((await stage.rows()).length, 2);
  },
  "--append adds, and adds again; --force replaces": async (stage) => {
    const append = ["--append", "--parameter", "least:INT64:4"];
    for (const expected of [3, 4]) {
      assert.equal((await stage.run(least, append)).code, Exit.ok);
      assert.equal((await stage.rows()).length, expected);
    }
    assert.equal(
      (await stage.run(least, ["--force", "--parameter", "least:INT64:3"])).code,
      Exit.ok,
    );
    const written = (await stage.rows()).map((row) => JSON.parse(row).slice(1));
    assert.deepEqual(written, [["3", "text 3"], ["4", "text 4"]]);
  },
  "a run that has a name is done once": async (stage) => {
    const named = ["--append", "--run-id", "2026-01-01", "--parameter", "least:INT64:4"];
    const [first, second] = [await stage.run(least, named), await stage.run(least, named)];
    assert.deepEqual([first.code, second.code], [0, 0], first.stderr + second.stderr);
    assert.deepEqual(
      [first, second].map(({ stdout }) => JSON.parse(stdout).status),
      ["written", "was done before"],
    );
    assert.equal((await stage.rows()).length, 3);
  },
  "one that is killed leaves its job, and the same command finds it": async (stage) => {
    const before = stage.jobs;
    await using file = await queryFile(all);
    const args = stage.argsOf(file.path, ["--append"]);
    const release = stage.server.jobs.hold();
    {
      const begun = stage.met(insert);
      await using sluice = await SluiceProcess.start(args, stage.server.env());
      await begun;
      await sluice.end("SIGKILL");
    }
    const second = runSluice(args, { env: stage.server.env() });
    // It comes upon the job while that runs, however long this process took to start.
    await stage.met(insert);
    await stage.met(polled);
    release();
    const { code, stderr } = await second;
    assert.equal(code, Exit.ok, stderr);
    assert.equal(stage.jobs, before + 1);
    assert.equal((await stage.rows()).length, 8);
  },
  "a stop leaves the job to itself and ends with 130; the same command finds it": async (stage) => {
    const before = stage.jobs;
    await using file = await queryFile(`${all} LIMIT 0`);
    const args = stage.argsOf(file.path, ["--append"]);
    const release = stage.server.jobs.hold();
    const waiting = stage.met((call) => polled(call) && stage.jobs > before);
    await using sluice = await SluiceProcess.start(args, stage.server.env());
    await waiting;
    assert.equal(await sluice.end("SIGTERM"), Exit.interrupted);
    assert.match(await sluice.log(), /stopped waiting; sluice_query_\w+: .*same command finds it/);
    const second = runSluice(args, { env: stage.server.env() });
    await stage.met(insert);
    await stage.met(polled);
    release();
    const { code, stderr } = await second;
    assert.equal(code, Exit.ok, stderr);
    assert.equal(stage.jobs, before + 1);
  },
  "a lost answer begins no second job": async (stage) => {
    const before = stage.jobs;
    stage.server.proxy.faults.add({ do: "loseReply", when: isJob("query") });
    assert.equal((await stage.run(`${all} LIMIT 1`, ["--append"])).code, Exit.ok);
    assert.equal(stage.jobs, before + 1);
    assert.equal((await stage.rows()).length, 9);
  },
  "exit codes": async (stage) => {
    const wrong = await stage.run("SELECT nothing FROM `reports.web_us.visits`", ["--force"]);
    assert.equal(wrong.code, Exit.failed, wrong.stderr);
    const dear = await stage.run(`${all} LIMIT 2`, ["--force", "--maximum-bytes-billed", "1B"]);
    assert.equal(dear.code, Exit.failed, dear.stderr);
    assert.match(dear.stderr, /bytes billed/);
    assert.equal((await stage.run(" ")).code, Exit.usage);
    for (const [fault, code] of [[down, Exit.unreachable], [denied, Exit.denied]] as const) {
      const rule = stage.server.proxy.faults.add({
        ...fault,
        when: isJob("query"),
        times: Infinity,
      });
      const { code: found, stderr } = await stage.run(`${all} LIMIT 3`, [
        "--force",
        "--retry-for",
        "1s",
      ]);
      rule.remove();
      assert.equal(found, code, stderr);
    }
    assert.equal((await stage.rows()).length, 9);
  },
};

Deno.test("materialize writes, replaces, appends, previews, attaches, and tells by its exit code", async (t) => {
  await using server = await startReplicating();
  const pair = await DatasetPair.make(server, "reports");
  await pair.fill("visits", plain, someRows(5));
  const stage = new Stage(server, pair);
  for (const [name, step] of Object.entries(steps)) await t.step(name, () => step(stage));
});
