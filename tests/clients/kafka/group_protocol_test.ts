import assert from "node:assert/strict";
import fc from "fast-check";
import kafkajs from "kafkajs";
import { Buffer } from "node:buffer";
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type TopicPartition,
} from "../../../lib/clients/kafka/group_protocol.ts";

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;

const somePartitions = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 5, unit: "grapheme" }),
  fc.uniqueArray(fc.nat(2 ** 31 - 1), { minLength: 1, maxLength: 5 }),
).map((byTopic) =>
  Object.entries(byTopic).flatMap(([topic, numbers]) =>
    numbers.map((partition): TopicPartition => ({ topic, partition }))
  )
);

const someSubscription = fc.record({
  topics: fc.array(fc.string({ minLength: 1, maxLength: 5 })),
  owned: somePartitions,
  generation: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
}, { noNullPrototype: true });

Deno.test("a subscription is read as it was written, by kafkajs as well", () => {
  fc.assert(fc.property(someSubscription, (subscription) => {
    const bytes = encodeSubscription(subscription);
    assert.deepEqual(decodeSubscription(bytes), subscription);
    const { version, topics } = MemberMetadata.decode(bytes) ?? {};
    assert.deepEqual({ version, topics }, { version: 2, topics: subscription.topics });
  }));
});

Deno.test("a subscription of version 0, as kafkajs writes it, owns nothing", () => {
  const userData = Buffer.from("anything");
  const bytes = MemberMetadata.encode({ version: 0, topics: ["a", "b"], userData });
  assert.deepEqual(decodeSubscription(bytes), { topics: ["a", "b"], owned: [], generation: -1 });
});

Deno.test("an assignment is read as it was written, by kafkajs as well", () => {
  fc.assert(fc.property(somePartitions, (partitions) => {
    const bytes = encodeAssignment(partitions);
    assert.deepEqual(decodeAssignment(bytes), partitions);
    const { assignment = {} } = MemberAssignment.decode(bytes) ?? {};
    const read = Object.entries(assignment).flatMap(([topic, numbers]) =>
      numbers.map((partition) => `${topic}/${partition}`)
    );
    const written = partitions.map(({ topic, partition }) => `${topic}/${partition}`);
    assert.deepEqual(read.sort(), written.sort());
  }));
});

Deno.test("an assignment that kafkajs writes is read", () => {
  const userData = Buffer.alloc(0);
  const bytes = MemberAssignment.encode({
    version: 0,
    assignment: { a: [2, 0], b: [1] },
    userData,
  });
  assert.deepEqual(decodeAssignment(bytes), [
    { topic: "a", partition: 2 },
    { topic: "a", partition: 0 },
    { topic: "b", partition: 1 },
  ]);
  assert.deepEqual(decodeAssignment(new Uint8Array()), []);
});

Deno.test("cut bytes are corrupt wherever they are cut", () => {
  const owned = [{ topic: "topic", partition: 3 }];
  const bytes = encodeSubscription({ topics: ["topic", "tropic"], owned, generation: 7 });
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeSubscription(bytes.subarray(0, length)), { fault: "corrupt" });
  }
  const assignment = encodeAssignment(owned);
  // The user data at the end are not read.
  for (let length = 1; length < assignment.length - 4; length++) {
    assert.throws(() => decodeAssignment(assignment.subarray(0, length)), { fault: "corrupt" });
  }
});
