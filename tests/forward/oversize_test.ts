import assert from "node:assert/strict";
import { SyslogFramer } from "../../lib/formats/syslog_frame.ts";
import type { Source } from "../../lib/forward/source.ts";
import { bytesOf } from "../support/syslog_reading.ts";
import { joinParts } from "./parts_joined.ts";
import { Rig, type SeenRecord } from "./rig.ts";

const head = "<13>Nov 23 20:30:00 host app: ";

/** Sends lines through the framer, as a session does. */
function feed(rig: Rig, source: Source, text: string): void {
  const framer = new SyslogFramer({
    frame: (bytes, start, end, part, more) =>
      rig.pipeline.accept(source, bytes, start, end, part, more),
  }, { maxLineBytes: rig.settings.lineBytesMost });
  const bytes = bytesOf(text);
  framer.push(bytes, bytes.length);
  framer.finish();
}

const partsOf = (seen: readonly SeenRecord[]) => seen.map(({ headers }) => headers["sluice-part"]);

Deno.test("a message over --max-line is split into numbered parts that make the whole again", async () => {
  const rig = await Rig.ready({ lineBytesMost: 100, format: "raw" }, { topics: { syslog: 5 } });
  const source = rig.source();
  const line = head + "0123456789".repeat(30);
  feed(rig, source, `${head}short\n${line}\n${head}short too\n`);
  const seen = await rig.settle();
  assert.deepEqual(partsOf(seen), [undefined, "1", "2", "3", "4/4", undefined]);
  assert.equal(joinParts(seen.slice(1, 5)), line);
  assert.equal(new Set(seen.map(({ partition }) => partition)).size, 1);
  assert.equal(rig.ledger.messages, 3);
  assert.equal(rig.ledger.received, 6);
  assert.equal(rig.ledger.unparsed, 0);
});

Deno.test("the further parts of a message have its key and partition", async () => {
  for (const key of ["hostname", "tag"] as const) {
    const rig = await Rig.ready({ lineBytesMost: 100, key }, { topics: { syslog: 16 } });
    feed(rig, rig.source(), `${head}${"x".repeat(300)}\n`);
    const seen = await rig.settle();
    assert.equal(seen.length, 4);
    assert.deepEqual([...new Set(seen.map((one) => one.key))], [key === "tag" ? "app" : "host"]);
    assert.equal(new Set(seen.map(({ partition }) => partition)).size, 1);
  }
});

Deno.test("JSON parts hold the parsed head in the first and the rest of the text in the others", async () => {
  const rig = await Rig.ready({ lineBytesMost: 100, format: "json" });
  const text = "é".repeat(120);
  const line = `${head}${utf8(text)}`;
  feed(rig, rig.source(), `${line}\n`);
  const seen = await rig.settle();
  const values = seen.map(({ value }) => JSON.parse(decoded(value)));
  assert.equal(values[0].hostname, "host");
  assert.equal(values.map(({ content }) => content).join(""), text);
  assert.ok(values.every(({ charset }) => charset === undefined), "no character was torn");
});

function utf8(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

function decoded(bytes: string): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(bytes));
}

Deno.test("a truncated message keeps its beginning, says so, and what it lost is counted", async () => {
  const rig = await Rig.ready({ lineBytesMost: 100, oversize: "truncate" });
  feed(rig, rig.source(), `${head}${"x".repeat(300)}\n${head}short\n`);
  const seen = await rig.settle();
  assert.equal(seen.length, 2);
  assert.equal(seen[0]?.value, head + "x".repeat(100 - head.length));
  assert.deepEqual(seen.map(({ headers }) => headers), [{ "sluice-truncated": "true" }, {}]);
  assert.equal(rig.ledger.truncated, 1);
  assert.equal(rig.ledger.truncatedBytes, 200 + head.length);
});

Deno.test("over-long messages go to the dead-letter topic in all their parts", async () => {
  const rig = await Rig.ready({
    lineBytesMost: 100,
    oversize: "dead-letter",
    deadLetterTopic: "dead",
  });
  const line = head + "y".repeat(200);
  feed(rig, rig.source(), `${line}\n${head}short\n`);
  const seen = await rig.settle();
  const dead = seen.filter(({ topic }) => topic === "dead");
  assert.equal(joinParts(dead), line);
  assert.deepEqual(seen.filter(({ topic }) => topic === "syslog").map(({ value }) => value), [
    `${head}short`,
  ]);
  assert.equal(rig.ledger.deadLettered, dead.length);
  assert.equal(rig.ledger.acknowledged, 1);
  assert.equal(rig.missing, 0);
});

// What is one frame can be more than a batch holds: JSON makes six bytes of a control character.
const escapes = [
  ["a little too large", 2_000],
  ["many times too large", 9_500],
] as const;

for (const [name, length] of escapes) {
  Deno.test(`a message whose JSON is ${name} for a batch goes on in parts, as text without a loss`, async () => {
    const rig = await Rig.ready({ lineBytesMost: 10_000, format: "json" }, { batchBytes: 10_000 });
    const text = Array.from({ length }, (_, n) => String.fromCharCode(1 + n % 7)).join("");
    const source = rig.source();
    rig.accept(source, `${head}before`);
    rig.accept(source, head + text);
    rig.accept(source, `${head}behind`);
    const seen = await rig.settle();
    assert.equal(joinParts(seen.slice(1, -1), contentOf), text);
    assert.equal(contentOf(seen[0]), "before");
    assert.equal(contentOf(seen.at(-1)), "behind");
    assert.equal(rig.ledger.messages, 3);
    assert.equal(rig.ledger.received, seen.length);
    assert.equal(rig.missing, 0);
  });

  Deno.test(`parts of a message can be ${name}, too, and are named so that they can be joined`, async () => {
    const rig = await Rig.ready({ lineBytesMost: 10_000, format: "json" }, { batchBytes: 10_000 });
    const text = Array.from({ length }, (_, n) => String.fromCharCode(1 + n % 7)).join("");
    const source = rig.source();
    rig.part(source, head + text, 0, true);
    rig.part(source, text, 1, true);
    rig.part(source, text, 2, false);
    const seen = await rig.settle();
    assert.equal(joinParts(seen, contentOf), text.repeat(3));
  });

  Deno.test(`a message whose JSON is ${name} for a batch loses its end once when truncated`, async () => {
    const rig = await Rig.ready({
      lineBytesMost: 10_000,
      format: "json",
      oversize: "truncate",
    }, { batchBytes: 10_000 });
    const text = "\x01".repeat(length);
    rig.accept(rig.source(), head + text);
    const seen = await rig.settle();
    assert.equal(seen.length, 1);
    const kept = contentOf(seen[0]).length;
    assert.ok(kept > 100 && kept < length);
    assert.deepEqual(seen[0]?.headers, { "sluice-truncated": "true" });
    assert.deepEqual([rig.ledger.truncated, rig.ledger.truncatedBytes], [1, length - kept]);
    assert.equal(rig.missing, 0);
  });

  Deno.test(`a message whose JSON is ${name} for a batch goes to the dead-letter topic if wanted`, async () => {
    const rig = await Rig.ready({
      lineBytesMost: 10_000,
      format: "json",
      oversize: "dead-letter",
      deadLetterTopic: "dead",
    }, { batchBytes: 10_000 });
    const text = "\x01".repeat(length);
    rig.accept(rig.source(), head + text);
    const seen = await rig.settle();
    assert.deepEqual([...new Set(seen.map(({ topic }) => topic))], ["dead"]);
    assert.equal(joinParts(seen, contentOf), text);
    assert.equal(rig.outlet.sent.length, 0);
    assert.equal(rig.missing, 0);
  });
}

function contentOf(record: SeenRecord | undefined): string {
  return JSON.parse(record?.value ?? "").content;
}

Deno.test("a sender of a cut message is answered only when both halves are safe", async () => {
  const rig = await Rig.ready({ lineBytesMost: 10_000, format: "json" }, { batchBytes: 10_000 });
  const source = rig.source();
  rig.accept(source, head + "\x01".repeat(2_000));
  const { obligation } = source;
  await rig.pipeline.shipping.endTurn();
  assert.equal(rig.outlet.sent.length, 2);
  const [first, second] = rig.outlet.sent;
  rig.ack(second);
  assert.equal(obligation?.isPaid, false);
  rig.ack(first);
  assert.equal(obligation?.isPaid, true);
});
