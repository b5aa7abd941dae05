// deno-lint-ignore-file no-console -- the counts are what is published
import assert from "node:assert/strict";
import { crashAt, killAtCall, type Moment } from "../support/replicate_kills.ts";
import { DatasetPair, plain, someRows, startReplicating } from "../support/replicate_rig.ts";

const kills = Number(Deno.env.get("SLUICE_TEST_KILLS") ?? 40);
const moments: readonly Moment[] = [
  "before it is sent",
  "while it is carried out",
  "before it is answered",
];
const days = { ...plain, timePartitioning: { type: "DAY" }, description: "by loading" };
const guards = ["--row-policy-map", "few=user:somebody"];

async function fill(pair: DatasetPair): Promise<void> {
  await pair.fill("t1", { ...plain, labels: { team: "web" } }, someRows(5));
  await pair.fill("t10", { ...plain, description: "ten" }, someRows(3, 100));
  await pair.fill("days", days, { "20260101": someRows(3), "20260102": someRows(2, 7) });
  await pair.fill("empty", plain);
}

/** Kills replicate over and over; whenever it comes to its end all is compared, and the source changes. */
async function killAgainAndAgain(
  pair: DatasetPair,
  args: readonly string[],
  times: number,
): Promise<string> {
  const { server } = pair;
  let ends = 0;
  let calls = 70;
  for (let kill = 0; kill < times;) {
    // Jobs that run on while nobody looks, and such that are done at once.
    server.jobs.latencyMs = kill % 2 === 0 ? 0 : 400;
    const call = Math.floor(Math.random() * calls);
    const moment = moments[kill % moments.length] ?? "before it is sent";
    if (await killAtCall(pair, args, { call, moment }) === null) {
      kill++;
      continue;
    }
    await pair.assertAllSame(`end ${++ends} after ${kill} kills`);
    // What was left to do had fewer calls than that.
    calls = Math.max(20, calls - 5);
    await pair.add(`t${ends % 2 === 0 ? 1 : 10}`, someRows(2, ends * 1_000));
    await pair.fill(`new${ends}`, plain, someRows(3, ends));
  }
  server.jobs.latencyMs = 0;
  const { code, stderr } = await pair.run(args);
  assert.equal(code, 0, stderr);
  await pair.assertAllSame("the end");
  return `${pair.tablesOf("us").length} tables, ${ends + 1} times to the end, ` +
    `${server.jobs.count()} jobs: all equal, nothing left`;
}

const ways: Readonly<Record<string, readonly string[]>> = {
  files: ["--changed", "--via", "extract"],
  copies: ["--changed", "--number-of-agents", "2"],
};

Deno.test(`SIGKILL at ${kills} random calls: the copies end equal, and nothing is left`, async (t) => {
  await using server = await startReplicating();
  const each = Math.ceil(kills / Object.keys(ways).length);
  for (const [name, args] of Object.entries(ways)) {
    await t.step(name, async () => {
      const pair = await DatasetPair.make(server, name);
      await fill(pair);
      console.info(`${each} kills, ${name}: ${await killAgainAndAgain(pair, args, each)}`);
    });
  }
});

/** What is left by a crash is gone on with; then the copies are dropped, and the sources change. */
async function crashAndGoOn(
  pair: DatasetPair,
  args: readonly string[],
  points: readonly string[],
): Promise<void> {
  await pair.dropCopies();
  const first = pair.server.jobs.count() * 1_000;
  for (const tableId of ["t1", "t10", "days"]) await pair.add(tableId, someRows(1, first));
  for (const point of points) await crashAt(pair, args, point);
  const { code, stderr } = await pair.run(args);
  assert.equal(code, 0, `${points}: ${stderr}`);
  await pair.assertAllSame(points.join(", then "));
}

Deno.test("a crash after each state of a table: the next run goes on to the end", async (t) => {
  await using server = await startReplicating();
  const files = await DatasetPair.make(server, "files");
  await fill(files);
  await files.fill("guarded", plain, someRows(4));
  files.restrict("guarded", "few", "id < 2");
  const byFiles = ["--via", "extract", "--verify", "fingerprint", ...guards];
  const states = [
    ...["planned", "splitting", "creating", "extracting", "extracted", "moving", "guarding"],
    ...["loading", "placing", "rechecking", "printing", "marking", "cleaning"],
  ];
  for (const state of states) {
    await t.step(`files, ${state}`, () => crashAndGoOn(files, byFiles, [`after-${state}`]));
  }
  const copies = await DatasetPair.make(server, "copies");
  await fill(copies);
  for (const points of [["copying"], ["copying", "probing"], ["copying", "contested"]]) {
    await t.step(`copies, ${points.join(", then ")}`, async () => {
      await crashAndGoOn(copies, ["--number-of-agents", "1"], points.map((one) => `after-${one}`));
    });
  }
});
