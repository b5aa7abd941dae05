import assert from "node:assert/strict";
import { SluiceError } from "../../lib/core/errors.ts";
import { Counts } from "../../lib/replicate/counts.ts";
import { ReplicateDaemon } from "../../lib/replicate/daemon.ts";
import { planJson, planText } from "../../lib/replicate/plan.ts";
import type { Outcome, Report } from "../../lib/replicate/report.ts";
import type { Listener } from "../../lib/replicate/round.ts";
import { checkSession, planSession, runSession } from "../../lib/replicate/session.ts";
import type { ReplicateSettings } from "../../lib/replicate/settings.ts";
import { refusal } from "./fake_tables.ts";
import { Rig, settingsOf } from "./rig.ts";

const never = new AbortController().signal;

/** Everything that commands/replicate.ts makes, around a rig. */
function toolsOf(rig: Rig, wanted: Partial<ReplicateSettings> = {}) {
  const { bigQuery: client, store } = rig.cloud.client();
  const { quota } = rig.contextOf();
  return { client, store, world: rig.world, settings: settingsOf(wanted), quota };
}

function listening(): { readonly outcomes: Outcome[]; readonly listener: Listener } {
  const outcomes: Outcome[] = [];
  const ended = (outcome: Outcome) => void outcomes.push(outcome);
  return {
    outcomes,
    listener: { ended, partitionEnded: () => {}, reached: () => {}, failing: () => {} },
  };
}

async function runViews(rig: Rig, wanted: Partial<ReplicateSettings> = {}): Promise<Outcome[]> {
  const { outcomes, listener } = listening();
  const settings = { via: "extract" as const, includeViews: true, ...wanted };
  const options = { cleansAll: false, onRound: () => {} };
  await rig.world.until(runSession(toolsOf(rig, settings), listener, options, never));
  return outcomes;
}

function withViews(): Rig {
  const rig = new Rig();
  rig.cloud.table("p1.web", "visits", {}, ["a"]);
  rig.cloud.table("p1.web", "a_view", {
    type: "VIEW",
    view: { query: "SELECT * FROM web.z_view WHERE `p1.web.f`(a)", useLegacySql: false },
    description: "of a view",
  });
  rig.cloud.table("p1.web", "z_view", {
    type: "VIEW",
    view: { query: "SELECT a FROM `p1.web.visits`", useLegacySql: false },
  });
  rig.cloud.table("p1.web", "m_view", {
    type: "MATERIALIZED_VIEW",
    materializedView: { query: "SELECT COUNT(*) FROM web.visits", enableRefresh: true },
  });
  const routineReference = { projectId: "p1", datasetId: "web", routineId: "f" };
  rig.source.routines.set("f", {
    routineReference,
    routineType: "SCALAR_FUNCTION",
    language: "SQL",
    definitionBody: "x IN (SELECT a FROM web.visits)",
  });
  return rig;
}

Deno.test("replicate --include-views makes views after what they need, with the destination's names", async () => {
  const rig = withViews();
  const outcomes = await runViews(rig);
  assert.deepEqual(outcomes.map(({ name, is }) => [name, is]), [
    ...["visits", "f", "z_view", "a_view", "m_view"].map((name) => [name, "copied"]),
  ]);
  const view = rig.destination.tables.get("a_view")?.resource;
  assert.deepEqual(view?.["view"], {
    query: "SELECT * FROM web_eu.z_view WHERE `p2.web_eu.f`(a)",
    useLegacySql: false,
  });
  assert.equal(view?.["description"], "of a view");
  assert.deepEqual(rig.destination.tables.get("m_view")?.resource["materializedView"], {
    query: "SELECT COUNT(*) FROM web_eu.visits",
    enableRefresh: true,
  });
  const made = rig.destination.routines.get("f");
  assert.equal(made?.definitionBody, "x IN (SELECT a FROM web_eu.visits)");
  assert.deepEqual((await runViews(rig)).map(({ is }) => is), ["unchanged"]);
});

Deno.test("replicate --include-views carries what guards a view, and tells what it cannot carry", async () => {
  const rig = new Rig();
  const view = {
    query: "SELECT a FROM web.t",
    useLegacySql: false,
    privacyPolicy: { aggregationThresholdPolicy: { threshold: "50", privacyUnitColumns: ["a"] } },
  };
  const schema = { fields: [{ name: "a", type: "STRING", description: "who" }] };
  rig.cloud.table("p1.web", "v", { type: "VIEW", view, schema });
  const [copied] = await runViews(rig);
  assert.deepEqual(copied?.is === "copied" && copied.notes, [
    "the descriptions of its columns are not carried",
  ]);
  assert.deepEqual(rig.destination.tables.get("v")?.resource["view"], view);
});

Deno.test("replicate --changed --include-views changes what was changed", async () => {
  const rig = withViews();
  await runViews(rig);
  const view = rig.source.tables.get("z_view");
  if (view === undefined) throw new Error("no view");
  view.resource = { ...view.resource, view: { query: "SELECT 2 FROM web.visits" } };
  rig.cloud.touch(view);
  for (const copy of rig.destination.tables.values()) {
    if (copy.resource["view"]) copy.resource = { type: "VIEW", ...copy.resource };
    if (copy.resource["materializedView"]) {
      copy.resource = { type: "MATERIALIZED_VIEW", ...copy.resource };
    }
  }
  const outcomes = await runViews(rig, { choice: "changed" });
  assert.deepEqual(
    outcomes.filter(({ is }) => is === "copied").map((
      one,
    ) => [one.name, one.is === "copied" && one.way]),
    [["z_view", "changed"]],
  );
  assert.deepEqual(rig.destination.tables.get("z_view")?.resource["view"], {
    query: "SELECT 2 FROM web_eu.visits",
  });
});

Deno.test("replicate names views as skipped without --include-views, and that is no failure", async () => {
  const rig = withViews();
  const outcomes = await runViews(rig, { includeViews: false });
  const skipped = outcomes.filter(({ is }) => is === "skipped").map(({ name }) => name);
  assert.deepEqual(skipped, ["z_view", "m_view", "a_view"]);
});

Deno.test("replicate fails a routine that uses a connection, and copies the others", async () => {
  const rig = withViews();
  const routineReference = { projectId: "p1", datasetId: "web", routineId: "remote" };
  const routineType = "SCALAR_FUNCTION";
  const remote = { routineReference, routineType, remoteFunctionOptions: { connection: "x" } };
  rig.source.routines.set("remote", remote);
  const outcomes = await runViews(rig);
  const bad = outcomes.filter(({ is }) => is !== "copied");
  assert.match(
    bad[0]?.is === "failed" ? bad[0].reason : "",
    /routine remote: it uses a connection/,
  );
  assert.equal(outcomes.length, 6);
});

Deno.test("planSession() tells what would be done and lost, and changes nothing", async () => {
  const rig = withViews();
  rig.cloud.table("p1.web", "odd", {
    schema: { fields: [{ name: "a", type: "RANGE" }, { name: "j", type: "JSON" }] },
  }, ["x"]);
  const days = { "20260101": ["x"], "20260102": [] };
  rig.cloud.table("p1.web", "days", { timePartitioning: { type: "DAY" } }, days);
  rig.cloud.table("p1.web", "fresh", { streamingBuffer: { estimatedRows: "12" } }, ["x"]);
  rig.cloud.table("p1.web", "nothing", {});
  rig.cloud.table("p1.web", "nothing_yet", { streamingBuffer: { estimatedRows: "3" } });
  const parted = rig.cloud.table("p1.web", "parted", { timePartitioning: { type: "DAY" } }, ["x"]);
  parted.policies.set("few", { filterPredicate: "x = 1", grantees: [] });
  const rowPolicyMap = new Map([["few", ["user:a"]]]);
  const settings = { via: "extract" as const, verify: "fingerprint" as const, rowPolicyMap };
  const plan = await rig.world.until(planSession(toolsOf(rig, settings), never));
  const lines = planText(plan).join("\n");
  assert.match(lines, /odd: refused: no format carries it exactly/);
  assert.match(
    lines,
    /parted: refused: its partitions are those of the time of loading and it has/,
  );
  assert.match(lines, /days: 1 rows, 1 bytes: extract as avro, load, one partition at a time/);
  assert.match(lines, /fresh: .*\n {2}12 rows in the streaming buffer are not copied/);
  assert.match(lines, /nothing_yet: 0 rows, 0 bytes: extract as avro, load\n/);
  assert.match(lines, /nothing: 0 rows, 0 bytes: made empty/);
  assert.match(lines, /z_view: skipped: a view; --include-views copies it/);
  assert.match(lines, /5 tables, 3 bytes: 1 copy, 5 extract and 5 load jobs; 2 refused/);
  assert.ok(!lines.includes("across locations"));
  assert.match(lines, /fingerprints read 6 bytes, about \$0\.0000/);
  const json = planJson(plan).map((one) => JSON.parse(JSON.stringify(one)));
  assert.equal(json.find(({ name }) => name === "odd").status, "refused");
  assert.equal(json.find(({ name }) => name === "days").jobs, 5);
  assert.equal(json.at(-1).extractJobs, 5);
  assert.equal(rig.destination.tables.size, 0);
  assert.equal(rig.cloud.jobs.size, 0);
});

Deno.test("planSession() counts the partitions that changed, and refuses what the run could not replace", async () => {
  const rig = new Rig();
  const timePartitioning = { type: "DAY", field: "d" };
  const days = { "20260101": ["a"], "20260102": ["b"] };
  const table = rig.cloud.table("p1.web", "t", { timePartitioning }, days);
  const cut = rig.cloud.table("p1.web", "cut", {}, ["x"]);
  const kept = rig.cloud.table("p1.web", "kept", {}, ["x"]);
  rig.cloud.isCopiedAcross = true;
  await rig.run({ via: "copy" });
  await rig.world.until(rig.world.sleep(60_000));
  for (const day of ["20260102", "20260103"]) table.writePartition(day, [day], rig.world.nowMs());
  cut.resource = { ...cut.resource, timePartitioning };
  kept.policies.set("eu", { filterPredicate: "x = 1", grantees: [] });
  for (const one of [table, cut, kept]) rig.cloud.touch(one);
  const rowPolicyMap = new Map([["eu", ["user:a@x"]]]);
  const wanted = { choice: "partitions" as const, rowPolicyMap };
  const plan = await rig.world.until(planSession(toolsOf(rig, wanted), never));
  const lines = planText(plan).join("\n");
  assert.match(lines, /^t: 3 rows, .*: copy job across locations, its 2 changed partitions$/m);
  assert.match(lines, /^cut: refused: .*partitioned in another way.*drop it there$/m);
  assert.match(
    lines,
    /^kept: refused: a table with row access policies is not replaced; drop its/m,
  );
  assert.match(lines, /^1 tables, .*: 2 copy, 0 extract and 0 load jobs; 2 refused$/m);
  assert.match(lines, /^2 of 2000 copy jobs across locations that are left today$/m);
  // What the run does of it: as many jobs, and the same refusals.
  const before = rig.cloud.jobs.size;
  const ends = await rig.run(wanted);
  assert.deepEqual(ends, { t: "copied", cut: "failed", kept: "failed" });
  assert.equal(rig.cloud.jobs.size - before, 2);
});

Deno.test("checkSession() names datasets and buckets that are not there, and doubts about places", async () => {
  const rig = new Rig();
  assert.match((await checkSession(toolsOf(rig), never)).join(), /is in US and the dataset in EU/);
  const bucket = { bucket: "none", prefix: "" };
  await assert.rejects(
    checkSession(toolsOf(rig, { bucket }), never),
    /gs:\/\/none: there is no such/,
  );
  const destination = { projectId: "p2", datasetId: "nowhere" };
  await assert.rejects(
    checkSession(toolsOf(rig, { destination }), never),
    /the destination dataset p2\.nowhere: there is none; make it/,
  );
});

function daemonOf(rig: Rig, watchMs: number | null, wanted: Partial<ReplicateSettings> = {}) {
  const { outcomes, listener } = listening();
  const counts = new Counts();
  const reports: Report[] = [];
  const onReport = (report: Report) => void reports.push(report);
  const tools = toolsOf(rig, { via: "extract", ...wanted });
  const options = { watchMs, cleansAll: false, counts, onReport };
  return { daemon: new ReplicateDaemon(tools, listener, options), counts, outcomes, reports };
}

const exits: readonly [
  what: string,
  bad: readonly string[],
  reason: string,
  status: number,
  exit: number,
][] = [
  ["all are copied", [], "", 0, 0],
  ["some fail", ["t1"], "invalid", 400, 3],
  ["all fail", ["t1", "t2"], "invalid", 400, 1],
  ["all are denied", ["t1", "t2"], "accessDenied", 403, 11],
  ["nothing answers", ["t1", "t2"], "backendError", 503, 10],
];

for (const [what, bad, reason, status, exit] of exits) {
  Deno.test(`replicate ends with ${exit} when ${what}`, async () => {
    const rig = new Rig();
    for (const name of ["t1", "t2"]) rig.cloud.table("p1.web", name, {}, [name]);
    rig.cloud.fault = (call) =>
      bad.some((name) => call === `tables.get ${name}`) ? refusal(status, reason, "no") : undefined;
    const { daemon, counts } = daemonOf(rig, null, { patienceMs: 1_000 });
    assert.equal(await rig.world.until(daemon.run(never)), exit);
    assert.equal(counts.failed, bad.length);
    assert.equal(counts.copied, 2 - bad.length);
    assert.equal(daemon.notReady().length, bad.length);
    assert.deepEqual([daemon.lastCounts?.failed, daemon.lastCounts?.refused], [bad.length, 0]);
  });
}

Deno.test("replicate cannot begin without an answer or rights, and says so", async () => {
  for (
    const [status, reason, fault] of [[403, "accessDenied", "denied"], [503, "x", "transient"]]
  ) {
    const rig = new Rig();
    rig.cloud.fault = () => refusal(Number(status), String(reason), "no");
    const { daemon } = daemonOf(rig, null, { patienceMs: 1_000 });
    await assert.rejects(
      rig.world.until(daemon.run(never)),
      (thrown) => thrown instanceof SluiceError && thrown.fault === fault,
    );
  }
});

Deno.test("replicate ends with 130 when it was stopped before all was done", async () => {
  const rig = new Rig();
  for (let i = 0; i < 5; i++) rig.cloud.table("p1.web", `t${i}`, {}, ["a"]);
  const stop = new AbortController();
  const { daemon, outcomes } = daemonOf(rig, null, { agents: 2 });
  rig.world.sleep(1_500).then(() => stop.abort());
  assert.equal(await rig.world.until(daemon.run(stop.signal)), 130);
  // What was begun is finished, and no more is begun.
  assert.deepEqual(outcomes.map(({ is }) => is).sort(), [
    ...["copied", "copied", "stopped", "stopped", "stopped"],
  ]);
});

Deno.test("replicate --watch copies what comes, goes on after trouble, and stops in order", async () => {
  const rig = new Rig();
  rig.cloud.table("p1.web", "t1", {}, ["a"]);
  const stop = new AbortController();
  const { daemon, counts } = daemonOf(rig, 3_600_000, { patienceMs: 1_000 });
  assert.deepEqual(daemon.notReady(), ["the datasets have not been compared yet"]);
  assert.equal(daemon.lastCounts, null);
  const running = daemon.run(stop.signal);
  await rig.world.until(rig.world.sleep(60_000));
  assert.deepEqual([counts.rounds, counts.copied, daemon.notReady()], [1, 1, []]);
  rig.cloud.table("p1.web", "t2", {}, ["b"]);
  rig.cloud.fault = () => refusal(403, "accessDenied", "no");
  await rig.world.until(rig.world.sleep(3_600_000));
  assert.equal(counts.copied, 1);
  assert.match(daemon.notReady().join(), /no \(accessDenied/);
  rig.cloud.fault = () => undefined;
  await rig.world.until(rig.world.sleep(2 * 3_600_000));
  assert.deepEqual([counts.copied, daemon.notReady()], [2, []]);
  stop.abort();
  assert.equal(await rig.world.until(running), 0);
});

Deno.test("replicate tells its copies not to expire where the destination's tables do", async () => {
  const rig = new Rig();
  rig.cloud.expirationMs = "3600000";
  rig.cloud.table("p1.web", "empty", {});
  rig.cloud.table("p1.web", "full", {}, ["a"]);
  rig.cloud.table("p1.web", "old", { expirationTime: "9999" }, ["a"]);
  const { daemon } = daemonOf(rig, null);
  assert.equal(await rig.world.until(daemon.run(never)), 0);
  const expires = (name: string) => rig.destination.tables.get(name)?.resource["expirationTime"];
  assert.deepEqual(["empty", "full", "old"].map(expires), [undefined, undefined, "9999"]);
  assert.equal(rig.destination.tables.get("empty")?.labels()["sluice_state"], undefined);
});

Deno.test("replicate keeps old partitions where the destination's would expire before they are told not to", async () => {
  const rig = new Rig();
  rig.cloud.expirationMs = "3600000";
  const days = { "20200101": ["a"] };
  const own = { type: "DAY", field: "d", expirationMs: "1000" };
  rig.cloud.table("p1.web", "column", { timePartitioning: { type: "DAY", field: "d" } }, days);
  rig.cloud.table("p1.web", "loading", { timePartitioning: { type: "DAY" } }, days);
  rig.cloud.table("p1.web", "own", { timePartitioning: own }, days);
  const made = new Map<string, unknown>();
  const told = (resource: Record<string, unknown> | undefined) =>
    (resource?.["timePartitioning"] as { expirationMs?: string } | undefined)?.expirationMs;
  rig.cloud.onJob = (_id, { load }) => {
    const { tableId } = (load?.["destinationTable"] ?? { tableId: "" }) as { tableId: string };
    const temporary = rig.destination.tables.get(tableId.split("$")[0] ?? "")?.resource;
    if (load) made.set(temporary ? "temporary" : tableId, told(temporary ?? load));
  };
  const { daemon } = daemonOf(rig, null);
  assert.equal(await rig.world.until(daemon.run(never)), 0);
  const lasting = "9223372036828800000";
  assert.deepEqual(
    Object.fromEntries(made),
    { column: lasting, temporary: lasting, own: "1000" },
  );
  const left = ["column", "loading", "own"].map((name) =>
    told(rig.destination.tables.get(name)?.resource) ?? null
  );
  assert.deepEqual(left, [null, null, "1000"]);
});
