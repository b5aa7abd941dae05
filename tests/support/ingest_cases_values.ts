import { baldr, csv, delimited, gzipped, json, jsonLine, literal } from "./ingest_cases_files.ts";
import type { IngestCase } from "./ingest_cases_type.ts";

const long = "Grüße 😀 ".repeat(5000).trim();

/** Kinds of value, JSON, archives. */
export const valueCases: readonly IngestCase[] = [
  {
    id: "unicode",
    what: "characters of every length, marks that combine, writing from the right, rare line ends",
    has: { id: "int", v: "varchar(200)" },
    columns: ["id", "v"],
    keys: ["v"],
    manifest: { options: ["CSV"] },
    start: [["0", "é"], ["0", "😀"]],
    passes: [[
      csv("ünï-😀.csv", [
        ["1", "é"],
        ["2", "e\u0301"],
        ["3", "😀"],
        ["4", "👩‍👩‍👧‍👦🏳️‍🌈"],
        ["5", "שלום עולם"],
        ["6", "\u2028\u2029\u0085\u00a0"],
        ["7", "𝒳 \u{10fffd} \ufffd \ufeff"],
        ["8", "\x01\x02\x1f\x7f"],
        ["9", "日本語テキスト"],
      ]),
      csv("z.csv", [["10", "é"], ["11", "日本語テキスト"]]),
    ]],
  },
  {
    id: "numbers",
    what: "numbers keep every digit",
    has: {
      id: "bigint",
      small: "smallint",
      whole: "int",
      exact: "numeric(38,10)",
      real8: "double precision",
    },
    columns: ["id", "small", "whole", "exact", "real8"],
    keys: ["id"],
    manifest: { options: ["CSV"] },
    passes: [[
      csv("1.csv", [
        [
          "9223372036854775807",
          "32767",
          "2147483647",
          "1234567890123456789012345678.0123456789",
          "0.1",
        ],
        ["-9223372036854775808", "-32768", "-2147483648", "-0.0000000001", "1e+100"],
        ["9007199254740993", "0", null, "0.1000000000", "-2.5e-10"],
        ["9007199254740992", null, "7", "12345678901234567.1234567891", null],
      ]),
    ]],
  },
  {
    id: "cut_digits",
    what: "digits that a column has no room for are cut off",
    has: { id: "int", two: "numeric(10,2)", none: "numeric(18,0)" },
    columns: ["id", "two", "none"],
    keys: ["id"],
    manifest: { options: ["CSV"] },
    passes: [[
      literal("1.csv", "1,1.999,1.9\n2,-0.999,-7.5\n3,.5,3\n4,+12.30,0\n", [
        ["1", "1.99", "1"],
        ["2", "-0.99", "-7"],
        ["3", "0.50", "3"],
        ["4", "12.30", "0"],
      ]),
    ]],
  },
  {
    id: "booleans",
    what: "the words for true and false",
    has: { id: "int", b: "boolean" },
    columns: ["id", "b"],
    keys: ["id"],
    passes: [[
      literal(
        "1.txt",
        "1|t\n2|true\n3|yes\n4|y\n5|1\n6|TRUE\n7|f\n8|false\n9|no\n10|n\n11|0\n12|False\n13|\n14|\\N\n",
        Array.from(
          { length: 14 },
          (_, i) => [`${i + 1}`, i < 6 ? "true" : i < 12 ? "false" : null],
        ),
      ),
    ]],
  },
  {
    id: "zones",
    what: "dates, timestamps, and timestamps with zones",
    has: { id: "int", d: "date", t: "timestamp", z: "timestamptz" },
    columns: ["id", "d", "t", "z"],
    keys: ["id"],
    manifest: { options: ["CSV"] },
    passes: [[
      literal(
        "1.csv",
        "1,2026-02-28,2026-02-28 23:59:59.123456,2026-03-01 01:30:00+02\n" +
          "2,1970-01-01,0001-01-01 00:00:00,2026-02-28 20:00:00-05:30\n" +
          "3,9999-12-31,2024-02-29 12:00:00,2026-03-01 00:00:00.5+00\n4,,,\n",
        [
          ["1", "2026-02-28", "2026-02-28 23:59:59.123456", "2026-02-28 23:30:00+00"],
          ["2", "1970-01-01", "0001-01-01 00:00:00", "2026-03-01 01:30:00+00"],
          ["3", "9999-12-31", "2024-02-29 12:00:00", "2026-03-01 00:00:00.5+00"],
          ["4", null, null, null],
        ],
      ),
    ]],
  },
  {
    id: "dates",
    what: "DATEFORMAT and TIMEFORMAT by patterns",
    has: { id: "int", d: "date", t: "timestamp" },
    columns: ["id", "d", "t"],
    keys: ["id"],
    manifest: {
      options: ["CSV", "DATEFORMAT 'DD.MM.YYYY'", "TIMEFORMAT 'MM/DD/YYYY HH12:MI:SS AM'"],
    },
    passes: [[
      csv("1.csv", [], {
        header: "1,31.12.2025,02/28/2026 12:05:06 AM\n2,01.02.2026,12/31/2025 11:59:59 PM\n",
      }),
    ].map((file) => ({
      ...file,
      rows: [["1", "2025-12-31", "2026-02-28 00:05:06"], [
        "2",
        "2026-02-01",
        "2025-12-31 23:59:59",
      ]],
    }))],
  },
  {
    id: "dates_short",
    what: "DATEFORMAT with short years and names of months",
    has: { id: "int", d: "date", t: "timestamp" },
    columns: ["id", "d", "t"],
    keys: ["id"],
    manifest: { options: ["DATEFORMAT AS 'DD-MON-YY'", "TIMEFORMAT AS 'YYYYMMDD HH24:MI:SS'"] },
    passes: [[
      literal("1.txt", "1|31-Dec-99|20260228 23:05:06\n2|01-FEB-26|20251231 00:00:00.25\n3||\n", [
        ["1", "1999-12-31", "2026-02-28 23:05:06"],
        ["2", "2026-02-01", "2025-12-31 00:00:00.25"],
        ["3", null, null],
      ]),
    ]],
  },
  {
    id: "epochs",
    what: "TIMEFORMAT epochmillisecs",
    has: { id: "int", t: "timestamp" },
    columns: ["id", "t"],
    keys: ["id"],
    manifest: { options: ["TIMEFORMAT 'epochmillisecs'"] },
    passes: [[
      literal("1.txt", "1|0\n2|1772323506789\n3|\n", [
        ["1", "1970-01-01 00:00:00"],
        ["2", "2026-03-01 00:05:06.789"],
        ["3", null],
      ]),
    ]],
  },
  {
    id: "epoch_seconds",
    what: "TIMEFORMAT epochsecs, with and without a fraction",
    has: { id: "int", t: "timestamptz" },
    columns: ["id", "t"],
    keys: ["id"],
    manifest: { options: ["TIMEFORMAT 'epochsecs'"] },
    passes: [[
      literal("1.txt", "1|1772323506\n2|1772323506.5\n", [
        ["1", "2026-03-01 00:05:06+00"],
        ["2", "2026-03-01 00:05:06.5+00"],
      ]),
    ]],
  },
  {
    id: "big_rows",
    what: "rows of a hundred kilobytes, one of them twice",
    has: { id: "int", a: "varchar(65535)", b: "varchar(65535)" },
    columns: ["id", "a", "b"],
    keys: ["id"],
    manifest: { options: ["CSV", "GZIP"] },
    passes: [[
      gzipped(csv("1.csv.gz", [
        ["1", long, '"\n'.repeat(20_000)],
        ["2", "x".repeat(65_535), ""],
        ["1", `${long}!`, '"\n'.repeat(20_001)],
      ])),
    ]],
  },
  {
    id: "json_lines",
    what: "JSON 'auto': any order of keys, some missing, some unknown, numbers as they are written",
    has: {
      id: "bigint",
      name: "varchar(40)",
      n: "numeric(20,8)",
      ok: "boolean",
      at: "timestamp",
      inner: "varchar(100)",
    },
    columns: ["id", "name", "n", "ok", "at", "inner"],
    keys: ["id"],
    manifest: { options: ["JSON AS 'auto'"] },
    passes: [[
      literal(
        "1.json",
        '{"name":"a\\u00e9\\ud83d\\ude00","id":9007199254740993,"n":12345678901.12345678,"ok":true}\n' +
          '{"id":2,"name":null,"unknown":{"id":3},"at":"2026-01-02 03:04:05","inner":{"a":[1,"b"]}}' +
          '{"id":3,"name":"\\"\\\\\\/\\t\\n","inner":[{"x":null}],"ok":"f"}\n\n' +
          '{\n  "id" : 4,\n  "name" : "over\\nlines",\n  "n" : -0.5\n}\n',
        [
          ["9007199254740993", "aé😀", "12345678901.12345678", "true", null, null],
          ["2", null, null, null, "2026-01-02 03:04:05", '{"a":[1,"b"]}'],
          ["3", '"\\/\t\n', null, "false", null, '[{"x":null}]'],
          ["4", "over\nlines", "-0.50000000", null, null, null],
        ],
      ),
      json(
        "2.json",
        ["id", "name", "n", "ok", "at", "inner"],
        [["2", "two", "1.00000000", "false", null, ""]],
        ["id", "n"],
      ),
    ]],
  },
  {
    id: "json_format",
    what: "format json with gzip, merged by two keys, the newest wins",
    has: { a: "int", b: "varchar(10)", at: "bigint", v: "varchar(20)" },
    start: [["1", "x", "1", "old"], ["1", "y", "1", "old"]],
    columns: ["a", "b", "at", "v"],
    keys: ["a", "b"],
    orderBy: [{ column: "at", isDescending: true, as: "number" }],
    deleteWhen: ({ v }) => v === "gone",
    written: "yaml",
    manifest: {
      format: "json",
      options: ["GZIP"],
      "order-by": "at desc",
      "delete-when": "v = 'gone'",
    },
    passes: [[
      gzipped(
        json("1.json.gz", ["v", "at", "b", "a"], [["new", "5", "x", "1"], ["gone", "6", "y", "1"]]),
      ),
      gzipped(
        json("2.json.gz", ["v", "at", "b", "a"], [["older", "4", "x", "1"], [
          "made",
          "1",
          "z",
          "1",
        ]]),
      ),
    ].map((file) => ({
      ...file,
      rows: file.rows.map(([v = null, at = null, b = null, a = null]) => [a, b, at, v]),
    }))],
  },
  {
    id: "json_any_case",
    what: "JSON 'auto ignorecase'",
    has: { id: "int", some_name: "varchar(20)" },
    columns: ["id", "some_name"],
    keys: ["id"],
    manifest: { options: ["JSON 'auto ignorecase'", "EMPTYASNULL"] },
    passes: [[
      literal("1.json", '{"ID":1,"Some_Name":"a"}\n{"Id":2,"SOME_NAME":""}\n{"id":3}\n', [
        ["1", "a"],
        ["2", null],
        ["3", null],
      ]),
    ]],
  },
  {
    id: "archive",
    what: "format baldr: records of an archive, compressed or not; Redshift cannot read them",
    has: { id: "int", host: "varchar(20)", text: "varchar(100)" },
    start: [["1", "a", "old"]],
    columns: ["id", "host", "text"],
    keys: ["id"],
    manifest: { format: "baldr" },
    refusedOn: { redshift: /baldr/i },
    passes: [[
      gzipped(
        baldr("1.baldr.gz", ["id", "host", "text"], [["1", "a", "grüß\ngott"], ["2", "b", null]]),
      ),
      baldr("2.baldr", ["id", "host", "text"], [["2", "c", "x"], ["3", null, "😀"]], ["id"]),
    ]],
  },
  {
    id: "archive_append",
    what: "format baldr without keys: every record is a row",
    has: { host: "varchar(20)", n: "int" },
    columns: ["host", "n"],
    strategy: "append",
    manifest: { format: "baldr", "data-pattern": ".*\\.baldr" },
    refusedOn: { redshift: /baldr/i },
    passes: [
      [baldr("1.baldr", ["n", "host"], [["1", "a"], ["1", "a"]]), baldr("2.baldr", ["n"], [])]
        .map((file) => ({ ...file, rows: file.rows.map(([n = null, host = null]) => [host, n]) })),
    ],
  },
  {
    id: "mixed_lines",
    what: "JSON of many objects on one line, an escape in a key, a key twice",
    has: { id: "int", v: "varchar(20)" },
    columns: ["id", "v"],
    keys: ["id"],
    manifest: { format: "json" },
    passes: [[
      literal(
        "1.json",
        `${jsonLine(["id", "v"], ["1", "a"])}${
          jsonLine(["id", "v"], ["2", "}{"])
        } {"\\u0069d":3,"v":"x","v":"y"}`,
        [["1", "a"], ["2", "}{"], ["3", "y"]],
      ),
    ]],
  },
  {
    id: "replace_passes",
    what: "replace by text of several files, pass after pass",
    has: { id: "int", v: "varchar(10)" },
    columns: ["id", "v"],
    strategy: "replace",
    passes: [
      [delimited("a", [["1", "a"], ["2", "b"]]), delimited("b", [["3", "c"]])],
      [delimited("a", [["4", "d"]])],
      [delimited("b", [["5", "e"], ["5", "e"]])],
    ],
  },
];
