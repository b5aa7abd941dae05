import assert from "node:assert/strict";
import fc from "fast-check";
import {
  openWarehouse,
  serverReportOf,
  type Session,
} from "../../lib/clients/warehouse/warehouse.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";
import { copyClauseOf } from "../../lib/formats/copy_clause.ts";
import { parseCopyOptions } from "../../lib/formats/copy_options.ts";
import { openRewriter } from "../../lib/formats/copy_rewriter.ts";
import { targetColumnOf } from "../../lib/formats/target_column.ts";
import type { TextRow } from "../support/copy_text.ts";
import { startPostgres } from "../support/postgres_server.ts";

const encoder = new TextEncoder();

/** Loads a file into a fresh table t, through the rewriter; gives the table. */
async function load(session: Session, option: string, types: string[], file: string) {
  const options = parseCopyOptions([option]);
  const columns = types.map((type, i) => targetColumnOf({ name: `c${i}`, type }));
  await makeTable(session, types);
  const rewriter = openRewriter({ options, columns });
  const pieces = (function* () {
    // slice(): the server's side may keep a piece longer than the rewriter lends it.
    yield rewriter.push(encoder.encode(file)).slice();
    yield rewriter.finish().slice();
  })();
  await session.copyIn(`COPY t FROM STDIN ${copyClauseOf(options)}`, asAsync(pieces));
  return await table(session);
}

/** Loads a file by PostgreSQL's own reader. */
async function loadItself(session: Session, clause: string, types: string[], file: string) {
  await makeTable(session, types);
  await session.copyIn(`COPY t FROM STDIN WITH (${clause})`, asAsync([encoder.encode(file)]));
  return await table(session);
}

async function makeTable(session: Session, types: string[]): Promise<void> {
  const columns = types.map((type, i) => `c${i} ${type}`).join(", ");
  await session.execute(`DROP TABLE IF EXISTS t; CREATE TEMP TABLE t (${columns})`);
}

async function table(session: Session): Promise<TextRow[]> {
  const { rows } = await session.query("SELECT * FROM t ORDER BY ctid");
  return rows.map((row) => [...row]);
}

async function* asAsync(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

const examples: [option: string, types: string[], file: string, rows: TextRow[]][] = [
  ["CSV", ["integer", "text"], '1,a\n,""\n"","\\N"\n\\N,\\N\n', [
    ["1", "a"],
    [null, ""],
    [null, "\\N"],
    [null, null],
  ]],
  ["", ["text"], "\\.\n\\\n\t\ra\n", [["\\."], ["\\"], ["\t\ra"]]],
  ["DELIMITER '\\001'", ["text", "text"], "a\\\x01b\n", [["a\\", "b"]]],
  ["DELIMITER ''''", ["text", "text"], "a'b\n", [["a", "b"]]],
  ["DELIMITER 'e'", ["text", "text"], "aeb\tc\n", [["a", "b\tc"]]],
  ["", ["numeric(8,2)", "numeric(4)"], "20.259|1.9\n", [["20.25", "1"]]],
  ["ROUNDEC", ["numeric(8,2)", "numeric(4)"], "20.259|1.9\n", [["20.26", "2"]]],
  ["DATEFORMAT 'DD.MM.YYYY'", ["date"], "03.02.2024\n \n", [["2024-02-03"], [null]]],
  ["TIMEFORMAT 'epochmillisecs'", ["timestamp"], "1700000000123\n-62135596800000\n", [
    ["2023-11-14 22:13:20.123"],
    ["0001-01-01 00:00:00"],
  ]],
  ["TRUNCATECOLUMNS", ["varchar(3)", "char(2)"], "ééé|xyz\n", [["é", "xy"]]],
  ["JSON 'auto'", ["text", "bigint"], '{"c0":"\\t\\\\\\n","c1":9007199254740993}', [[
    "\t\\\n",
    "9007199254740993",
  ]]],
  ["JSON 'auto'", ["jsonb", "boolean"], '{"c0":{"a":"\\""},"c1":true}', [['{"a": "\\""}', "t"]]],
];

Deno.test("PostgreSQL loads what the rewriter gives", async (t) => {
  await using server = await startPostgres();
  const warehouse = await openWarehouse(new Secret(server.url), realWorld(() => {}));
  const session = await warehouse.connect();
  try {
    for (const [option, types, file, rows] of examples) {
      await t.step(`${option} of ${JSON.stringify(file)}`, async () => {
        assert.deepEqual(await load(session, option, types, file), rows);
      });
    }
    await t.step("a row that it refuses is found in the file", () => refusedRow(session));
    await t.step("any CSV as its own reader does", () => anyCsv(session));
    await t.step("any delimited text as its own reader does", () => anyText(session));
  } finally {
    await session.close();
    await warehouse.close();
  }
});

async function refusedRow(session: Session): Promise<void> {
  const [option, types] = ["CSV IGNOREHEADER 1 IGNOREBLANKLINES", ["text", "integer"]];
  const file = 'name,"num\nber"\n"a\nb",1\n\nc,x7\nd,2\n';
  const thrown = await load(session, option, types, file).then(() => null, (thrown) => thrown);
  const copy = serverReportOf(thrown)?.copy;
  assert.deepEqual([copy?.line, copy?.column, copy?.value], [2, "c1", "x7"]);
  const columns = types.map((type, i) => targetColumnOf({ name: `c${i}`, type }));
  const options = parseCopyOptions([option]);
  const rewriter = openRewriter({ options, columns, findRows: [Number(copy?.line)] });
  rewriter.push(encoder.encode(file));
  assert.deepEqual(rewriter.faults.found.get(Number(copy?.line)), {
    line: 6,
    raw: encoder.encode("c,x7"),
  });
}

const cell = fc.array(fc.constantFrom(..."ab,\"'\\\n\r |N.\té".split("")), { maxLength: 6 })
  .map((chars) => chars.join(""));
const rows = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 30 });

async function anyCsv(session: Session): Promise<void> {
  // PostgreSQL refuses a bare CR, and takes white space before a mark as part of the field.
  const field = (text: string, isQuoted: boolean) =>
    isQuoted || /["\n\r,]|^\s|^$|^\\[.N]$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  await fc.assert(
    fc.asyncProperty(rows, fc.boolean(), async (rows, isQuoted) => {
      const file = rows.map((row) => `${row.map((one) => field(one, isQuoted)).join(",")}\n`).join(
        "",
      );
      const types = ["text", "text"];
      const own = await loadItself(session, "FORMAT csv, NULL '\\N'", types, file);
      assert.deepEqual(await load(session, "CSV", types, file), own);
      assert.deepEqual(own, rows);
    }),
    { numRuns: 60 },
  );
}

async function anyText(session: Session): Promise<void> {
  const escaped = (text: string) => text.replace(/[\\|\n\r]/g, "\\$&");
  await fc.assert(
    fc.asyncProperty(rows, async (rows) => {
      const file = rows.map((row) => `${row.map(escaped).join("|")}\n`).join("");
      const types = ["text", "text"];
      const own = await loadItself(session, "DELIMITER '|', NULL '-none-'", types, file);
      assert.deepEqual(await load(session, "ESCAPE NULL AS '-none-'", types, file), own);
      assert.deepEqual(own, rows);
    }),
    { numRuns: 60 },
  );
}
