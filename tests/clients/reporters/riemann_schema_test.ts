import assert from "node:assert/strict";
import {
  decodeAnswer,
  encodedBytes,
  encodeEvents,
  type RiemannEvent,
} from "../../../lib/clients/reporters/riemann_schema.ts";

const event: RiemannEvent = {
  ...{ time: 1, timeMicros: 1_000_000, state: "ok", service: "s", host: "h", tags: ["t"], ttl: 30 },
  attributes: [{ key: "k", value: "v" }],
};

/** Bytes as hexadecimal digits, worked out by hand from riemann.proto. */
const begin = "0801" + "12026f6b" + "1a0173" + "220168" + "3a0174" + "450000f041" +
  "4a06" + "0a016b120176" + "50c0843d";
const metrics: [given: Partial<RiemannEvent>, bytes: string][] = [
  [{ metricSint64: 0 }, "6800"],
  [{ metricSint64: -1 }, "6801"],
  [{ metricSint64: 150 }, "68ac02"],
  [{ metricSint64: Number.MAX_SAFE_INTEGER }, "68feffffffffffff1f"],
  [{ metricD: 0.5 }, "71000000000000e03f"],
  [{ metricD: -0 }, "710000000000000080"],
];

for (const [given, bytes] of metrics) {
  Deno.test(`an event with ${Object.keys(given)} ${Object.values(given)} has the bytes of the schema`, () => {
    const length = (begin.length + bytes.length) / 2;
    const wanted = "32" + length.toString(16).padStart(2, "0") + begin + bytes;
    const whole = { ...event, ...given };
    const encoded = encodeEvents([whole]);
    assert.equal(encoded.toHex(), wanted);
    assert.ok(encodedBytes(whole) >= encoded.length);
  });
}

Deno.test("no event is no byte; several follow each other", () => {
  assert.equal(encodeEvents([]).length, 0);
  const one = encodeEvents([event]);
  assert.equal(encodeEvents([event, event]).toHex(), one.toHex() + one.toHex());
});

Deno.test("an answer is read; what tells nothing is a no", () => {
  const read = (hex: string) => decodeAnswer(Uint8Array.fromHex(hex));
  assert.deepEqual(read("1001"), { ok: true, error: "" });
  assert.deepEqual(read("10001a026e6f"), { ok: false, error: "no" });
  assert.deepEqual(read(""), { ok: false, error: "" });
  assert.throws(() => read("1a05"));
});
