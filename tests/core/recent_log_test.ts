import assert from "node:assert/strict";
import { RecentLog, shownValue } from "../../lib/core/recent_log.ts";
import { Secret } from "../../lib/core/secret.ts";
import { VirtualWorld } from "./virtual_world.ts";

Deno.test("warnings and errors are remembered, newest first; everything is still logged", () => {
  const world = new VirtualWorld();
  const recent = new RecentLog();
  const { log } = recent.listenTo(world);
  log("info", "Forwarding", { topic: "t" });
  log("warn", "Kafka is away", { reason: "refused", tries: 3 });
  log("error", "Lost", { error: new Error("why"), offset: 5n });
  log("debug", "Noise");
  assert.deepEqual(world.lines.map(({ message }) => message), [
    ...["Forwarding", "Kafka is away", "Lost", "Noise"],
  ]);
  const atMs = world.nowMs();
  assert.deepEqual(recent.lines, [
    { atMs, level: "error", message: "Lost", fields: [["error", "why"], ["offset", "5"]] },
    {
      ...{ atMs, level: "warn", message: "Kafka is away" },
      fields: [["reason", "refused"], ["tries", "3"]],
    },
  ]);
  assert.equal(recent.version, 2);
});

Deno.test("what is remembered is bounded: lines, fields, and their lengths", () => {
  const recent = new RecentLog();
  const { log } = recent.listenTo(new VirtualWorld());
  const fields = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`f${i}`, "y".repeat(9e5)]),
  );
  for (let i = 0; i < 100; i++) log("error", `${i} ${"x".repeat(1e6)}`, fields);
  assert.equal(recent.lines.length, 20);
  assert.match(recent.lines[0]?.message ?? "", /^99 x+…$/);
  assert.ok(JSON.stringify(recent.lines).length < 20 * 13 * 600);
});

Deno.test("a secret is not remembered, wherever it is in a field; what holds itself is no harm", () => {
  const recent = new RecentLog();
  const { log } = recent.listenTo(new VirtualWorld());
  const secret = new Secret("canary");
  const ring: Record<string, unknown> = { secret };
  ring["itself"] = ring;
  log("error", "Denied", { secret, deep: { list: [secret] }, ring });
  const told = JSON.stringify(recent.lines);
  assert.doesNotMatch(told, /canary/);
  assert.match(told, /\[secret\]/);
});

const shown: [value: unknown, text: string][] = [
  [undefined, ""],
  ["syslog", "syslog"],
  [5, "5"],
  [true, "true"],
  [["a", "b"], "a, b"],
  [new Secret("canary"), "[secret]"],
  ["postgres://u:canary@h/db", "postgres://u:[secret]@h/db"],
  [["s3://k:canary@b"], "s3://k:[secret]@b"],
];

for (const [value, text] of shown) {
  Deno.test(`an option's value is shown as ${JSON.stringify(text)}`, () => {
    assert.equal(shownValue(value), text);
  });
}
