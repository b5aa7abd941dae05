import assert from "node:assert/strict";
import { Exit } from "../../lib/core/exit.ts";
import { Permits } from "../../lib/core/permits.ts";
import { marksOf } from "../../lib/replicate/marks.ts";
import type { BigQueryServer } from "../support/bigquery_server.ts";
import type { GoogleCall } from "../support/google_proxy_calls.ts";
import { type FaultAct, isCall, isJob } from "../support/google_proxy_faults.ts";
import { DatasetPair, plain, someRows, startReplicating } from "../support/replicate_rig.ts";
import { SluiceProcess } from "../support/sluice_process.ts";

/** Commands that run at once: they wait more than they work. */
const atOnce = 3;
const byFiles = ["--via", "extract"];

/** What a case has: two tables, one's name the beginning of the other's. */
class Case {
  constructor(readonly server: BigQueryServer, readonly pair: DatasetPair) {}

  /** Adds a fault for calls of this case. */
  add(
    act: FaultAct,
    when: (call: GoogleCall) => boolean,
    more: { readonly times?: number; readonly share?: number } = {},
  ): { readonly met: () => number; readonly remove: () => void } {
    const { pair } = this;
    const isIt = (call: GoogleCall) => pair.owns(call) && when(call);
    return this.server.proxy.faults.add({ ...act, ...more, when: isIt });
  }

  /** Runs the command; gives how each table came out, and checks the code. */
  async run(code: number, args: readonly string[] = byFiles): Promise<Record<string, string>> {
    const outcome = await this.pair.run(args);
    assert.equal(outcome.code, code, `${outcome.stdout}\n${outcome.stderr}`);
    return Object.fromEntries(
      [...outcome.tables.values()].map((
        { name, status, reason },
      ) => [name, reason === undefined ? status : `${status}: ${reason}`]),
    );
  }

  /** Nothing is there of this table, and none of its files. */
  async assertAbsent(tableId: string): Promise<void> {
    assert.equal(this.server.table(this.pair.eu(tableId)), undefined, tableId);
    assert.deepEqual(await this.pair.staged(), []);
  }

  /** How many jobs there were. */
  count(kind: string): number {
    return this.server.jobs.count(kind, this.pair.name);
  }
}

const insert = isCall("POST", "/projects/{project}/jobs");
const always = { times: Infinity };
const ofTable = (tableId: string) => new RegExp(`"tableId":"${tableId}"`);
const denied: FaultAct = { do: "answer", status: 403, reason: "accessDenied" };

const cases: Readonly<Record<string, (one: Case) => Promise<void>>> = {
  "lost, cut and never sent requests for jobs: no job is begun twice": async (one) => {
    const lost = one.add({ do: "loseReply" }, insert, { times: 2 });
    const cut = one.add({ do: "cutReply" }, isJob("load"), { times: 1 });
    const never = one.add({ do: "loseRequest" }, isJob("extract"), { times: 1 });
    await one.run(Exit.ok);
    assert.deepEqual([lost.met(), cut.met(), never.met()], [2, 1, 1]);
    await one.pair.assertAllSame("after lost answers");
    assert.deepEqual([one.count("extract"), one.count("load")], [2, 2]);
  },

  "two runs at once: each job is begun once, both end well": async (one) => {
    // The first of them to ask for a job waits until the other asks for the same.
    const met = new Map<string, PromiseWithResolvers<void>>();
    const meet = async ({ body }: GoogleCall) => {
      const id = String(body?.jobReference?.jobId);
      const other = met.get(id);
      if (other !== undefined) return other.resolve();
      const one = Promise.withResolvers<void>();
      met.set(id, one);
      await one.promise;
    };
    one.add({ do: "run", act: meet }, isJob("extract"), always);
    await Promise.all([one.run(Exit.ok), one.run(Exit.ok)]);
    await one.pair.assertAllSame("after two runs at once");
    assert.equal(one.count("load"), 2);
    const { calls } = one.server.proxy;
    assert.ok(
      calls.some(({ names, status }) => names["project"] === one.pair.name && status === 409),
    );
  },

  "storms of 429 and 503 pass": async (one) => {
    const storms = [[429, "rateLimitExceeded"], [503, "backendError"], [403, "rateLimitExceeded"]];
    const rules = storms.map(([status, reason]) =>
      one.add(
        { do: "answer", status: Number(status), reason: String(reason) },
        () => true,
        { times: 4, share: 0.15 },
      )
    );
    await one.run(Exit.ok);
    assert.ok(rules.some(({ met }) => met() > 0));
    await one.pair.assertAllSame("after a storm");
    assert.equal(one.count("load"), 2);
  },

  "jobs that end with what may pass are done again under another id": async (one) => {
    for (const kind of ["extract", "load"]) {
      one.add({ do: "failJob", reason: "backendError" }, isJob(kind));
    }
    await one.run(Exit.ok);
    await one.pair.assertAllSame("after jobs that failed");
    assert.deepEqual([one.count("extract"), one.count("load")], [3, 3]);
  },

  "a job that ends with an error for good fails its table; once mended, the used id is no hindrance":
    async (one) => {
      const message = "Too many values";
      one.add({ do: "failJob", reason: "invalid", message }, isJob("load", ofTable("t1")));
      const outcomes = await one.run(Exit.partial);
      assert.match(outcomes["t1"] ?? "", /^failed: Cannot copy table t1: Too many values \(job /);
      assert.equal(outcomes["t10"], "copied");
      await one.assertAbsent("t1");
      await one.pair.assertSame("t10");
      await one.run(Exit.ok);
      await one.pair.assertAllSame("when it was mended");
    },

  "a right that is missing for one table fails that one, for all it ends with 11": async (one) => {
    const rule = one.add(denied, isJob("extract", ofTable("t10")), always);
    const outcomes = await one.run(Exit.partial);
    assert.match(outcomes["t10"] ?? "", /^failed: .*accessDenied/);
    await one.assertAbsent("t10");
    await one.pair.assertSame("t1");
    await one.run(Exit.denied);
    rule.remove();
    const no = one.add(denied, isCall("GET", "/projects/{project}/datasets/{dataset}"), always);
    await one.run(Exit.denied);
    no.remove();
    await one.run(Exit.ok);
    await one.pair.assertAllSame("with the right");
  },

  "what does not pass ends with 10 after --retry-for, and the next run goes on": async (one) => {
    const down: FaultAct = { do: "answer", status: 503, reason: "backendError" };
    const rule = one.add(down, isJob("load"), always);
    const outcomes = await one.run(Exit.unreachable, [...byFiles, "--retry-for", "1s"]);
    assert.match(outcomes["t1"] ?? "", /^failed: .*backendError/);
    rule.remove();
    await one.run(Exit.ok);
    await one.pair.assertAllSame("when it was up again");
    assert.equal(one.count("extract"), 2, "the first run's files were loaded");
  },

  "a table that changes while it is extracted is done again, one that never rests is given up":
    async (one) => {
      const { pair } = one;
      let rows = 100;
      const change = () => pair.add("t1", someRows(1, rows++));
      one.add({ do: "runAfter", act: change }, isJob("extract", ofTable("t1")), { times: 2 });
      await one.run(Exit.ok);
      await pair.assertAllSame("after changes");
      assert.equal(copyOf(one, "t1")?.["numRows"], "7");
      one.add({ do: "runAfter", act: change }, isJob("extract", ofTable("t1")), always);
      await change();
      const outcomes = await one.run(Exit.failed, [...byFiles, "--changed"]);
      assert.match(outcomes["t1"] ?? "", /^failed: .*changed each of the 4 times/);
      assert.deepEqual(await pair.staged(), []);
      assert.equal(copyOf(one, "t1")?.["numRows"], "7", "the older copy is whole");
    },

  "a table that changes while it is copied by a copy job is done again": async (one) => {
    const { pair } = one;
    const change = () => pair.add("t10", someRows(1, 100));
    one.add({ do: "runAfter", act: change }, isJob("copy", ofTable("t10")));
    await one.run(Exit.ok, []);
    await pair.assertAllSame("after a change");
  },

  "a copy that somebody adds to before it is counted is marked, and made anew": async (one) => {
    const { pair } = one;
    const meddle = () => one.server.insert(pair.eu("t1"), someRows(1, 500));
    one.add({ do: "runAfter", act: meddle }, isJob("load", ofTable("t1")));
    const outcomes = await one.run(Exit.partial);
    assert.match(outcomes["t1"] ?? "", /^failed: .*the copy has 6 rows and the source 5/);
    const labels = copyOf(one, "t1")?.["labels"] as Record<string, string>;
    assert.equal(marksOf(labels).state, "wrong");
    assert.deepEqual(await pair.staged(), []);
    await one.run(Exit.ok);
    await pair.assertAllSame("made anew");
  },

  "t1 is cleaned up while t10 waits for its load: t10's files stay": async (one) => {
    one.add({ do: "stall", ms: 3_000 }, isJob("load", ofTable("t10")));
    await one.run(Exit.ok);
    await one.pair.assertAllSame("after waiting");
    assert.deepEqual([one.count("extract"), one.count("load")], [2, 2]);
  },

  "a stop lets the table that was begun come to its end, and leaves the others": async (one) => {
    const { pair, server } = one;
    const { promise: isStopping, resolve: goOn } = Promise.withResolvers<void>();
    one.add({ do: "run", act: () => isStopping }, isJob("load"), always);
    const args = [...pair.args, ...byFiles, "--number-of-agents", "1"];
    await using sluice = await SluiceProcess.start(args, server.env());
    await sluice.said(`"t10"`, `"loading"`);
    const ended = sluice.end("SIGTERM");
    await sluice.said("Stopping").finally(goOn);
    assert.equal(await ended, Exit.interrupted, await sluice.log());
    await pair.assertSame("t10");
    await one.assertAbsent("t1");
    await one.run(Exit.ok);
    await pair.assertAllSame("after the next run");
  },
};

function copyOf({ server, pair }: Case, tableId: string): Record<string, unknown> | undefined {
  return server.table(pair.eu(tableId));
}

Deno.test("replicate in trouble: the final state is equal, and the exit code tells", async (t) => {
  await using server = await startReplicating();
  const permits = new Permits(atOnce);
  await Promise.all(
    Object.entries(cases).map(([name, act], i) =>
      permits.use(() =>
        t.step({
          name,
          // Several at once.
          ...{ sanitizeOps: false, sanitizeResources: false, sanitizeExit: false },
          fn: async () => {
            const pair = await DatasetPair.make(server, `trouble-${i}`);
            await pair.fill("t1", { ...plain, labels: { a: "b" } }, someRows(5));
            await pair.fill("t10", plain, someRows(3, 100));
            await act(new Case(server, pair));
          },
        })
      )
    ),
  );
});
