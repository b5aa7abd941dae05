import assert from "node:assert/strict";
import { NOW_MS } from "../support/syslog_reading.ts";
import { joinParts } from "./parts_joined.ts";
import { Rig, turn } from "./rig.ts";

const line = (host: string, n: number) => `<13>Nov 23 20:30:00 ${host} app: ${n}`;

Deno.test("each message goes to the topic that its fields name", async () => {
  const rig = await Rig.ready({ topic: "syslog.{hostname}.{tag}" });
  const source = rig.source("192.0.2.7");
  rig.accept(source, line("web", 1));
  rig.accept(source, line("db", 2));
  rig.accept(source, "<13>no host: here");
  rig.accept(source, "<13>1 2026-11-23T20:30:00Z a/b:c - - - - hi");
  assert.deepEqual(rig.outlet.missing, [
    "syslog.web.app",
    "syslog.db.app",
    "syslog.192.0.2.7.none",
    "syslog.a_b_c.none",
  ]);
  for (const topic of rig.outlet.missing) rig.outlet.create(topic);
  const seen = await rig.settle();
  assert.deepEqual(seen.map(({ topic }) => topic).sort(), [
    "syslog.192.0.2.7.none",
    "syslog.a_b_c.none",
    "syslog.db.app",
    "syslog.web.app",
  ]);
});

Deno.test("what waits for its topic comes first and in order, before what came later", async () => {
  const rig = await Rig.ready({ topic: "to-{hostname}" }, { topics: { "to-known": 1 } });
  const source = rig.source();
  rig.accept(source, line("known", 0));
  await turn();
  for (let n = 1; n <= 5; n++) {
    rig.accept(source, line("late", n));
    rig.accept(source, line("known", n));
  }
  assert.equal(rig.pipeline.hasRoom(source), false);
  const waiting = rig.pipeline.room(source);
  await turn();
  assert.equal(rig.missing, 0);
  rig.outlet.create("to-late", 3);
  await waiting;
  assert.ok(rig.pipeline.hasRoom(source));
  rig.accept(source, line("late", 6));
  const seen = await rig.settle();
  const late = seen.filter(({ topic }) => topic === "to-late");
  assert.deepEqual(late.map(({ value }) => value), [1, 2, 3, 4, 5, 6].map((n) => line("late", n)));
  assert.equal(new Set(late.map(({ partition }) => partition)).size, 1);
});

Deno.test("a sender waits until all topics of its messages are known, others read on", async () => {
  const rig = await Rig.ready({ topic: "to-{hostname}" }, { topics: { "to-known": 1 } });
  const [stuck, free] = [rig.source(), rig.source()];
  rig.accept(stuck, line("one", 1));
  rig.accept(stuck, line("two", 1));
  rig.accept(free, line("known", 1));
  await turn();
  assert.ok(rig.pipeline.hasRoom(free));
  rig.outlet.create("to-two");
  await turn();
  assert.equal(rig.pipeline.hasRoom(stuck), false);
  rig.outlet.create("to-one");
  await turn();
  assert.ok(rig.pipeline.hasRoom(stuck));
  assert.equal((await rig.settle()).length, 3);
});

Deno.test("parked messages keep the time they came at", async () => {
  const rig = new Rig({ format: "json" });
  rig.pipeline.tick();
  rig.accept(rig.source(), "<13>no stamp");
  rig.world.clockMs += 3_600_000;
  rig.pipeline.tick();
  rig.outlet.create("syslog");
  await turn();
  rig.accept(rig.source(), "<13>no stamp");
  const [first, second] = await rig.settle();
  assert.equal(first?.timestampMs, NOW_MS);
  assert.equal(JSON.parse(first?.value ?? "").timestamp, new Date(NOW_MS).toISOString());
  assert.equal(second?.timestampMs, NOW_MS + 3_600_000);
});

Deno.test("parked messages have keys, parts and headers as if they had never waited", async () => {
  for (const format of ["raw", "json"] as const) {
    const rig = new Rig({ format, key: "hostname", lineBytesMost: 100 });
    const source = rig.source();
    rig.accept(source, line("web", 1));
    rig.accept(source, "<34>1 bad x");
    rig.part(source, `${line("long", 2)}${"x".repeat(60)}`, 0, true);
    rig.part(source, "y".repeat(100), 1, true);
    rig.part(source, "z", 2, false);
    assert.equal(rig.pipeline.heldRecords, 5);
    rig.outlet.create("syslog", 4);
    const seen = await rig.settle();
    const of = (peer: string) => seen.filter(({ key }) => key === peer);
    assert.equal(of("web").length, 1);
    assert.deepEqual(of("192.0.2.7")[0]?.headers, {
      "sluice-parse-error": "the RFC 5424 timestamp is malformed",
    });
    const parts = of("long");
    const text = ({ value }: { value: string }) =>
      format === "raw" ? value : JSON.parse(value).content;
    const whole = joinParts(parts, text);
    assert.ok(whole.endsWith(`${"x".repeat(60)}${"y".repeat(100)}z`), whole);
    assert.equal(rig.ledger.unparsed, 1);
    assert.equal(rig.missing, 0);
  }
});

Deno.test("a parked message that is too large for a batch goes on in parts, answered at the last", async () => {
  const rig = new Rig({ lineBytesMost: 10_000, format: "json" }, 10_000);
  const source = rig.source();
  const text = "\x01".repeat(2_000);
  rig.accept(source, `<13>Nov 23 20:30:00 host app: ${text}`);
  const { obligation } = source;
  rig.outlet.create("syslog");
  await turn();
  assert.equal(rig.outlet.sent.length, 2);
  rig.ack(rig.outlet.sent[1]);
  assert.equal(obligation?.isPaid, false);
  const seen = await rig.settle();
  assert.equal(obligation?.isPaid, true);
  assert.equal(joinParts(seen, ({ value }) => JSON.parse(value).content), text);
  assert.equal(rig.missing, 0);
});

Deno.test("what is parked counts as held, so that unknown topics cannot fill the memory", async () => {
  const memoryBytes = 100_000;
  const rig = new Rig({ memoryBytes, topic: "{hostname}" });
  let taken = 0;
  for (let n = 0; n < 10_000; n++) {
    const source = rig.source();
    if (!rig.pipeline.hasRoom(source)) continue;
    rig.accept(source, line("nowhere", n));
    taken++;
  }
  assert.ok(taken > 100 && taken < 1_000, `${taken} messages were taken`);
  assert.ok(rig.pipeline.heldBytes < memoryBytes + 1_000);
  rig.outlet.create("nowhere");
  assert.equal((await rig.settle()).length, taken);
  assert.equal(rig.pipeline.heldBytes, 0);
});

Deno.test("the pipeline is drained only when what was parked is safe, too", async () => {
  const rig = new Rig();
  rig.accept(rig.source(), line("web", 1));
  let isDrained = false;
  const drained = rig.pipeline.drained().then(() => isDrained = true);
  await turn();
  assert.equal(isDrained, false);
  assert.equal(rig.pipeline.heldRecords, 1);
  rig.outlet.create("syslog");
  await turn();
  assert.equal(isDrained, false);
  rig.ack();
  await drained;
  assert.equal(rig.outlet.delivered.length, 1);
});

Deno.test("topics beyond the limit share the one with `other`, which is said once", async () => {
  const rig = await Rig.ready({ topic: "t-{hostname}", topicsMost: 2, deadLetterTopic: "dead" });
  const source = rig.source();
  for (const host of ["a", "b", "c", "d", "a"]) rig.accept(source, line(host, 1));
  assert.deepEqual(rig.outlet.missing, ["t-a", "t-b", "t-other"]);
  assert.deepEqual(rig.world.said("warn"), [
    "More topics are named than allowed; the rest goes to one topic",
  ]);
  for (const topic of rig.outlet.missing) rig.outlet.create(topic);
  const seen = await rig.settle();
  assert.deepEqual(seen.map(({ topic }) => topic).sort(), [
    "t-a",
    "t-a",
    "t-b",
    "t-other",
    "t-other",
  ]);
});

Deno.test("new partitions are used after a refresh, and not before", async () => {
  const rig = await Rig.ready({}, { topics: { syslog: 1 } });
  const sources = [0, 1, 2, 3].map((home) => rig.source("192.0.2.7", home));
  const partitions = async () => {
    const before = rig.outlet.delivered.length;
    for (const source of sources) rig.accept(source, line("h", 1));
    return (await rig.settle()).slice(before).map(({ partition }) => partition).sort();
  };
  assert.deepEqual(await partitions(), [0, 0, 0, 0]);
  rig.outlet.create("syslog", 4);
  assert.deepEqual(await partitions(), [0, 0, 0, 0]);
  await rig.pipeline.topics.refresh();
  assert.deepEqual(await partitions(), [0, 1, 2, 3]);
});

Deno.test("a topic that was deleted does not keep the refresh of others waiting", async () => {
  const rig = await Rig.ready({ topic: "{hostname}" }, { topics: { gone: 1, here: 1 } });
  const source = rig.source("192.0.2.7", 1);
  rig.accept(source, line("gone", 1));
  rig.accept(source, line("here", 1));
  await rig.settle();
  rig.outlet.delete("gone");
  rig.outlet.create("here", 2);
  const refreshed = rig.pipeline.topics.refresh();
  await turn();
  rig.accept(source, line("here", 2));
  assert.equal((await rig.settle()).at(-1)?.partition, 1);
  rig.outlet.create("gone");
  await refreshed;
});

Deno.test("a client that gives up on a topic is said, and nothing spins", async () => {
  const rig = new Rig();
  rig.accept(rig.source(), line("h", 1));
  rig.outlet.fail("syslog", new Error("the producer was closed"));
  await turn();
  assert.deepEqual(rig.world.lines, [
    {
      level: "error",
      message: "Cannot use topic",
      fields: { topic: "syslog", reason: "the producer was closed" },
    },
  ]);
  assert.equal(rig.missing, 0);
});
