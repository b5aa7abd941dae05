// deno-lint-ignore-file no-console -- the counts are what is published
import assert from "node:assert/strict";
import { isJob } from "../support/google_proxy_faults.ts";
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
  const begun = server.jobs.count();
  let ends = 0;
  let calls = 70;
  let last = "";
  for (let kill = 0; kill < times;) {
    // Jobs that run on while nobody looks, and such that are done at once.
    server.jobs.latencyMs = kill % 2 === 0 ? 0 : 400;
    const call = Math.floor(Math.random() * calls);
    const moment = moments[kill % moments.length] ?? "before it is sent";
    if (await killAtCall(pair, args, { call, moment }) === null) {
      kill++;
      last = `call ${call}, ${moment}`;
      continue;
    }
    await pair.assertAllSame(`end ${++ends} after ${kill} kills, the last at ${last}`);
    // What is left to do has fewer calls than that.
    calls = Math.max(20, calls - 5);
    await pair.add(`t${ends % 2 === 0 ? 1 : 10}`, someRows(2, ends * 1_000));
    await pair.fill(`new${ends}`, plain, someRows(3, ends));
  }
  const { code, stderr } = await pair.run(args);
  assert.equal(code, 0, stderr);
  await pair.assertAllSame(`the end, the last kill at ${last}`);
  return `${pair.tablesOf("us").length} tables, ${ends + 1} times to the end, ` +
    `${server.jobs.count() - begun} jobs: all equal, nothing left`;
}

const ways: Readonly<Record<string, readonly string[]>> = {
  files: ["--changed", "--via", "extract"],
  copies: ["--changed", "--number-of-agents", "2"],
};

/** What is left by crashes is gone on with; before, there are no copies, and the sources change. */
async function crashAndGoOn(
  pair: DatasetPair,
  args: readonly string[],
  states: readonly string[],
): Promise<void> {
  await pair.dropCopies();
  const first = pair.server.jobs.count() * 1_000;
  for (const tableId of ["t1", "t10", "days"]) await pair.add(tableId, someRows(1, first));
  for (const state of states) await crashAt(pair, args, `after-${state}`);
  const { code, stderr } = await pair.run(args);
  assert.equal(code, 0, `${states}: ${stderr}`);
  await pair.assertAllSame(states.join(", then "));
}

/** The states of tables that go through files, in chains of crashes that go on from each other. */
const chains = [
  ["planned", "extracting", "moving", "loading", "printing", "cleaning"],
  ["guarding", "splitting", "extracted", "rechecking"],
  ["creating", "placing", "marking"],
];
const isLong = kills > 40;

Deno.test(`replicate, killed at ${kills} random calls and after each state: the copies are equal, nothing is left`, async (t) => {
  await using server = await startReplicating();
  await t.step("SIGKILL at random calls", async () => {
    const each = Math.ceil(kills / Object.keys(ways).length);
    await Promise.all(
      Object.entries(ways).map(async ([name, args]) => {
        const pair = await DatasetPair.make(server, `random-${name}`);
        await fill(pair);
        console.info(`${each} kills, ${name}: ${await killAgainAndAgain(pair, args, each)}`);
      }),
    );
  });
  server.jobs.latencyMs = 0;
  const files = await DatasetPair.make(server, "files");
  await fill(files);
  await files.fill("guarded", plain, someRows(4));
  files.restrict("guarded", "few", "id < 2");
  const byFiles = ["--via", "extract", "--verify", "fingerprint", ...guards];
  for (const states of isLong ? chains.flat().map((one) => [one]) : chains) {
    await t.step(
      `a crash after ${states.join(", then ")}`,
      () => crashAndGoOn(files, byFiles, states),
    );
  }
  const copies = await DatasetPair.make(server, "copies");
  await fill(copies);
  await t.step(
    "a crash after copying, then probing, then contested",
    // One agent: the first table comes to all of them.
    () => crashAndGoOn(copies, ["--number-of-agents", "1"], ["copying", "probing", "contested"]),
  );
  await t.step("a crash after spoiling: a copy that came out wrong is made anew", async () => {
    server.proxy.faults.add({
      do: "runAfter",
      when: (call) => copies.owns(call) && isJob("load", /"tableId":"t1"/)(call),
      act: () => server.insert(copies.eu("t1"), someRows(1, 500)),
    });
    await crashAndGoOn(copies, ["--via", "extract"], ["spoiling"]);
  });
});
