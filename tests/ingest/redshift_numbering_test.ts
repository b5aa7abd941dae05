import assert from "node:assert/strict";
import { parseCopyOptions } from "../../lib/formats/copy_options.ts";
import { RowNumbering } from "../../lib/ingest/redshift_numbering.ts";

const tables: readonly (readonly [string, string, string, string])[] = [
  ["text between bars", "", "a|b\nc|d", "5|a|b\n6|c|d\n"],
  ["lines that end with CR LF", "DELIMITER ';'", "a;b\r\nc;d\r\n", "5;a;b\r\n6;c;d\r\n"],
  ["ESCAPE", "ESCAPE", "a|b\\\nc\nd|\\|\n", "5|a|b\\\nc\n6|d|\\|\n"],
  ["REMOVEQUOTES", "REMOVEQUOTES", '"a|b"|c\nd|e\n', '5|"a|b"|c\n6|d|e\n'],
  ["CSV over lines", "CSV", '"a\n""b",c\nd,e\n', '5,"a\n""b",c\n6,d,e\n'],
  [
    "CSV with other marks",
    "CSV QUOTE '%' DELIMITER '\\t'",
    "%a\t\n%\tb\nc\td\n",
    "5\t%a\t\n%\tb\n6\tc\td\n",
  ],
  ["header lines", "CSV IGNOREHEADER 2", "x,y\n-,-\na,b\n", "5,a,b\n"],
  ["blank lines that count", "", "a|b\n\nc|d\n", "5|a|b\n6|\n7|c|d\n"],
  ["blank lines that do not", "IGNOREBLANKLINES", "a|b\n\r\n\nc|d\n", "5|a|b\n6|c|d\n"],
  ["a byte order mark", "CSV", "\ufeffa,b\n", "5,a,b\n"],
  ["a row that is none", "CSV", 'a"b,c\nd,e\n', '5,a"b,c\n6,d,e\n'],
  ["nothing", "CSV", "", ""],
  ["objects a line", "JSON 'auto'", '{"a":1}\n{"a":"}{"}\n', '{"a":1,"n":5}\n{"a":"}{","n":6}\n'],
  [
    "objects one behind the other",
    "JSON 'auto'",
    '{"a":{"b":2} } {\n}\n{ "\\"":1}',
    '{"a":{"b":2} ,"n":5}\n{\n"n":6}\n{ "\\"":1,"n":7}\n',
  ],
  [
    "what is no object",
    "JSON 'auto'",
    'x {"a":1}\n{"a":1}\n{"a":',
    'x {"a":1}\n{"a":1,"n":6}\n{"a":\n',
  ],
];

for (const [name, options, text, expected] of tables) {
  Deno.test(`RowNumbering numbers ${name}, wherever the bytes are cut`, () => {
    const bytes = new TextEncoder().encode(text);
    const read = parseCopyOptions(options === "" ? [] : [options], "redshift");
    for (let cut = 0; cut <= bytes.length; cut++) {
      const numbering = new RowNumbering({ options: read, column: "n", first: 5 });
      const out = [bytes.slice(0, cut), bytes.slice(cut)].map((one) => decode(numbering.push(one)));
      assert.equal(out.join("") + decode(numbering.finish()), expected, `cut at ${cut}`);
    }
  });
}

Deno.test("RowNumbering finds a row by its number, with its line", () => {
  const find = (options: string, text: string, wanted: number) => {
    const read = parseCopyOptions([options], "redshift");
    const numbering = new RowNumbering({ options: read, column: "n", first: 1, wanted });
    numbering.push(new TextEncoder().encode(text));
    numbering.finish();
    return [numbering.found, numbering.next];
  };
  assert.deepEqual(find("CSV IGNOREHEADER 1", 'x,y\n"a\nb",c\r\nd,e\r\n', 2), [
    { line: 4, raw: "d,e" },
    3,
  ]);
  assert.deepEqual(find("JSON 'auto'", '{"a":1}\n\n{"a":\n2}', 2), [
    { line: 3, raw: '{"a":\n2}' },
    3,
  ]);
  assert.deepEqual(find("CSV", "a\n", 9), [null, 2]);
});

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
