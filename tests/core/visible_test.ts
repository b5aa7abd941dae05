import assert from "node:assert/strict";
import { visible, VisibleBytes, visibleLines } from "../../lib/core/visible.ts";

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

Deno.test("visibleLines() keeps lines and tabs, and shows what else commands a terminal", () => {
  assert.equal(
    visibleLines("a\tb\r\n\x1b]52;c;eA==\x07\x9b2J\x7f\0ä"),
    "a\tb\\u000d\n\\u001b]52;c;eA==\\u0007\\u009b2J\\u007f\\u0000ä",
  );
  const json = JSON.stringify({ "a\x9b": "\x1b\x7f\x80" });
  assert.deepEqual(JSON.parse(visibleLines(json)), JSON.parse(json), "JSON stays the same JSON");
});

Deno.test("VisibleBytes shows characters that are cut, and nothing of what is not UTF-8", () => {
  const bytes = Uint8Array.of(0xc2, 0x9b, 0x9b, 0xe6, 0x97, 0xa5, 0xff, 0xe6, 0x97);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const shown = new VisibleBytes();
    const parts = [
      shown.take(bytes.subarray(0, cut)),
      shown.take(bytes.subarray(cut)),
      shown.end(),
    ];
    const text = parts.map((part) => new TextDecoder().decode(part)).join("");
    assert.equal(text, "\\u009b\ufffd日\ufffd\ufffd");
  }
});
