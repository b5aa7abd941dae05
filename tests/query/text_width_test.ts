import assert from "node:assert/strict";
import fc from "fast-check";
import { fitText, padText, textWidth } from "../../lib/query/text_width.ts";

const widths: [text: string, width: number][] = [
  ["", 0],
  ["abc", 3],
  ["é", 1],
  ["e\u0301", 1],
  ["日本語", 6],
  ["ｆｕｌｌ", 8],
  ["한국", 4],
  ["👍", 2],
  ["👨‍👩‍👧", 2],
  ["🇩🇪", 2],
  ["❤️", 2],
  ["Ωмега", 5],
  ["a\u200bb", 2],
  ["𠀀", 2],
];

for (const [text, width] of widths) {
  Deno.test(`the width of ${JSON.stringify(text)} is ${width}`, () => {
    assert.equal(textWidth(text), width);
  });
}

Deno.test("a text that is cut ends in an ellipsis, and never in half of a character", () => {
  assert.equal(fitText("abcdef", 6), "abcdef");
  assert.equal(fitText("abcdef", 5), "abcd…");
  assert.equal(fitText("日本語", 5), "日本…");
  assert.equal(fitText("日本語", 4), "日…");
  assert.equal(fitText("abc", 1), "…");
  assert.equal(fitText("x".repeat(1e6), 3), "xx…");
});

Deno.test("whatever the text, it is as wide as asked for, when it is fitted and filled up", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 30 }), (text, width) => {
      for (const align of ["left", "right", "center"] as const) {
        assert.equal(textWidth(padText(fitText(text, width), width, align)), width);
      }
    }),
  );
});
