import assert from "node:assert/strict";
import { ProgressLine } from "../../lib/clients/progress.ts";
import { eventually } from "../support/waiting.ts";

function placeOf(
  isTerminal: boolean,
): { isTerminal: boolean; said: string; write(text: string): void } {
  return {
    isTerminal,
    said: "",
    write(text) {
      this.said += text;
    },
  };
}

Deno.test("on a terminal progress is one line that is written over and goes in the end", async () => {
  const place = placeOf(true);
  let count = 0;
  const line = new ProgressLine(() => `${++count} done\n`, { place, overwriteMs: 1 });
  await eventually("it is told", () => count >= 2);
  line.clear();
  assert.ok(place.said.startsWith("\r1 done\\u000a\x1b[K\r2 done\\u000a\x1b[K"), place.said);
  assert.ok(place.said.endsWith("\r\x1b[K"));
  const before = place.said;
  line.clear();
  assert.equal(place.said, before, "there is nothing to be taken away");
  line.close();
  assert.ok(!place.said.slice(before.length).includes("\n"));
});

Deno.test("elsewhere progress is whole lines, and nothing at all of a short work", async () => {
  const place = placeOf(false);
  let count = 0;
  const line = new ProgressLine(() => `${++count} done`, { place, lineMs: 1 });
  await eventually("it is told", () => count >= 2);
  line.close();
  assert.match(place.said, /^1 done\n2 done\n(\d+ done\n)*$/);
  const short = placeOf(false);
  new ProgressLine(() => "x", { place: short }).close();
  assert.equal(short.said, "");
});
