import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Partitioners } from "kafkajs";
import { header, headerNames } from "../../lib/forward/record_headers.ts";
import { unackedMost } from "../../lib/forward/shipping.ts";
import { Source } from "../../lib/forward/source.ts";
import { bytesOf, NOW_MS } from "../support/syslog_reading.ts";
import { Rig, turn } from "./rig.ts";

const line = (n: number) => `<13>Nov 23 20:30:00 host app: line ${n}`;

Deno.test("what one turn brings for a partition goes out as one batch", async () => {
  const rig = await Rig.ready();
  const source = rig.source();
  for (let n = 0; n < 5; n++) rig.accept(source, line(n));
  assert.equal(rig.outlet.sent.length, 0);
  await turn();
  assert.equal(rig.outlet.sent.length, 1);
  const seen = await rig.settle();
  assert.deepEqual(seen.map(({ value }) => value), [0, 1, 2, 3, 4].map(line));
});

Deno.test("each connection has a partition of its own, in turn, and keeps its order there", async () => {
  const rig = await Rig.ready({}, { topics: { syslog: 3 } });
  const sources = Array.from({ length: 6 }, () => rig.source());
  for (let n = 0; n < 20; n++) {
    for (const [i, source] of sources.entries()) rig.accept(source, `${i} ${n}`);
    if (n % 3 === 0) await turn();
  }
  const seen = await rig.settle();
  assert.equal(seen.length, 120);
  for (const i of sources.keys()) {
    const own = seen.filter(({ value }) => value.startsWith(`${i} `));
    assert.deepEqual(
      own.map(({ value }) => value),
      Array.from({ length: 20 }, (_, n) => `${i} ${n}`),
    );
    assert.deepEqual([...new Set(own.map(({ partition }) => partition))], [i % 3]);
  }
});

Deno.test("two batches are under way and the third is half full before a sender has to wait", async () => {
  const rig = await Rig.ready({}, { batchBytes: 10_000 });
  const source = rig.source();
  let taken = 0;
  for (; rig.pipeline.hasRoom(source); taken++) {
    rig.accept(source, "x".repeat(500));
    await turn();
    assert.ok(taken < 1_000, "it never ends");
  }
  assert.equal(rig.outlet.sent.length, unackedMost);
  const inThird = rig.ledger.received -
    rig.outlet.sent.reduce((sum, { batch }) => sum + batch.count, 0);
  assert.ok(inThird * 500 > 4_000 && inThird * 520 < 6_000, `${inThird} records in the third`);
  assert.equal(rig.missing, 0);
});

Deno.test("a sender that waits for its partition goes on at the next acknowledgement", async () => {
  const rig = await Rig.ready();
  const source = rig.source();
  while (rig.pipeline.hasRoom(source)) {
    rig.accept(source, "x".repeat(500));
    await turn();
  }
  let isOn = false;
  const waiting = rig.pipeline.room(source).then(() => isOn = true);
  await turn();
  assert.equal(isOn, false);
  rig.ack();
  await waiting;
  assert.ok(rig.pipeline.hasRoom(source));
  await rig.settle();
  assert.equal(rig.ledger.acknowledged, rig.ledger.received);
});

Deno.test("many senders together stay within the memory that is allowed and one read of each", async () => {
  const memoryBytes = 100_000;
  const readBytes = 1_000;
  const partitions = 50;
  const rig = await Rig.ready({ memoryBytes }, { topics: { syslog: partitions } });
  const sources = Array.from({ length: 200 }, () => rig.source());
  let peak = 0;
  for (let round = 0; round < 100; round++) {
    for (const source of sources) {
      if (!rig.pipeline.hasRoom(source)) continue;
      for (let n = 0; n < readBytes / 100; n++) rig.accept(source, "x".repeat(100));
      peak = Math.max(peak, rig.pipeline.heldBytes);
    }
    if (round % 10 === 9) await turn();
    assert.equal(rig.missing, 0);
  }
  assert.ok(!sources.some((source) => rig.pipeline.hasRoom(source)));
  assert.ok(peak >= memoryBytes, `only ${peak} bytes were held`);
  // No sender may read on once the bound is passed: what is over it is one read, as it is written.
  assert.ok(peak < memoryBytes + readBytes * 1.5 + 100 * partitions, `${peak} bytes were held`);
  const held = rig.outlet.sent.reduce((sum, { batch }) => sum + batch.sizeBytes, 0);
  assert.ok(held < memoryBytes * 1.2, `${held} bytes are under way`);
  await rig.settle();
  assert.equal(rig.pipeline.heldBytes, 0);
});

Deno.test("what waits for memory goes on when some is free", async () => {
  const rig = await Rig.ready({ memoryBytes: 2_000 }, { topics: { syslog: 2 } });
  const [first, second] = [rig.source(), rig.source()];
  while (rig.pipeline.hasRoom(first)) rig.accept(first, "x".repeat(100));
  assert.equal(rig.pipeline.hasRoom(second), false);
  const waiting = rig.pipeline.room(second);
  await turn();
  rig.ack();
  await waiting;
  assert.ok(rig.pipeline.hasRoom(second));
});

const keyed = ["hostname", "tag"] as const;
for (const key of keyed) {
  Deno.test(`records keyed by ${key} lie where Kafka's own clients would put them`, async () => {
    const rig = await Rig.ready({ key }, { topics: { syslog: 7 } });
    const source = rig.source();
    for (let n = 0; n < 200; n++) {
      const word = `w${n.toString(36)}${"x".repeat(n % 9)}`;
      rig.accept(source, `<13>Nov 23 20:30:00 ${word} ${word}: hi`);
    }
    const seen = await rig.settle();
    assert.equal(seen.length, 200);
    for (const { key, partition } of seen) {
      assert.ok(key !== null && key.length > 1);
      const expected = Partitioners.DefaultPartitioner()({
        topic: "syslog",
        message: { key: Buffer.from(key, "latin1"), value: null },
        partitionMetadata: Array.from({ length: 7 }, (_, partitionId) => ({
          partitionId,
          leader: 1,
          partitionErrorCode: 0,
          replicas: [],
          isr: [],
        })),
      });
      assert.equal(partition, expected, key);
    }
  });
}

Deno.test("the key of a message without a host is the sender's address, without a tag there is none", async () => {
  const byHost = await Rig.ready({ key: "hostname" });
  byHost.accept(byHost.source("192.0.2.9"), "<13>no host here");
  assert.equal((await byHost.settle())[0]?.key, "192.0.2.9");
  const byTag = await Rig.ready({ key: "tag" }, { topics: { syslog: 5 } });
  const source = byTag.source("192.0.2.9", 3);
  byTag.accept(source, "<13>1 2026-11-23T20:30:00Z host - - - - hi");
  const [seen] = await byTag.settle();
  assert.deepEqual([seen?.key, seen?.partition], [null, 3]);
});

Deno.test("without a key no record has one", async () => {
  const rig = await Rig.ready();
  rig.accept(rig.source(), line(1));
  assert.equal((await rig.settle())[0]?.key, null);
});

Deno.test("raw records hold the bytes as they came, whatever they are", async () => {
  const rig = await Rig.ready({ format: "raw" });
  const all = Array.from({ length: 256 }, (_, n) => String.fromCharCode(n)).join("");
  rig.accept(rig.source(), `<13>Nov 23 20:30:00 host app: ${all}`);
  rig.accept(rig.source(), all);
  const seen = await rig.settle();
  assert.deepEqual(seen.map(({ value }) => value), [`<13>Nov 23 20:30:00 host app: ${all}`, all]);
});

Deno.test("JSON records of messages that are not UTF-8 lose no byte and say how to read them", async () => {
  const rig = await Rig.ready({ format: "json" });
  rig.accept(rig.source(), "<13>Nov 23 20:30:00 host app: \xe9t\xe9 \xff\xfe");
  const [seen] = await rig.settle();
  const value = JSON.parse(utf8(seen?.value ?? ""));
  // SyslogJson: with this charset every code point of the text is one byte.
  assert.deepEqual([value.charset, value.content], ["iso-8859-1", "\xe9t\xe9 \xff\xfe"]);
});

/** The text whose UTF-8 these bytes, one character each, are. */
function utf8(bytes: string): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(bytes));
}

Deno.test("what nobody can read is sent with its whole text and a header that says why", async () => {
  for (const format of ["raw", "json"] as const) {
    const rig = await Rig.ready({ format });
    const text = '<34>1 not-a-stamp "x"';
    rig.accept(rig.source(), text);
    rig.accept(rig.source(), line(1));
    const [bad, good] = await rig.settle();
    const value = bad?.value ?? "";
    assert.equal(format === "raw" ? value : JSON.parse(value).content, text);
    assert.deepEqual(bad?.headers, { "sluice-parse-error": "the RFC 5424 timestamp is malformed" });
    assert.deepEqual(good?.headers, {});
    assert.equal(rig.ledger.unparsed, 1);
  }
});

Deno.test("the record time is when the line came, or what it says when that is wanted and there", async () => {
  const said = Date.UTC(2026, 10, 23, 20, 30);
  const cases = [
    ["receive", line(1), NOW_MS],
    ["message", line(1), said],
    ["message", "<13>no stamp", NOW_MS],
    [
      "message",
      "<13>1 1999-12-31T23:59:59.5Z h a - - - old",
      Date.UTC(1999, 11, 31, 23, 59, 59, 500),
    ],
    ["message", "<13>1 2222-01-01T00:00:00Z h a - - - late", Date.UTC(2222, 0, 1)],
  ] as const;
  for (const [recordTime, text, expected] of cases) {
    const rig = await Rig.ready({ recordTime });
    rig.pipeline.tick();
    rig.accept(rig.source(), line(0)); // So that the stamp is a delta, too.
    rig.accept(rig.source(), text);
    const seen = await rig.settle();
    assert.equal(seen[1]?.timestampMs, expected, `${recordTime} ${text}`);
  }
});

Deno.test("headers of the sender go with each of its records, unparsed ones too", async () => {
  const rig = await Rig.ready();
  const source = new Source(0, "192.0.2.7", [header(headerNames.peer, "192.0.2.7")]);
  rig.accept(source, line(1));
  rig.accept(source, "<13>");
  const seen = await rig.settle();
  assert.deepEqual(seen.map(({ headers }) => headers), [
    { "sluice-peer": "192.0.2.7" },
    { "sluice-peer": "192.0.2.7", "sluice-parse-error": "nothing follows the priority" },
  ]);
});

Deno.test("a batch acknowledged twice is a defect that shows", async () => {
  const rig = await Rig.ready();
  rig.accept(rig.source(), line(1));
  await turn();
  const [sent] = rig.outlet.sent;
  assert.ok(sent);
  rig.pipeline.shipping.acknowledged(sent.batch);
  assert.throws(() => rig.pipeline.shipping.acknowledged(sent.batch), /acknowledged twice/);
});

Deno.test("an empty pipeline is drained at once, a full one when the last batch is safe", async () => {
  const rig = await Rig.ready();
  await rig.pipeline.drained();
  const source = rig.source();
  for (let n = 0; n < 100; n++) rig.accept(source, "x".repeat(900));
  let isDrained = false;
  const drained = rig.pipeline.drained().then(() => isDrained = true);
  await turn();
  while (rig.outlet.sent.length > 1) {
    rig.ack();
    await turn();
    assert.equal(isDrained, false);
  }
  rig.ack();
  await drained;
  assert.equal(rig.pipeline.heldRecords, 0);
  assert.equal(rig.ledger.acknowledged, 100);
  assert.equal(rig.pipeline.heldBytes, 0);
});
