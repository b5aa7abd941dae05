import assert from "node:assert/strict";
import fc from "fast-check";
import { prettyJson } from "../../lib/formats/json_pretty.ts";

const plain = (json: string) => prettyJson(json, { colours: false });

Deno.test("prettyJson() lays out as JSON.stringify does", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // JSON.stringify writes -0 as 0, and both come from its own text here.
      const text = JSON.stringify(value);
      assert.equal(plain(text), JSON.stringify(JSON.parse(text), null, 2));
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("prettyJson() keeps tokens as they are written", () => {
  assert.equal(
    plain('{"a":12345678901234567890,"a":1.0,"b":"\\u0041{}[],:"}'),
    '{\n  "a": 12345678901234567890,\n  "a": 1.0,\n  "b": "\\u0041{}[],:"\n}',
  );
});

Deno.test("prettyJson() colours keys, strings, numbers and words, and nothing else", () => {
  const coloured = prettyJson('{"k":["s",-1,null],"e":{}}', { colours: true });
  assert.ok(coloured.includes('\x1b[34;1m"k"\x1b[0m: [\n    \x1b[32m"s"\x1b[0m,'));
  assert.ok(coloured.includes("\x1b[36m-1\x1b[0m"));
  assert.ok(coloured.includes("\x1b[33mnull\x1b[0m"));
  // deno-lint-ignore no-control-regex
  assert.equal(coloured.replace(/\x1b\[[\d;]*m/g, ""), plain('{"k":["s",-1,null],"e":{}}'));
});
