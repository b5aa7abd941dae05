import assert from "node:assert/strict";
import { LiveLines } from "../../lib/clients/live_lines.ts";
import { eventually } from "../support/waiting.ts";

function terminal(isTerminal: boolean) {
  const written: string[] = [];
  const place = {
    isTerminal,
    size: () => ({ columns: 40, rows: 10 }),
    write: (text: string) => void written.push(text),
  };
  return { written, place };
}

Deno.test("LiveLines writes its lines over again, and leaves nothing behind", async () => {
  const { written, place } = terminal(true);
  const asked: number[][] = [];
  const linesOf = (columns: number, rows: number) => {
    asked.push([columns, rows]);
    return ["one", "two\u001b"];
  };
  const live = new LiveLines(linesOf, { place, everyMs: 1 });
  assert.ok(live.isLive);
  await eventually("two rounds", () => written.length >= 2);
  live.close();
  assert.deepEqual(asked[0], [39, 8]);
  assert.equal(written[0], "one\x1b[K\ntwo\\u001b\x1b[K\n\x1b[J");
  assert.equal(written[1], `\x1b[2A\r${written[0]}`);
  assert.equal(written.at(-1), "\x1b[2A\r\x1b[J");
  const count = written.length;
  live.clear();
  assert.equal(written.length, count);
});

Deno.test("LiveLines does nothing where no terminal is", () => {
  const { written, place } = terminal(false);
  const live = new LiveLines(() => ["one"], { place, everyMs: 1 });
  assert.ok(!live.isLive);
  live.close();
  assert.deepEqual(written, []);
});
