import { csv, json, literal } from "./ingest_cases_files.ts";
import type { IngestCase } from "./ingest_cases_type.ts";

/** Who wins among rows with one key, what deletes, and staging-select. */
export const orderCases: readonly IngestCase[] = [
  {
    id: "order_newest",
    what: "order-by desc: the largest wins wherever it stands, NULL never does",
    has: { id: "int", at: "bigint", v: "varchar(10)" },
    start: [["1", "100", "old"]],
    columns: ["id", "at", "v"],
    keys: ["id"],
    orderBy: [{ column: "at", isDescending: true, as: "number" }],
    manifest: { options: ["CSV"], "order-by": ["at desc"] },
    passes: [[
      csv("1.csv", [["1", "9", "nine"], ["2", "5", "five"], ["2", null, "none"], [
        "3",
        null,
        "only",
      ]]),
      csv("2.csv", [["1", "10", "ten"], ["1", "2", "two"], ["2", null, "none"]]),
    ]],
  },
  {
    id: "order_oldest",
    what: "order-by asc: the smallest wins, NULL never does",
    has: { id: "int", at: "timestamp", v: "varchar(10)" },
    columns: ["id", "at", "v"],
    keys: ["id"],
    orderBy: [{ column: "at", as: "text" }],
    written: "edn",
    manifest: { options: ["CSV"], "order-by": ["at"] },
    passes: [[
      csv("1.csv", [["1", null, "none"], ["1", "2026-01-02 00:00:00", "second"]]),
      csv("2.csv", [["1", "2026-01-01 23:59:59", "first"], ["1", "2026-01-03 00:00:00", "third"]]),
    ]],
  },
  {
    id: "order_ties",
    what: "order-by two columns; where both are the same the last file and line wins",
    has: { id: "int", a: "int", b: "varchar(5)", v: "varchar(10)" },
    columns: ["id", "a", "b", "v"],
    keys: ["id"],
    orderBy: [{ column: "a", isDescending: true, as: "number" }, { column: "b", as: "text" }],
    written: "yaml",
    manifest: { options: ["CSV"], "order-by": ["a DESC", "b"] },
    passes: [[
      csv("1.csv", [["1", "2", "y", "one"], ["1", "2", "x", "two"], ["1", "1", "a", "three"]]),
      csv("2.csv", [["1", "2", "x", "four"], ["1", "2", "x", "five"], ["2", "1", "é", "accent"], [
        "2",
        "1",
        "z",
        "z",
      ]]),
    ]],
  },
  {
    id: "delete_marker",
    what: "delete-when: what wins and is a marker deletes; a condition that is NULL does not",
    has: { id: "int", op: "varchar(3)", v: "varchar(10)" },
    start: [["1", "u", "goes"], ["2", "u", "back"], ["3", "u", "null"], ["4", "u", "stays"]],
    columns: ["id", "op", "v"],
    keys: ["id"],
    deleteWhen: ({ op }) => op === "D",
    manifest: { options: ["CSV"], "delete-when": "op = 'D'" },
    passes: [
      [
        csv("1.csv", [["1", "D", null], ["2", "D", null], ["2", "u", "again"], [
          "3",
          null,
          "kept",
        ]]),
        csv("2.csv", [["5", "u", "made"], ["5", "D", null], ["6", "D", "never"]]),
      ],
      [csv("3.csv", [["1", "u", "reborn"], ["4", "D", null]])],
    ],
  },
  {
    id: "delete_ordered",
    what: "delete-when with order-by and two keys: an older marker deletes nothing",
    has: { a: "int", b: "int", at: "int", gone: "boolean", v: "varchar(10)" },
    start: [["1", "1", "0", "false", "a"], ["1", "2", "0", "false", "b"], [
      "2",
      "1",
      "0",
      "false",
      "c",
    ]],
    startColumns: ["a", "b", "at", "gone", "v"],
    columns: ["gone", "v", "b", "a", "at"],
    keys: ["a", "b"],
    orderBy: [{ column: "at", isDescending: true, as: "number" }],
    deleteWhen: ({ gone, at }) => gone === "true" && Number(at) > 1,
    written: "yaml",
    manifest: {
      options: ["CSV"],
      "order-by": ["at desc"],
      "delete-when": "gone AND (at > 1 OR v = ';)')",
    },
    passes: [[
      csv("1.csv", [["true", "x", "1", "1", "5"], ["false", "y", "1", "1", "9"]]),
      csv("2.csv", [["true", "x", "2", "1", "3"], ["true", "x", "1", "2", "1"], [
        "false",
        "z",
        "2",
        "1",
        "2",
      ]]),
    ]],
  },
  {
    id: "select_where",
    what: "staging-select leaves rows out",
    has: { id: "int", v: "int" },
    start: [["1", "0"], ["2", "0"], ["3", "0"]],
    columns: ["id", "v"],
    keys: ["id"],
    select: (rows) => rows.filter(({ v }) => Number(v) > 10),
    manifest: { options: ["CSV"], "staging-select": "SELECT * FROM {{table}} WHERE v > 10" },
    passes: [[csv("1.csv", [["1", "9"], ["2", "11"], ["4", "12"], ["5", null]])]],
  },
  {
    id: "select_grouped",
    what: "staging-select sums up, its columns in another order; in EDN",
    has: { id: "int", name: "varchar(10)", v: "bigint" },
    start: [["1", "old", "1"]],
    columns: ["id", "name", "v"],
    keys: ["id"],
    select: (rows) =>
      [...new Set(rows.map(({ id }) => id ?? ""))].map((id) => {
        const same = rows.filter((row) => row["id"] === id);
        const names = same.map((row) => row["name"] ?? "").sort();
        return {
          id,
          name: names.at(-1) ?? null,
          v: String(same.reduce((sum, row) => sum + Number(row["v"]), 0)),
        };
      }),
    written: "edn",
    manifest: {
      options: ["CSV"],
      "staging-select": "SELECT SUM(v) AS v, id, MAX(name) AS name FROM {{table}} GROUP BY id",
    },
    passes: [[
      csv("1.csv", [["1", "b", "10"], ["2", "a", "1"]]),
      csv("2.csv", [["1", "a", "20"], ["2", "a", "2"], ["2", "c", "3"]]),
    ]],
  },
  {
    id: "select_ordered",
    what: "staging-select with order-by: of the doubles that it leaves, the order decides",
    has: { id: "int", v: "int" },
    columns: ["id", "v"],
    keys: ["id"],
    orderBy: [{ column: "v", isDescending: true, as: "number" }],
    select: (rows) => rows.filter(({ v }) => Number(v) < 100),
    manifest: {
      options: ["CSV"],
      "order-by": ["v desc"],
      "staging-select": "SELECT DISTINCT id, v FROM {{table}} t WHERE t.v < 100",
    },
    passes: [[csv("1.csv", [["1", "7"], ["1", "99"], ["1", "100"], ["1", "99"], ["2", "1"]])]],
  },
  {
    id: "select_delete",
    what: "staging-select with delete-when and order-by, two keys",
    has: { a: "int", b: "int", n: "int", op: "varchar(1)" },
    start: [["1", "1", "0", "u"], ["1", "2", "0", "u"], ["2", "2", "0", "u"]],
    columns: ["a", "b", "n", "op"],
    keys: ["b", "a"],
    orderBy: [{ column: "n", as: "number" }],
    deleteWhen: ({ op }) => op === "d",
    select: (rows) => rows.filter(({ n }) => n !== "99").map((row) => ({ ...row, a: "1" })),
    written: "yaml",
    manifest: {
      options: ["CSV"],
      "order-by": ["n"],
      "delete-when": "op = 'd'",
      "staging-select": "SELECT 1 AS a, b, n, op FROM {{table}} WHERE n <> 99",
    },
    passes: [[
      csv("1.csv", [["7", "1", "1", "d"], ["7", "2", "99", "d"], ["7", "3", "5", "d"]]),
      csv("2.csv", [["7", "3", "4", "u"], ["7", "1", "2", "u"]]),
    ]],
  },
  {
    id: "distinct_plain",
    what: "staging-select :distinct without keys, NULL like NULL",
    has: { a: "int", b: "varchar(5)" },
    start: [["1", "x"]],
    columns: ["a", "b"],
    strategy: "append",
    select: distinct,
    manifestText: `; as the predecessor's people write it
{:table "distinct_plain"
 :columns ["a" "b"], :jdbc-url "env:SLUICE_CASE_TARGET"
 :options ["CSV" "IGNOREHEADER 1"]
 :strategy "append" :staging-select :distinct
 :execute-opts {:timeout-millis 120000}
 :data-pattern ".*part-\\\\d+\\\\.csv$"}
`,
    written: "edn",
    passes: [[
      csv("part-1.csv", [["1", "x"], ["1", "x"], ["2", null]], { header: "a,b\n" }),
      csv("part-22.csv", [["2", null], [null, null], [null, null]], { header: "a,b\n" }),
    ]],
  },
  {
    id: "distinct_replace",
    what: "replace with staging-select distinct",
    has: { a: "int", b: "varchar(5)" },
    start: [["1", "x"]],
    columns: ["a", "b"],
    strategy: "replace",
    select: distinct,
    manifest: { "staging-select": "distinct", options: ["JSON 'auto'"] },
    passes: [[
      json("1.json", ["a", "b"], [["1", "y"], ["1", "y"], ["1", "Y"]]),
      literal("2.json", '{"b":"y","a":1}\n', [["1", "y"]]),
    ]],
  },
];

/** Each row once. */
function distinct<T>(rows: readonly T[]): readonly T[] {
  return [...new Map(rows.map((row) => [JSON.stringify(row), row])).values()];
}
