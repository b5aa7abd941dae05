import assert from "node:assert/strict";
import { DataError } from "../../lib/formats/data_error.ts";
import { everyCut, rewrite, type TextRow } from "../support/copy_text.ts";

const text2 = ["varchar(20)", "varchar(20)"];
const intText = ["integer", "varchar(20)"];

/** Pages of Amazon's Redshift Database Developer Guide that the cases are from. */
const page = {
  format: "copy-parameters-data-format",
  conversion: "copy-parameters-data-conversion",
};

const examples: [name: string, options: string, types: string[], file: string, rows: TextRow[]][] =
  [
    ["nothing", "", text2, "", []],
    ["pipes, the default", "", text2, "a|b\nc|d\n", [["a", "b"], ["c", "d"]]],
    ["a last row without LF", "", text2, "a|b\nc|d", [["a", "b"], ["c", "d"]]],
    ["CR LF", "", text2, "a|b\r\nc|d\r\n", [["a", "b"], ["c", "d"]]],
    ["CR LF whose LF is lost", "", text2, "a|b\r\nc|d\r", [["a", "b"], ["c", "d"]]],
    ["a CR inside of a field", "", text2, "a\rb|c\n", [["a\rb", "c"]]],
    ["tabs", "DELIMITER '\\t'", text2, "a\tb|c\n", [["a", "b|c"]]],
    ["a delimiter that COPY text may not have", "DELIMITER 'x'", text2, "axb\tc\n", [[
      "a",
      "b\tc",
    ]]],
    ["a control character as delimiter", "DELIMITER '\\001'", text2, "a\x01b\n", [["a", "b"]]],
    ["a backslash as a character", "", text2, "a\\n|\\.\n\\.|x\n", [["a\\n", "\\."], ["\\.", "x"]]],
    ["a line with the end mark of COPY", "", ["text"], "\\.\na\n", [["\\."], ["a"]]],
    ["a delimiter at the end of rows", "", text2, "a|b|\nc||\n", [["a", "b"], ["c", ""]]],
    ["unicode", "", text2, "é|日本\n😀|ß\n", [["é", "日本"], ["😀", "ß"]]],
    ["a byte order mark", "", intText, "\ufeff1|a\n", [["1", "a"]]],
    ["what begins like a byte order mark", "", ["text"], "\uf000", [["\uf000"]]],
    ["nothing but a byte order mark", "", ["text"], "\ufeff", []],
    [`\\N as NULL (${page.conversion}, NULL AS)`, "", intText, "\\N|\\N\n", [[null, null]]],
    ["\\N within a field", "", text2, "\\Nx|x\\N\n", [["\\Nx", "x\\N"]]],
    ["NULL AS a word", "NULL AS 'NULL'", intText, "NULL|NULL\n1|\\N\n", [[null, null], [
      "1",
      "\\N",
    ]]],
    ["NULL AS an empty text", "NULL AS ''", intText, "|\n1|a\n", [[null, null], ["1", "a"]]],
    ["NULL AS a NUL", "NULL AS '\\0'", text2, "\0|a\n", [[null, "a"]]],
    ["empty text and no number", "", intText, "|\n", [[null, ""]]],
    [`blank numbers as NULL (${page.conversion}, BLANKSASNULL)`, "", intText, "   |   \n", [[
      null,
      "   ",
    ]]],
    ["BLANKSASNULL", "BLANKSASNULL", text2, "   | a \n|b\n", [[null, " a "], ["", "b"]]],
    ["EMPTYASNULL", "EMPTYASNULL", text2, "| \n", [[null, " "]]],
    ["TRIMBLANKS", "TRIMBLANKS", ["varchar", "char(9)"], " a \t| b \n", [[" a", " b "]]],
    ["IGNOREHEADER", "IGNOREHEADER 2", text2, "x\ny|z|q\na|b\n", [["a", "b"]]],
    ["more header than file", "IGNOREHEADER 3", text2, "a|b\nc|d", []],
    ["IGNOREBLANKLINES", "IGNOREBLANKLINES", text2, "\na|b\n\n\r\nc|d\n\n", [["a", "b"], [
      "c",
      "d",
    ]]],
    ["IGNOREBLANKLINES of one column", "IGNOREBLANKLINES", ["text"], "\na\n\n", [["a"]]],
    ["blank lines of one column", "", ["text"], "\na\n\n", [[""], ["a"], [""]]],
    ["blank lines of one number", "", ["integer"], "1\n\n", [["1"], [null]]],
    [
      `FILLRECORD (${page.conversion})`,
      "FILLRECORD",
      ["varchar(9)", "integer", "varchar(9)", "char(3)"],
      "a\nb|1|c\n\n",
      [["a", null, "", null], ["b", "1", "c", null], ["", null, "", null]],
    ],
    ["FILLRECORD NULL AS ''", "FILLRECORD NULL AS ''", text2, "a\n", [["a", null]]],
    ["FILLRECORD EMPTYASNULL", "FILLRECORD EMPTYASNULL", text2, "a\n", [["a", null]]],
    [
      `ESCAPE (${page.conversion}, its own examples)`,
      "ESCAPE REMOVEQUOTES",
      ["integer", "varchar(200)"],
      "1|The quick brown fox\\\njumped over the lazy dog.\n2| A\\\\B\\\\C\n3| A \\| B \\| C\n" +
      "4|'A Midsummer Night\\'s Dream'\n",
      [
        ["1", "The quick brown fox\njumped over the lazy dog."],
        ["2", " A\\B\\C"],
        ["3", " A | B | C"],
        ["4", "A Midsummer Night's Dream"],
      ],
    ],
    ["ESCAPE, no octal and no letters", "ESCAPE", text2, "\\012|\\t\n", [["012", "t"]]],
    ["ESCAPE with \\N and \\\\N", "ESCAPE", text2, "\\N|\\\\N\n", [[null, null]]],
    ["ESCAPE with another NULL AS", "ESCAPE NULL AS '-'", text2, "-|\\\\N\n", [[null, "\\N"]]],
    ["ESCAPE of CR LF", "ESCAPE", text2, "a\\\r\\\nb|c\r\n", [["a\r\nb", "c"]]],
    ["ESCAPE with nothing behind it", "ESCAPE", text2, "a|b\\", [["a", "b\\"]]],
    [
      `REMOVEQUOTES (${page.conversion}, its own examples)`,
      "REMOVEQUOTES",
      ["varchar(100)"],
      `"The delimiter is a pipe (|) character"\n'Black'\n"White"\nBlue'\nBlue"\n' ' 'Black' ' '\n' '\n`,
      [
        ["The delimiter is a pipe (|) character"],
        ["Black"],
        ["White"],
        ["Blue'"],
        ['Blue"'],
        [" ' 'Black' ' "],
        [" "],
      ],
    ],
    ["REMOVEQUOTES in rows", "REMOVEQUOTES", intText, "1|'a'\n'2'|\"b|c\"\r\n3|''", [
      ["1", "a"],
      ["2", "b|c"],
      ["3", ""],
    ]],
    ["TRUNCATECOLUMNS", "TRUNCATECOLUMNS", ["varchar(3)", "char(2)"], "abcd|abc\nab|a\n", [
      ["abc", "ab"],
      ["ab", "a"],
    ]],
    [
      "TRUNCATECOLUMNS by bytes",
      "TRUNCATECOLUMNS",
      ["varchar(4)", "text"],
      "ééé|x\nabcé|y\n日本|z\n",
      [
        ["éé", "x"],
        ["abc", "y"],
        ["日", "z"],
      ],
    ],
    ["TRUNCATECOLUMNS of no text", "TRUNCATECOLUMNS", ["integer"], "123456789\n", [["123456789"]]],
    [
      `decimals cut off (${page.conversion}, ROUNDEC)`,
      "",
      ["numeric(8,2)", "numeric(8,0)", "numeric"],
      "20.259|7.9|20.259\n-1.5|-7|1\n1.259e1|.5|\n",
      [["20.25", "7", "20.259"], ["-1.5", "-7", "1"], ["1.259e1", "", null]],
    ],
    ["ROUNDEC", "ROUNDEC", ["numeric(8,2)"], "20.259\n", [["20.259"]]],
    ["DATEFORMAT", "DATEFORMAT 'DD/MM/YYYY'", ["date", "text"], "3/2/2024|3/2/2024\n|x\n", [
      ["2024-02-03", "3/2/2024"],
      [null, "x"],
    ]],
    [
      "TIMEFORMAT",
      "TIMEFORMAT 'MM.DD.YYYY HH:MI:SS'",
      ["timestamp without time zone", "date"],
      "02.03.2024 04:05:06|2024-02-03\n",
      [["2024-02-03 04:05:06", "2024-02-03"]],
    ],
    ["epochsecs", "TIMEFORMAT 'epochsecs'", ["timestamp"], "0\n1700000000\n-1.5\n1.25\n", [
      ["1970-01-01 00:00:00"],
      ["2023-11-14 22:13:20"],
      ["1969-12-31 23:59:58.500000"],
      ["1970-01-01 00:00:01.250000"],
    ]],
    ["epochmillisecs", "TIMEFORMAT 'epochmillisecs'", ["timestamp"], "1700000000123\n-1\n", [
      ["2023-11-14 22:13:20.123000"],
      ["1969-12-31 23:59:59.999000"],
    ]],
    ["auto", "DATEFORMAT 'auto' TIMEFORMAT 'auto'", ["date", "timestamp"], "x|y\n", [["x", "y"]]],
    [`CSV (${page.format})`, "CSV", text2, 'a,b\n"c","d"\n', [["a", "b"], ["c", "d"]]],
    ["CSV, quotes inside", "CSV", text2, '"a ""quoted"" word",""""\n', [['a "quoted" word', '"']]],
    ["CSV over lines", "CSV", text2, '"a\nb","c\r\nd"\r\ne,f\n', [["a\nb", "c\r\nd"], ["e", "f"]]],
    ["CSV, delimiters inside", "CSV", text2, '"a,b",c\n', [["a,b", "c"]]],
    ["CSV, white space around", "CSV", text2, ' "a" ,\t"b"\t\n" c ", d \n', [["a", "b"], [
      " c ",
      " d ",
    ]]],
    ["CSV by tab", "CSV DELIMITER '\\t'", text2, '"a"\t"b"\n\t"c"\n', [["a", "b"], ["", "c"]]],
    ["CSV, empty and quoted empty", "CSV", intText, ',\n"",""\n', [[null, ""], [null, ""]]],
    ["CSV EMPTYASNULL", "CSV EMPTYASNULL", text2, ',x\n"",""\n', [[null, "x"], ["", ""]]],
    ["CSV, NULL AS only without quotes", "CSV", text2, '\\N,"\\N"\n', [[null, "\\N"]]],
    ["CSV QUOTE", "CSV QUOTE AS ''''", text2, `'a,''b',"c"\n`, [["a,'b", '"c"']]],
    ["CSV, a backslash", "CSV", text2, 'a\\,"\\""\\"\n', [["a\\", '\\"\\']]],
    ["CSV, header over lines", "CSV IGNOREHEADER 1", text2, '"a\nb",c\nd,e\n', [["d", "e"]]],
    ["CSV, a last quote at the end", "CSV", text2, 'a,"b"', [["a", "b"]]],
    ["CSV, blank lines", "CSV IGNOREBLANKLINES", ["text"], 'a\n\n""\n', [["a"], [""]]],
  ];

for (const [name, options, types, file, rows] of examples) {
  Deno.test(`DelimitedRewriter reads ${name}, cut anywhere`, () => {
    for (const pieces of everyCut(file)) {
      assert.deepEqual(rewrite([options], types, pieces).rows, rows);
    }
  });
}

const refused: [
  name: string,
  options: string,
  types: string[],
  file: string,
  line: number,
  column: string | null,
  reason: RegExp,
  raw: string,
][] = [
  ["a field too few", "", text2, "a|b\nc\n", 2, null, /^1 field where there are 2 columns/, "c"],
  ["a field too many", "", text2, "a|b|c\n", 1, null, /^3 fields where there are 2 col/, "a|b|c"],
  ["a CSV field too many", "CSV", text2, "a,b,\n", 1, null, /^3 fields where/, "a,b,"],
  ["two delimiters too many", "", text2, "a|b||\n", 1, null, /^4 fields where/, "a|b||"],
  ["a blank line", "", text2, "a|b\n\nc|d\n", 2, null, /^1 field where/, ""],
  ["FILLRECORD, too many", "FILLRECORD", ["text"], "a|b\n", 1, null, /^2 fields/, "a|b"],
  ["an open quote", "CSV", text2, 'a,b\nc,"d\n', 2, null, /mark is not closed/, 'c,"d'],
  ["a stray quote", "CSV", text2, 'a,b"c"\n', 1, null, /inside of a field/, 'a,b"c"'],
  ["text behind a quote", "CSV", text2, '"a"b,c\n', 1, null, /text behind a closing/, '"a"b,c'],
  ["REMOVEQUOTES, open '", "REMOVEQUOTES", ["text"], "a\n'Blue\n", 2, null, /not closed/, "'Blue"],
  ['REMOVEQUOTES, open "', "REMOVEQUOTES", ["text"], '"Blue\n', 1, null, /not closed/, '"Blue'],
  [
    "a date of another form",
    "DATEFORMAT 'DD/MM/YYYY'",
    ["text", "date"],
    "a|1/2/2024\r\nb|2024-01-02\r\n",
    2,
    "c1",
    /^"2024-01-02" does not follow DATEFORMAT 'DD\/MM\/YYYY'/,
    "b|2024-01-02",
  ],
  [
    "an epoch that is none",
    "TIMEFORMAT 'epochsecs'",
    ["timestamp"],
    "yesterday",
    1,
    "c0",
    /^"yesterday" does not follow TIMEFORMAT 'epochsecs'/,
    "yesterday",
  ],
  ["a row behind long ones", "CSV", text2, '"a\n\nb",c\r\n"d\ne",f\ng\n', 6, null, /^1 field/, "g"],
  ["a row behind a header", "IGNOREHEADER 2", text2, "x\ny\nz\n", 3, null, /^1 field/, "z"],
  ["a row behind escapes", "ESCAPE", text2, "a\\\nb|c\nd\n", 3, null, /^1 field/, "d"],
];

for (const [name, options, types, file, line, column, reason, raw] of refused) {
  Deno.test(`DelimitedRewriter refuses ${name}, cut anywhere`, () => {
    for (const pieces of everyCut(file)) {
      assert.throws(() => rewrite([options], types, pieces), (thrown) => {
        assert.ok(thrown instanceof DataError);
        assert.equal(thrown.fault, "permanent");
        assert.match(thrown.row.reason, reason);
        assert.deepEqual([thrown.row.line, thrown.row.column], [line, column]);
        assert.equal(new TextDecoder().decode(thrown.row.raw), raw);
        return true;
      });
    }
  });
}

Deno.test("DelimitedRewriter refuses a row without end before it fills the memory", () => {
  const piece = new TextEncoder().encode(`"${"x".repeat(1024 * 1024)}`);
  const pieces = [piece, ...Array.from({ length: 20 }, () => piece.subarray(1))];
  assert.throws(() => rewrite(["CSV"], ["text"], pieces), {
    message: /longer than 16777216 bytes/,
  });
});

Deno.test("DelimitedRewriter leaves fewer rows out than MAXERROR says", () => {
  const file = 'a,b\n1\nc,d\n"e"x,f\ng,h\n';
  for (const pieces of everyCut(file)) {
    const { rows, faults } = rewrite(["CSV MAXERROR 3"], text2, pieces);
    assert.deepEqual(rows, [["a", "b"], ["c", "d"], ["g", "h"]]);
    assert.deepEqual(faults.first.map(({ line }) => line), [2, 4]);
    assert.equal(faults.count, 2);
    assert.throws(() => rewrite(["CSV MAXERROR 2"], text2, pieces), {
      message: /line 4: text behind/,
    });
  }
});

Deno.test("DelimitedRewriter replaces bytes that are no UTF-8, one for one", () => {
  const cases: [bytes: number[], text: string][] = [
    [[0x61, 0xff, 0x62], "a^b"],
    [[0xe6, 0x97], "^^"],
    [[0xe6, 0x97, 0xa5], "日"],
    [[0xc0, 0x80], "^^"],
    [[0xed, 0xa0, 0x80], "^^^"],
    [[0xf5, 0x80, 0x80, 0x80], "^^^^"],
    [[0xc3, 0xa9, 0x80], "é^"],
  ];
  for (const [bytes, text] of cases) {
    const file = Uint8Array.from([...bytes, 10]);
    for (const pieces of everyCut(file)) {
      assert.deepEqual(rewrite(["ACCEPTINVCHARS '^'"], ["text"], pieces).rows, [[text]]);
    }
  }
});

Deno.test("DelimitedRewriter finds the line and the bytes of a row that the server names", () => {
  const file = 'h,h\na,b\n"c\nd",e\n\nf,g\nh,\n';
  const wanted = [[2, "a,b"], [3, '"c\nd",e'], [6, "f,g"], [7, "h,"]] as const;
  wanted.forEach(([line, raw], i) => {
    for (const pieces of everyCut(file)) {
      const { faults } = rewrite(
        ["CSV IGNOREHEADER 1 IGNOREBLANKLINES"],
        ["text", "integer"],
        pieces,
        i + 1,
      );
      assert.equal(faults.found.get(i + 1)?.line, line);
      assert.equal(new TextDecoder().decode(faults.found.get(i + 1)?.raw), raw);
    }
  });
});
