import assert from "node:assert/strict";
import { type Outcome, runSluice } from "./command_line.ts";
import { manifestOf, targetVariable } from "./ingest_cases_manifest.ts";
import {
  betweenSql,
  columnsOn,
  ledgerSql,
  makeSql,
  rowsSql,
  startSql,
  tableOf,
} from "./ingest_cases_sql.ts";
import type { CaseStore, CaseTarget } from "./ingest_cases_target.ts";
import type { IngestCase, TargetKind } from "./ingest_cases_type.ts";
import { inOrder, loaded, type ModelRow, type Value } from "./ingest_model.ts";

/** What is to be seen of one case when everything has run. */
export interface CaseResult {
  readonly rows: readonly (readonly Value[])[];
  readonly beside: readonly (readonly Value[])[];
  readonly ledger: readonly string[];
  /** What is left in its directory, by name. */
  readonly left: readonly string[];
  /** What was logged of its directory. */
  readonly log: string;
}

/** What all cases came to. */
export interface RunResult {
  readonly cases: ReadonlyMap<string, CaseResult>;
  /** What is wrong with the exit codes of the processes; empty when all is well. */
  readonly complaints: readonly string[];
  /** Files that are left and belong to no case. */
  readonly strays: readonly string[];
}

/** Files are put side by side, so many. */
const putsAtOnce = 16;

/** Loads all cases into one target, pass after pass, each pass one process over all directories. */
export async function runCases(
  cases: readonly IngestCase[],
  target: CaseTarget,
  store: CaseStore,
): Promise<RunResult> {
  await target.make(cases.flatMap((one) => makeSql(one, target.kind)), cases.flatMap(startSql));
  const passes = Math.max(...cases.map((one) => one.passes.length));
  const seen: Outcome[] = [];
  const complaints: string[] = [];
  const isOdd = cases.some((one) => directoryOf(one, target.kind).startsWith("odd/"));
  const ingest = async (isFirst: boolean) => {
    const outcome = await ingestOnce(isFirst ? ".*" : "good/.*", target, store);
    seen.push(outcome);
    const code = isFirst && isOdd ? 3 : 0;
    const troubles = outcome.stderr.split("\n")
      .filter((line) => line.includes('"level":"error"') && line.includes('"good/'));
    if (outcome.code === code && troubles.length === 0) return;
    complaints.push(`exit code ${outcome.code}, ${code} is right\n${troubles.join("\n")}`);
  };
  try {
    for (let pass = 0; pass < passes; pass++) {
      const between = cases.flatMap((one) => betweenSql(one, pass));
      if (between.length > 0) await target.run(between);
      await drop(cases, pass, target.kind, store);
      // What is refused stands apart: it would be refused again.
      await ingest(pass === 0);
    }
    const strays = (await store.keys()).filter((key) => !/^(good|odd)\//.test(key));
    return { cases: await look(cases, target, store, seen), complaints, strays };
  } catch (thrown) {
    // When nothing was loaded there is nothing to look at either.
    throw new Error(complaints.join("\n") || "The cases cannot be run", { cause: thrown });
  }
}

/** Directories where something is to be refused stand apart: the exit code tells of it. */
function directoryOf(one: IngestCase, kind: TargetKind): string {
  const isBad = one.passes.flat().some(({ fate }) => fate === "bad");
  return `${isBad || one.refusedOn?.[kind] !== undefined ? "odd" : "good"}/${one.id}`;
}

async function drop(
  cases: readonly IngestCase[],
  pass: number,
  kind: TargetKind,
  store: CaseStore,
): Promise<void> {
  const encoder = new TextEncoder();
  const puts = cases.flatMap((one) => {
    const directory = directoryOf(one, kind);
    const files = (one.passes[pass] ?? []).map(({ name, bytes }) => [name, bytes] as const);
    const manifest = manifestOf(one);
    const named = pass > 0 ? [] : [[manifest.name, encoder.encode(manifest.text)] as const];
    return [...files, ...named].map(([name, bytes]) => [`${directory}/${name}`, bytes] as const);
  });
  for (let at = 0; at < puts.length; at += putsAtOnce) {
    const some = puts.slice(at, at + putsAtOnce);
    await Promise.all(some.map(([key, bytes]) => store.put(key, bytes)));
  }
}

async function ingestOnce(
  keyPattern: string,
  target: CaseTarget,
  store: CaseStore,
): Promise<Outcome> {
  // PGlite is opened once when all wait for it, not for each directory.
  const workers = target.kind === "pglite" ? 200 : 4;
  const args = [
    `--from=${store.url}`,
    "--once",
    `--key-pattern=${keyPattern}`,
    `--workers=${workers}`,
  ];
  return await runSluice(["ingest", ...args, ...store.args], {
    env: { ...store.env, [targetVariable]: target.url },
    timeoutMs: 300_000,
  });
}

async function look(
  cases: readonly IngestCase[],
  target: CaseTarget,
  store: CaseStore,
  seen: readonly Outcome[],
): Promise<ReadonlyMap<string, CaseResult>> {
  const asked = cases.flatMap((one) => [
    rowsSql(tableOf(one), columnsOn(one, target.kind)),
    one.beside === undefined ? "SELECT '[]'" : rowsSql(one.beside.table, null),
    one.refusedOn?.[target.kind] === undefined
      ? ledgerSql(one, directoryOf(one, target.kind))
      : "SELECT '[]'",
  ]);
  const answers = (await target.ask(asked)).map((text) => JSON.parse(text));
  const keys = await store.keys();
  const lines = seen.flatMap(({ stderr }) => stderr.split("\n"));
  return new Map(cases.map((one, i) => {
    const directory = directoryOf(one, target.kind);
    const [rows, beside, ledger] = answers.slice(3 * i);
    const left = keys.filter((key) => key.startsWith(`${directory}/`))
      .map((key) => key.slice(directory.length + 1));
    const log = lines.filter((line) => line.includes(directory)).join("\n");
    return [one.id, { rows, beside, ledger, left, log }];
  }));
}

/** Compares what is there with what the model says. */
export function checkCase(one: IngestCase, kind: TargetKind, result: CaseResult): void {
  const refusal = one.refusedOn?.[kind];
  if (refusal !== undefined) assert.match(result.log, refusal);
  const columns = columnsOn(one, kind);
  const wanted = (refusal === undefined ? expected(one) : started(one)).map((row) =>
    columns.map((column) => column === one.identity ? "made" : row[column] ?? null)
  );
  assert.deepEqual(sorted(withoutIdentity(one, columns, result.rows)), sorted(wanted), one.what);
  assert.deepEqual(sorted(result.beside), sorted(one.beside?.rows ?? []), "the table beside");
  const files = one.passes.flat();
  const done = refusal === undefined ? files.filter(({ fate }) => fate === undefined) : [];
  const ledger = refusal === undefined && one.ledger || done.map(({ name }) => name);
  assert.deepEqual([...result.ledger].sort(), [...ledger].sort(), "the names in the ledger");
  const left = result.left.map((key) => key.replace(/^_rejected\/[^/]+\//, "_rejected/"));
  const bad = files.filter(({ fate }) => fate === "bad").map(({ name }) => `_rejected/${name}`);
  const reports = files.filter(({ isPartly }) => isPartly).map(({ name }) => `${name}.rows.json`);
  const stays = files.filter((file) => refusal !== undefined || file.fate === "left");
  assert.deepEqual(
    [...left].sort(),
    [
      manifestOf(one).name,
      ...stays.map(({ name }) => name),
      ...bad.flatMap((name) => [name, `${name}.json`]),
      ...reports.map((name) => `_rejected/${name}`),
    ].sort(),
    "the files that are left",
  );
}

/** The table's first rows. */
function started(one: IngestCase): ModelRow[] {
  const { start = [], columns, startColumns = columns } = one;
  return start.map((row) =>
    Object.fromEntries(startColumns.map((column, i) => [column, row[i] ?? null]))
  );
}

/** The table's rows by the model. */
function expected(one: IngestCase): ModelRow[] {
  let rows = started(one);
  for (const files of one.passes) {
    const rules = { ...one, keys: one.keys ?? [], strategy: one.strategy ?? "merge" };
    rows = loaded(rows, rules, inOrder(files.filter(({ fate }) => fate === undefined)));
  }
  const { computed } = one;
  if (computed === undefined) return rows;
  return rows.map((row) => ({ ...row, [computed.column]: computed.of(row) }));
}

/** What the server has made of an identity column only has to be there, and each only once. */
function withoutIdentity(
  { identity }: IngestCase,
  columns: readonly string[],
  rows: CaseResult["rows"],
): CaseResult["rows"] {
  if (identity === undefined) return rows;
  const at = columns.indexOf(identity);
  const made = rows.map((row) => row[at] ?? null);
  assert.ok(!made.includes(null), "the identity column holds NULL");
  assert.equal(new Set(made).size, made.length, `the identity column holds doubles: ${made}`);
  return rows.map((row) => row.map((value, i) => i === at ? "made" : value));
}

function sorted(rows: CaseResult["rows"]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
