import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import kafkajsMurmur2 from "npm:kafkajs@2.2.4/src/producer/partitioners/default/murmur2.js";
import { murmur2 } from "../../lib/formats/murmur2.ts";

const encoder = new TextEncoder();

/** The cases of org.apache.kafka.common.utils.UtilsTest.testMurmur2. */
const vectors: [key: string, hash: number][] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];

for (const [key, hash] of vectors) {
  Deno.test(`murmur2() of "${key}" is what Kafka's own client says`, () => {
    assert.equal(murmur2(encoder.encode(key)), hash);
  });
}

Deno.test("murmur2() chooses the partitions that kafkajs chooses, for any key", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), (key) => {
    assert.equal(murmur2(key), kafkajsMurmur2(Buffer.from(key)));
  }));
});

Deno.test("murmur2() of a view looks at nothing around it", () => {
  const all = encoder.encode("xxfoobarxx");
  assert.equal(murmur2(all.subarray(2, 8)), -790332482);
});
