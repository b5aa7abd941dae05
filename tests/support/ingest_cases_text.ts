import { csv, delimited, gzipped, literal, partly, zstd } from "./ingest_cases_files.ts";
import type { IngestCase } from "./ingest_cases_type.ts";

const bytes = (...parts: readonly (string | number)[]) =>
  Uint8Array.from(
    parts.flatMap((one) => typeof one === "number" ? [one] : [...new TextEncoder().encode(one)]),
  );

const texts = { id: "int", a: "varchar(40)", b: "varchar(40)", n: "int" };

/** Delimited text and CSV, and the options of COPY that say how to read them. */
export const textCases: readonly IngestCase[] = [
  {
    id: "pipes",
    what: "text between bars: \\N is NULL, nothing is an empty text or no number",
    has: texts,
    columns: ["id", "a", "b", "n"],
    keys: ["id"],
    passes: [[
      delimited("1.txt", [["1", "x", null, "5"], ["2", "", 'it\'s "so"', null]]),
      literal("2.txt", "3|a,b||\n4|\\N| c |7", [["3", "a,b", "", null], ["4", null, " c ", "7"]]),
    ]],
  },
  {
    id: "tabs",
    what: "text between tabs, lines that end with CR LF",
    has: texts,
    columns: ["id", "a", "b", "n"],
    keys: ["id"],
    written: "edn",
    manifest: { options: ["DELIMITER '\\t'"] },
    passes: [[
      delimited("1.tsv", [["1", "a|b", "c,d", "1"], ["2", null, "", "2"]], {
        delimiter: "\t",
        newline: "\r\n",
      }),
    ]],
  },
  {
    id: "odd_delimiter",
    what: "a delimiter that is a byte no keyboard has",
    has: texts,
    columns: ["id", "a", "b", "n"],
    keys: ["id"],
    manifest: { options: ["DELIMITER AS '\\001'"] },
    passes: [[delimited("1.txt", [["1", "a|b\t,", "", "1"]], { delimiter: "\x01" })]],
  },
  {
    id: "escaped",
    what: "ESCAPE: delimiters, backslashes and line feeds behind backslashes",
    has: texts,
    columns: ["id", "a", "b", "n"],
    keys: ["id"],
    manifest: { options: ["ESCAPE"] },
    passes: [[
      delimited("1.txt", [
        ["1", "a|b", "back\\slash", "1"],
        ["2", "two\nlines", "\\", null],
        ["3", null, "ends \\|\n", "3"],
      ], { isEscaped: true }),
    ]],
  },
  {
    id: "unquoted",
    what: "REMOVEQUOTES: marks around a field go, those inside stay",
    has: texts,
    columns: ["id", "a", "b", "n"],
    keys: ["id"],
    manifest: { options: ["REMOVEQUOTES"] },
    passes: [[
      literal(
        "1.txt",
        '1|"bar | inside"|\'single\'|"1"\n2|plain|it\'s|2\n3|""|\'a "b" c\'|3\n',
        [["1", "bar | inside", "single", "1"], ["2", "plain", "it's", "2"], [
          "3",
          "",
          'a "b" c',
          "3",
        ]],
      ),
    ]],
  },
  {
    id: "csv_odd",
    what: "CSV with quotation marks, delimiters and line feeds in its fields",
    has: texts,
    columns: ["id", "a", "b", "n"],
    keys: ["id"],
    manifest: { options: ["CSV"] },
    passes: [[
      csv("1.csv", [
        ["1", 'say "hi", all', "two\nlines", "1"],
        ["2", "\r\n", '"', null],
        ["3", " blank ", "", "3"],
        ["4", null, "a\tb\\n", "4"],
      ]),
      csv("2.csv", [["5", "x", 'y"', "5"], ["6", "\n\n", ",", "6"]], {
        newline: "\r\n",
        isAllQuoted: true,
      }),
      literal("3.csv", '7 , "with white space" , b ,7\n', [["7", "with white space", " b ", "7"]]),
    ]],
  },
  {
    id: "csv_marks",
    what: "CSV with other marks and another delimiter",
    has: texts,
    columns: ["id", "a", "b", "n"],
    keys: ["id"],
    manifest: { options: ["CSV QUOTE AS '%' DELIMITER ';'"] },
    passes: [[
      csv("1.csv", [["1", 'a "b" c', "50 %; all", "1"], ["2", "%", ";", null]], {
        quote: "%",
        delimiter: ";",
      }),
    ]],
  },
  {
    id: "csv_header",
    what: "CSV whose headers are passed over in each file",
    has: texts,
    columns: ["id", "a", "b", "n"],
    keys: ["id"],
    manifest: { options: ["CSV", "IGNOREHEADER AS 2"] },
    passes: [[
      csv("1.csv", [["1", "a", "b", "1"]], { header: "id,a,b,n\n----,,,\n" }),
      csv("2.csv", [["1", "c", "d", "2"]], { header: "id,a,b,n\n----,,,\n", isOpenEnded: true }),
    ]],
  },
  {
    id: "null_word",
    what: "NULL AS a word, which \\N is not then",
    has: texts,
    columns: ["id", "a", "b", "n"],
    keys: ["id"],
    manifest: { options: ["CSV", "NULL AS 'nil'"] },
    passes: [[
      csv("1.csv", [["1", null, "Nil", null], ["2", "nile", "\\N", "2"]], { nullAs: "nil" }),
    ]],
  },
  {
    id: "null_empty",
    what: "NULL AS nothing",
    has: texts,
    columns: ["id", "a", "b", "n"],
    keys: ["id"],
    manifest: { options: ["NULL AS ''"] },
    passes: [[
      literal("1.txt", "1|||\n2| |x|2\n", [["1", null, null, null], ["2", " ", "x", "2"]]),
    ]],
  },
  {
    id: "blanks_null",
    what: "BLANKSASNULL: white space alone is NULL",
    has: texts,
    columns: ["id", "a", "b", "n"],
    keys: ["id"],
    manifest: { options: ["BLANKSASNULL"] },
    passes: [[
      literal("1.txt", "1|  | x |  \n2|\t||1\n", [["1", null, " x ", null], ["2", null, "", "1"]]),
    ]],
  },
  {
    id: "empty_null",
    what: "EMPTYASNULL: nothing between delimiters is NULL, in CSV",
    has: texts,
    columns: ["id", "a", "b", "n"],
    keys: ["id"],
    manifest: { options: ["CSV EMPTYASNULL"] },
    passes: [[
      literal("1.csv", '1,,"x",\n2, ,,2\n', [["1", null, "x", null], ["2", " ", null, "2"]]),
    ]],
  },
  {
    id: "trimmed",
    what: "TRIMBLANKS: white space at the end goes, at the beginning it stays",
    has: { ...texts, c: "char(5)" },
    columns: ["id", "a", "b", "n", "c"],
    keys: ["id"],
    manifest: { options: ["TRIMBLANKS", "BLANKSASNULL"] },
    passes: [[
      literal("1.txt", "1|a  |  b \t|3 |x \n2|   |c d|4|\n", [
        ["1", "a", "  b", "3", "x"],
        ["2", null, "c d", "4", ""],
      ]),
    ]],
  },
  {
    id: "filled",
    what: "FILLRECORD and IGNOREBLANKLINES: short lines and empty ones",
    has: texts,
    columns: ["id", "n", "a", "b"],
    startColumns: ["id", "a", "b", "n"],
    keys: ["id"],
    manifest: { options: ["FILLRECORD", "IGNOREBLANKLINES"] },
    passes: [[
      literal("1.txt", "1|5|x|y\n\n2|6|z\n\n\n3\n", [
        ["1", "5", "x", "y"],
        ["2", "6", "z", ""],
        ["3", null, "", ""],
      ]),
    ]],
  },
  {
    id: "filled_null",
    what: "FILLRECORD with EMPTYASNULL: what is missing is NULL, texts too; in CSV",
    has: texts,
    columns: ["id", "n", "a", "b"],
    startColumns: ["id", "a", "b", "n"],
    keys: ["id"],
    manifest: { options: ["CSV", "FILLRECORD", "EMPTYASNULL"] },
    passes: [[literal("1.csv", "1,5\n2\n", [["1", "5", null, null], ["2", null, null, null]])]],
  },
  {
    id: "cut",
    what: "TRUNCATECOLUMNS: cut by bytes, between characters",
    has: { id: "int", a: "varchar(5)", c: "char(4)", n: "numeric(6,2)" },
    columns: ["id", "a", "c", "n"],
    keys: ["id"],
    manifest: { options: ["CSV TRUNCATECOLUMNS"] },
    passes: [[
      literal(
        "1.csv",
        "1,abcdefgh,abcdef,1.239\n2,héllo,ab,-1.239\n3,日本語,abcd,7\n4,ab😀,a,0.005\n",
        [
          ["1", "abcde", "abcd", "1.23"],
          ["2", "héll", "ab", "-1.23"],
          ["3", "日", "abcd", "7.00"],
          ["4", "ab", "a", "0.00"],
        ],
      ),
    ]],
  },
  {
    id: "rounded",
    what: "ROUNDEC rounds the digits that there is no room for",
    has: { id: "int", n: "numeric(6,2)" },
    columns: ["id", "n"],
    keys: ["id"],
    manifest: { options: ["ROUNDEC"] },
    passes: [[
      literal("1.txt", "1|1.235\n2|-1.239\n3|1.2349\n4|5\n", [
        ["1", "1.24"],
        ["2", "-1.24"],
        ["3", "1.23"],
        ["4", "5.00"],
      ]),
    ]],
  },
  {
    id: "bad_bytes",
    what: "ACCEPTINVCHARS: a mark for each byte that is no character",
    has: { id: "int", a: "varchar(40)" },
    columns: ["id", "a"],
    keys: ["id"],
    manifest: { options: ["ACCEPTINVCHARS AS '^'"] },
    passes: [[
      literal("1.txt", bytes("1|a", 0xff, "b\n2|", 0xe9, "t", 0xe9, "\n3|é😀", 0xc3, "\n"), [
        ["1", "a^b"],
        ["2", "^t^"],
        ["3", "é😀^"],
      ]),
    ]],
  },
  {
    id: "max_error",
    what: "MAXERROR leaves out fewer rows than it says",
    has: { id: "int", a: "varchar(5)" },
    columns: ["id", "a"],
    keys: ["id"],
    manifest: { options: ["MAXERROR 3"] },
    passes: [[
      partly("1.txt", "1|a\n2\n3|c\n4|d|e|f\n5|e\n", [["1", "a"], ["3", "c"], ["5", "e"]]),
    ]],
  },
  {
    id: "max_error_kinds",
    what: "MAXERROR leaves out rows whose values are none of their columns",
    has: { id: "int", d: "date", b: "boolean", n: "numeric(6,2)" },
    columns: ["id", "d", "b", "n"],
    keys: ["id"],
    manifest: { options: ["CSV", "MAXERROR 10"] },
    passes: [[
      partly(
        "1.csv",
        "1,2026-01-01,t,1.5\nx,2026-01-01,t,2\n3,never,t,2\n4,2026-01-01,perhaps,2\n",
        [
          ["1", "2026-01-01", "true", "1.50"],
        ],
      ),
      partly(
        "2.csv",
        "5,2026-01-01,f,1,5\n6,2026-01-01,f,much\n7,2026-01-07,,7\n99999999999,,,\n",
        [
          ["7", "2026-01-07", null, "7.00"],
        ],
      ),
    ]],
  },
  {
    id: "parted_gzip",
    what: "gzip of several members, in EDN",
    has: texts,
    columns: ["id", "a", "b", "n"],
    keys: ["id"],
    written: "edn",
    manifest: { options: ["CSV", "gzip"] },
    passes: [[
      gzipped(
        csv(
          "1",
          Array.from({ length: 3000 }, (_, i) => [`${i}`, `row ${i}`, "x".repeat(30), null]),
        ),
        true,
      ),
    ]],
  },
  {
    id: "zstd_rows",
    what: "zstd, thousands of rows in three files with the same keys",
    has: texts,
    columns: ["id", "a", "b", "n"],
    keys: ["id"],
    written: "yaml",
    manifest: { options: ["ZSTD"] },
    passes: [
      [0, 1, 2].map((file) =>
        zstd(delimited(
          `${file}.zst`,
          Array.from({ length: 2000 }, (_, i) => [
            `${i * (file + 1)}`,
            `row ${i}`,
            i % 5 === 0 ? null : `file ${file}`,
            i % 7 === 0 ? null : `${i}`,
          ]),
        ))
      ),
    ],
  },
];
