import assert from "node:assert/strict";
import { recordsIn } from "../../lib/formats/record_batch.ts";
import { NOW_MS, textOf } from "../support/syslog_reading.ts";
import { joinParts } from "./parts_joined.ts";
import { Rig, type Sent, turn, type Wanted } from "./rig.ts";

/** A rig with one batch of these lines under way. */
async function underWay(
  wanted: Wanted,
  lines: readonly string[],
): Promise<{ rig: Rig; sent: Sent; paid: () => boolean }> {
  const rig = await Rig.ready(wanted);
  const source = rig.source();
  rig.pipeline.tick();
  for (const line of lines) rig.accept(source, line);
  await turn();
  const [sent] = rig.outlet.sent;
  assert.ok(sent);
  return { rig, sent, paid: () => source.obligation?.isPaid ?? false };
}

const early = "<13>Nov 23 20:30:00 host app: on time";
const late = "<13>1 2222-01-01T00:00:00Z host app - - - from the future";

Deno.test("a record whose stamp is refused goes on with the receive time and says what it had", async () => {
  const { rig, sent, paid } = await underWay({ recordTime: "message" }, [early, late, early]);
  rig.world.clockMs += 5_000;
  rig.refuse(sent, [1], "timestamp");
  await turn();
  rig.ack(sent);
  assert.equal(paid(), false, "its sender was answered too early");
  assert.equal(rig.missing, 0);
  const seen = await rig.settle();
  assert.equal(paid(), true);
  assert.deepEqual(seen.map(({ value }) => value), [early, early, late]);
  assert.equal(seen[2]?.timestampMs, NOW_MS + 5_000);
  assert.deepEqual(seen[2]?.headers, { "sluice-record-time": "2222-01-01T00:00:00.000Z" });
  assert.deepEqual([rig.ledger.restamped, rig.ledger.refused], [1, 1]);
  assert.deepEqual([rig.ledger.received, rig.ledger.acknowledged], [3, 3]);
});

Deno.test("a stamp that is refused twice is not hurled at the broker without end", async () => {
  const { rig, sent } = await underWay({}, [early]);
  rig.refuse(sent, [0], "timestamp");
  await turn();
  const [again] = rig.outlet.sent;
  assert.ok(again);
  rig.refuse(again, [0], "timestamp");
  await turn();
  assert.equal(rig.outlet.sent.length, 0);
  assert.equal(rig.pipeline.heldRecords, 1);
  assert.match(String(rig.refusals.trouble), /topic syslog refuses records: compare the clocks/);
  rig.world.clockMs += 10_000;
  rig.world.wake();
  const seen = await rig.settle();
  assert.equal(rig.refusals.trouble, null);
  assert.deepEqual(seen.map(({ value, timestampMs }) => [value, timestampMs]), [
    [early, NOW_MS + 10_000],
  ]);
  assert.deepEqual(Object.keys(seen[0]?.headers ?? {}), ["sluice-record-time"]);
  assert.equal(rig.missing, 0);
});

Deno.test("a record that is too large is split until the broker takes its parts", async () => {
  const text = `${early} ${"0123456789".repeat(30)}`;
  const { rig, sent, paid } = await underWay({ oversize: "split" }, [early, text]);
  rig.refuse(sent, [1], "too-large");
  rig.ack(sent);
  for (let most = 0; rig.outlet.sent.length + most < 100; most++) {
    await turn();
    const [next] = rig.outlet.sent;
    if (next === undefined) break;
    assert.equal(paid(), false);
    const large = [...valuesIn(next).entries()]
      .filter(([, value]) => value.length > 100).map(([index]) => index);
    rig.refuse(next, large, "too-large");
    if (rig.outlet.sent.includes(next)) rig.ack(next);
    assert.equal(rig.missing, 0);
  }
  assert.equal(paid(), true);
  const [whole, ...parts] = rig.outlet.delivered;
  assert.equal(whole?.value, early);
  assert.ok(parts.length >= 4);
  assert.ok(parts.every(({ value }) => value.length <= 100));
  assert.equal(joinParts(parts), text);
  assert.ok(parts.every(({ headers }) => headers["sluice-refused"] === "too-large"));
  assert.equal(rig.ledger.received, rig.ledger.acknowledged);
});

function valuesIn({ batch }: Sent): string[] {
  return [...recordsIn(batch)].map(({ value }) => textOf(value));
}

Deno.test("a part of a long message that is still too large is split again, and all can be joined", async () => {
  const rig = await Rig.ready({ lineBytesMost: 100 });
  const source = rig.source();
  const text = early + "0123456789".repeat(16);
  rig.part(source, text.slice(0, 100), 0, true);
  rig.part(source, text.slice(100), 1, false);
  await turn();
  const [sent] = rig.outlet.sent;
  assert.ok(sent);
  rig.refuse(sent, [0, 1], "too-large");
  const seen = await rig.settle();
  assert.deepEqual(seen.map(({ headers }) => headers["sluice-part"]), [
    "1.1",
    "1.2/2",
    "2/2.1",
    "2/2.2/2",
  ]);
  assert.equal(joinParts(seen), text);
});

Deno.test("a record that is too large loses its end as often as needed and is counted once", async () => {
  for (const format of ["raw", "json"] as const) {
    const text = `<13>Nov 23 20:30:00 host app: ${"x".repeat(400)}`;
    const { rig, sent, paid } = await underWay({ oversize: "truncate", format }, [text]);
    let refused: Sent | undefined = sent;
    for (let times = 0; times < 3 && refused; times++) {
      rig.refuse(refused, [0], "too-large");
      await turn();
      [refused] = rig.outlet.sent;
    }
    const [seen] = await rig.settle();
    assert.ok(paid());
    const kept = format === "raw" ? seen?.value ?? "" : JSON.parse(seen?.value ?? "").content;
    assert.ok(kept.length > 0 && kept.length < 60, `${format}: ${kept.length}`);
    assert.deepEqual(seen?.headers, { "sluice-truncated": "true", "sluice-refused": "too-large" });
    assert.equal(rig.ledger.truncated, 1);
    assert.ok(rig.ledger.truncatedBytes >= 300);
    assert.equal(rig.missing, 0);
  }
});

Deno.test("a record that is too large goes whole to the dead-letter topic if that is wanted", async () => {
  const { rig, sent } = await underWay({ oversize: "dead-letter", deadLetterTopic: "dead" }, [
    early,
    "large",
  ]);
  rig.refuse(sent, [1], "too-large");
  const seen = await rig.settle();
  assert.deepEqual(seen.map(({ topic, value }) => [topic, value]), [
    ["syslog", early],
    ["dead", "large"],
  ]);
  assert.deepEqual(seen[1]?.headers, { "sluice-refused": "too-large" });
  assert.deepEqual([rig.ledger.acknowledged, rig.ledger.deadLettered], [1, 1]);
});

Deno.test("--oversize says what becomes of large records although there is a dead-letter topic", async () => {
  for (const oversize of ["split", "truncate"] as const) {
    const { rig, sent } = await underWay({ oversize, deadLetterTopic: "dead" }, ["12345678"]);
    rig.refuse(sent, [0], "too-large");
    const seen = await rig.settle();
    assert.deepEqual(
      seen.map(({ topic, value }) => `${topic} ${value}`),
      oversize === "split" ? ["syslog 1234", "syslog 5678"] : ["syslog 1234"],
    );
  }
});

Deno.test("what is too large for the dead-letter topic as well is split there", async () => {
  const { rig, sent } = await underWay({ oversize: "dead-letter", deadLetterTopic: "dead" }, [
    "12345678",
  ]);
  rig.refuse(sent, [0], "too-large");
  await turn();
  const [dead] = rig.outlet.sent;
  assert.equal(dead?.topic, "dead");
  rig.refuse(dead, [0], "too-large");
  const seen = await rig.settle();
  assert.deepEqual(seen.map(({ topic, value }) => `${topic} ${value}`), ["dead 1234", "dead 5678"]);
  assert.deepEqual([rig.ledger.deadLettered, rig.missing], [2, 0]);
});

Deno.test("a record that cannot be made smaller is tried again later, said once", async () => {
  for (const oversize of ["split", "truncate"] as const) {
    const { rig, sent } = await underWay({ oversize }, ["x"]);
    let refused: Sent | undefined = sent;
    for (let times = 0; refused !== undefined; times++) {
      assert.ok(times < 5, "it is tried without a pause");
      rig.refuse(refused, [0], "too-large");
      await turn();
      [refused] = rig.outlet.sent;
    }
    assert.equal(rig.pipeline.heldRecords, 1);
    assert.deepEqual(rig.world.said("error"), [
      "Kafka refuses records for what they are; trying on",
    ]);
    assert.match(String(rig.refusals.trouble), /raise the topic's max.message.bytes/);
    rig.world.wake();
    await rig.settle();
    assert.equal(rig.missing, 0);
    assert.equal(rig.pipeline.heldRecords, 0);
  }
});

Deno.test("an invalid record is tried again as it was although its batch has been used anew", async () => {
  const { rig, sent, paid } = await underWay({ key: "hostname" }, [early, late]);
  rig.refuse(sent, [0], "invalid");
  rig.ack(sent);
  // The batch that held it now holds other records.
  const other = rig.source();
  for (let n = 0; n < 50; n++) rig.accept(other, "z".repeat(100));
  await rig.settle();
  assert.equal(paid(), false);
  assert.equal(rig.pipeline.heldRecords, 1);
  assert.equal(rig.missing, 0);
  assert.match(String(rig.refusals.trouble), /is the topic compacted\? then give --key/);
  rig.world.wake();
  const seen = await rig.settle();
  assert.deepEqual([seen.at(-1)?.value, seen.at(-1)?.key], [early, "host"]);
  assert.equal(paid(), true);
  assert.equal(rig.refusals.trouble, null);
});

Deno.test("an invalid record goes to the dead-letter topic when there is one", async () => {
  const { rig, sent } = await underWay({ oversize: "split", deadLetterTopic: "dead" }, [early]);
  rig.refuse(sent, [0], "invalid");
  const seen = await rig.settle();
  assert.deepEqual(seen.map(({ topic, headers }) => [topic, headers]), [
    ["dead", { "sluice-refused": "invalid" }],
  ]);
  assert.equal(rig.world.sleeping, 0);
});

Deno.test("when a topic refuses every record, reading stops at the memory bound and one line says why", async () => {
  const rig = await Rig.ready({ memoryBytes: 200_000 });
  const source = rig.source();
  let taken = 0;
  for (; rig.pipeline.hasRoom(source); taken++) {
    rig.accept(source, "x".repeat(500));
    await turn();
    for (const sent of [...rig.outlet.sent]) {
      rig.refuse(sent, [...valuesIn(sent).keys()], "invalid");
    }
    assert.equal(rig.missing, 0);
    assert.ok(taken < 10_000, "it is never full");
  }
  assert.equal(rig.pipeline.heldRecords, taken);
  assert.equal(rig.world.said("error").length, 1);
  // The topic is mended: everything that was refused goes in, and no more than may be at once.
  rig.world.wake();
  let most = 0;
  for (let idle = 0; idle < 20; idle++) {
    await turn();
    most = Math.max(most, rig.outlet.sent.length);
    if (rig.outlet.sent.length === 0) continue;
    rig.ack();
    idle = 0;
  }
  assert.ok(most <= 4, `${most} batches were under way`);
  assert.equal(rig.outlet.delivered.length, taken);
  assert.equal(rig.pipeline.heldBytes, 0);
  assert.ok(rig.pipeline.hasRoom(source));
});

Deno.test("every record of a large batch may be refused without the work growing with its square", async () => {
  // The machine may stand still, but not each time.
  let leastMs = Infinity;
  // It takes some 30 ms; looking each record up from the start took 2.4 s.
  for (let round = 0; round < 4 && leastMs >= 1_000; round++) {
    leastMs = Math.min(leastMs, await refusalOf(6_000));
  }
  assert.ok(leastMs < 1_000, `${leastMs} ms`);
});

/** Refuses every record of a batch, and looks at what arrives; the milliseconds of the refusing. */
async function refusalOf(count: number): Promise<number> {
  const rig = await Rig.ready({ recordTime: "message" }, { batchBytes: 900_000 });
  const source = rig.source();
  for (let n = 0; n < count; n++) rig.accept(source, `${late} ${n}`);
  await turn();
  const [sent] = rig.outlet.sent;
  assert.equal(sent?.batch.count, count);
  const begun = performance.now();
  rig.refuse(sent, Array.from({ length: count }, (_, n) => n), "timestamp");
  const tookMs = performance.now() - begun;
  const seen = await rig.settle();
  assert.deepEqual(
    seen.map(({ value }) => value),
    Array.from({ length: count }, (_, n) => `${late} ${n}`),
  );
  assert.equal(rig.ledger.restamped, count);
  return tookMs;
}
