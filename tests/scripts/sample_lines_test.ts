import assert from "node:assert/strict";
import { partsText, sampleLine } from "../../scripts/sample_lines.ts";
import { encodeLine, textOf } from "../support/syslog_reading.ts";

const nowMs = Date.UTC(2026, 10, 3, 4, 5, 6);

Deno.test("The quickstart's lines say what it expects to arrive, in both forms of syslog", () => {
  const forms = new Set<boolean>();
  for (let n = 0; n < 10; n++) {
    const { text, expected } = sampleLine(n, "a", nowMs);
    forms.add(/^<\d+>1 /.test(text));
    const value = JSON.parse(encodeLine(textOf(new TextEncoder().encode(text)), { nowMs }));
    assert.equal(partsText(value), partsText(expected));
    assert.equal(value.timestamp, "2026-11-03T04:05:06.000Z");
  }
  assert.equal(forms.size, 2);
});

Deno.test("No two of the quickstart's lines are the same", () => {
  const texts = ["a", "b"].flatMap((sender) =>
    Array.from({ length: 500 }, (_, n) => sampleLine(n, sender, nowMs).text)
  );
  assert.equal(new Set(texts).size, 1_000);
});
