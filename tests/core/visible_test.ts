import assert from "node:assert/strict";
import { visible } from "../../lib/core/visible.ts";

const texts: [text: string, shown: string][] = [
  ["", ""],
  ['plain, ä, 日本, 🦦 and "quotes"', 'plain, ä, 日本, 🦦 and "quotes"'],
  ["two\nlines\r\n", "two\\u000alines\\u000d\\u000a"],
  ["tab\tand nul\0", "tab\\u0009and nul\\u0000"],
  ["\x1b[31mred\x9b0m\x7f", "\\u001b[31mred\\u009b0m\\u007f"],
  ["a\u2028b\u2029c\u0085d", "a\\u2028b\\u2029c\\u0085d"],
];

for (const [text, shown] of texts) {
  Deno.test(`visible() shows ${JSON.stringify(text)} on one line`, () => {
    assert.equal(visible(text), shown);
  });
}
