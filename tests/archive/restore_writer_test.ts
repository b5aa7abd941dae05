import assert from "node:assert/strict";
import { TargetWriter, unackedMost } from "../../lib/archive/restore/target_writer.ts";
import { Throttle } from "../../lib/archive/restore/throttle.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { RecordBatch, recordsIn } from "../../lib/formats/record_batch.ts";
import { within } from "../support/waiting.ts";

/** A writer on batches of `batchBytes`, with what it has sent. */
function writerOf(batchBytes: number) {
  const sent: RecordBatch[] = [];
  const heard = { acks: 0, refusals: 0 };
  const writer = new TargetWriter(
    {
      borrow: () => new RecordBatch(batchBytes),
      send: (topic, partition, batch) => {
        assert.deepEqual([topic, partition, batch.tag], ["t", 3, writer]);
        sent.push(batch);
      },
    },
    "t",
    3,
    { onAck: () => heard.acks++, onRefusal: () => heard.refusals++ },
  );
  const values = () => sent.flatMap((batch) => [...recordsIn(batch)].map(({ value }) => value[0]));
  return { writer, sent, heard, values };
}

const tail = Uint8Array.of(1, 2, 7, 0); // no key, a value of the byte 7, no headers

Deno.test("records go out in full batches, in order, and the rest by flush()", async () => {
  const { writer, sent, values } = writerOf(100);
  for (let n = 0; n < 10; n++) {
    if (n % 2 === 0) writer.tail(tail, 0, tail.length, n);
    else writer.value(Uint8Array.of(9, n, 9), 1, 2, n);
  }
  writer.flush();
  writer.flush();
  assert.ok(sent.length > 1);
  assert.deepEqual(values(), [7, 1, 7, 3, 7, 5, 7, 7, 7, 9]);
  const times = sent.flatMap((batch) =>
    [...recordsIn(batch)].map(({ timestampMs }) => timestampMs)
  );
  assert.deepEqual(times, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const batch of sent) writer.batchAcknowledged(batch);
  await writer.drained();
  assert.deepEqual([writer.written, writer.acknowledged], [10, 10]);
});

Deno.test("a record larger than a batch goes in one of its own, in its place", () => {
  const { writer, sent, values } = writerOf(200);
  writer.value(Uint8Array.of(1), 0, 1, 0);
  writer.value(new Uint8Array(5_000).fill(2), 0, 5_000, 0);
  const large = Uint8Array.from([1, ...[0xd0, 0x0f], ...new Uint8Array(1_000).fill(3), 0]);
  writer.tail(large, 0, large.length, 0);
  writer.value(Uint8Array.of(4), 0, 1, 0);
  writer.flush();
  assert.deepEqual(values(), [1, 2, 3, 4]);
  assert.deepEqual(sent.map(({ count }) => count), [1, 1, 1, 1]);
});

Deno.test("there is room while few batches are on their way", async () => {
  const { writer, sent } = writerOf(100);
  while (writer.hasRoom) writer.value(Uint8Array.of(1), 0, 1, 0);
  assert.equal(sent.length, unackedMost);
  const room = writer.room();
  assert.equal(await within(room, 20), false);
  writer.batchAcknowledged(sent[0] as RecordBatch);
  await room;
  assert.equal(writer.hasRoom, true);
});

Deno.test("whoever waits is told of a failure, and what comes later does not count", async () => {
  const { writer, sent, heard } = writerOf(100);
  writer.value(Uint8Array.of(1), 0, 1, 0);
  writer.flush();
  const drained = assert.rejects(() => writer.drained(), { message: /Cannot write: gone/ });
  writer.fail(new SluiceError("write", "permanent", "gone"));
  await drained;
  await assert.rejects(() => writer.room(), { message: /Cannot write: gone/ });
  assert.equal(writer.hasRoom, false);
  writer.batchAcknowledged(sent[0] as RecordBatch);
  assert.deepEqual([writer.acknowledged, heard.acks], [0, 0]);
});

/** A clock that a sleep turns on. */
function clock() {
  const world = {
    nowMs: 0,
    monotonicMs: () => world.nowMs,
    sleep: (ms: number) => {
      assert.ok(ms > 0, "no turning on the spot");
      world.nowMs += ms;
      return Promise.resolve();
    },
  };
  return world;
}

for (const perSecond of [1, 7, 500, 100_000]) {
  Deno.test(`a throttle of ${perSecond}/s lets so many through, and no large burst`, async () => {
    const world = clock();
    const throttle = new Throttle(world, perSecond);
    const total = 20 * perSecond;
    let burst = 0;
    for (let n = 0, inARow = 0; n < total; n++, inARow++) {
      while (!throttle.take()) {
        await throttle.wait();
        inARow = 0;
      }
      burst = Math.max(burst, inARow + 1);
    }
    const seconds = world.nowMs / 1000;
    assert.ok(seconds > 18.5 && seconds < 20.5, `${seconds} seconds`);
    assert.ok(burst <= Math.max(1, perSecond / 10) + 1, `a burst of ${burst}`);
  });
}

Deno.test("a throttle does not save up what was not used", async () => {
  const world = clock();
  const throttle = new Throttle(world, 1_000);
  await world.sleep(60_000);
  let taken = 0;
  while (throttle.take()) taken++;
  assert.equal(taken, 100);
});

Deno.test("without a limit nobody waits", () => {
  const throttle = new Throttle(clock(), Infinity);
  for (let n = 0; n < 1_000; n++) assert.ok(throttle.take());
});
