import assert from "node:assert/strict";
import { Writer } from "@platformatic/kafka";
import { Buffer } from "node:buffer";
import { parseFetched } from "../../../lib/clients/kafka/fetch.ts";
import { SluiceError } from "../../../lib/core/errors.ts";

interface Part {
  readonly topic?: string;
  readonly partition?: number;
  readonly errorCode?: number;
  readonly aborted?: readonly (readonly [producerId: bigint, firstOffset: bigint])[] | null;
  readonly records?: Uint8Array | null;
}

/** An answer as a broker writes it. */
function answer(parts: readonly Part[], errorCode = 0): Uint8Array<ArrayBuffer> {
  const writer = Writer.create().appendInt32(0).appendInt16(errorCode).appendInt32(0);
  writer.appendArray(
    [...parts],
    (_, part) => {
      writer.appendString(part.topic ?? "t", false).appendArray(
        [part],
        () => {
          writer.appendInt32(part.partition ?? 0)
            .appendInt16(part.errorCode ?? 0)
            .appendInt64(30n)
            .appendInt64(20n)
            .appendInt64(10n);
          const aborted = part.aborted ? [...part.aborted] : null;
          writer.appendArray(
            aborted,
            (_, [producerId, firstOffset]) => {
              writer.appendInt64(producerId).appendInt64(firstOffset);
            },
            false,
            false,
          );
          writer.appendInt32(-1);
          const records = part.records === undefined ? new Uint8Array(0) : part.records;
          writer.appendBytes(records && Buffer.from(records), false);
        },
        false,
        false,
      );
    },
    false,
    false,
  );
  return Uint8Array.from(writer.buffer);
}

const records = Uint8Array.of(1, 2, 3, 4, 5);

Deno.test("an answer's parts are read, and its records are a view of it", () => {
  const bytes = answer([
    { topic: "a", partition: 3, records, aborted: [[7n, 25n], [8n, 12n], [7n, 2n]] },
    { topic: "b-é", records: null },
  ]);
  const [first, second, ...more] = parseFetched(bytes);
  assert.equal(more.length, 0);
  const watermarks = { highWatermark: 30n, lastStableOffset: 20n, logStartOffset: 10n };
  assert.deepEqual(first, {
    ...{ topic: "a", partition: 3, outcome: "ok", error: null, ...watermarks, records },
    aborted: [
      { producerId: 7n, firstOffset: 2n },
      { producerId: 8n, firstOffset: 12n },
      { producerId: 7n, firstOffset: 25n },
    ],
  });
  assert.equal(first?.records.buffer, bytes.buffer);
  assert.deepEqual(second, {
    ...{ topic: "b-é", partition: 0, outcome: "ok", error: null, ...watermarks },
    ...{ aborted: [], records: new Uint8Array(0) },
  });
});

const verdicts: [errorCode: number, outcome: string, fault: string][] = [
  [1, "out-of-range", "permanent"],
  [2, "failed", "corrupt"],
  [3, "moved", "transient"],
  [5, "moved", "transient"],
  [6, "moved", "transient"],
  [9, "moved", "transient"],
  [29, "failed", "denied"],
  [31, "failed", "denied"],
  [56, "moved", "transient"],
  [74, "moved", "transient"],
  [75, "moved", "transient"],
  [76, "failed", "permanent"],
  [78, "moved", "transient"],
  [-1, "failed", "transient"],
  [4711, "failed", "transient"],
];

for (const [errorCode, outcome, fault] of verdicts) {
  Deno.test(`error code ${errorCode} of a partition is ${outcome}, ${fault}, and names it`, () => {
    const [found] = parseFetched(answer([{ topic: "logs", partition: 4, errorCode }]));
    assert.deepEqual([found?.outcome, found?.error?.fault], [outcome, fault]);
    assert.match(found?.error?.message ?? "", /^Cannot fetch from partition 4 of logs: /);
  });
}

Deno.test("an error of the whole answer is thrown", () => {
  assert.throws(() => parseFetched(answer([], 42)), { name: "SluiceError", fault: "permanent" });
});

Deno.test("an answer that is cut anywhere is no answer", () => {
  const bytes = answer([{ records, aborted: [[7n, 25n]] }, { topic: "b", partition: 2, records }]);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(
      () => parseFetched(bytes.slice(0, length)),
      (thrown) => thrown instanceof SluiceError && thrown.fault === "transient",
      `${length} bytes`,
    );
  }
});
