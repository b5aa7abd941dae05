import assert from "node:assert/strict";
import fc from "fast-check";
import { SluiceError } from "../../lib/core/errors.ts";
import { parseTopicTemplate, topicOf } from "../../lib/forward/topic_template.ts";

const named: [name: string, template: string, values: string[], topic: string][] = [
  ["a fixed name", "syslog", [], "syslog"],
  ["every letter Kafka takes", "aZ0._-", [], "aZ0._-"],
  ["a field at the end", "syslog.{hostname}", ["web-1"], "syslog.web-1"],
  ["fields alone", "{facility}{severity}", ["4", "2"], "42"],
  ["a field twice", "{tag}-{tag}", ["a", "a"], "a-a"],
  ["what Kafka does not take", "x.{hostname}", ["a/b:c é"], "x.a_b_c__"],
  ["a field that is empty", "x.{tag}", [""], "x.none"],
  ["a field that is a dot", "{tag}", ["."], "none"],
  ["a field that is two dots", "{tag}", [".."], "none"],
  ["dots beside a word", "x{tag}", [".."], "x.."],
  ["Kafka's own topics", "{tag}", ["__consumer_offsets"], "_consumer_offsets"],
  [
    "Kafka's own topics by two fields",
    "{hostname}{tag}",
    ["/", "_transaction_state"],
    "_transaction_state",
  ],
];

for (const [name, template, values, topic] of named) {
  Deno.test(`topicOf names a topic from ${name}`, () => {
    assert.equal(topicOf(parseTopicTemplate(template), values), topic);
  });
}

const refused: [name: string, template: string, says: RegExp][] = [
  ["no name", "", /letters, digits/],
  ["a dot", ".", /letters, digits/],
  ["two dots", "..", /letters, digits/],
  ["a slash", "a/b", /letters, digits/],
  ["an unknown field", "a.{host}", /\{host\} is no field; give one of \{hostname\}/],
  ["a field without a name", "a.{}", /\{\} is no field/],
  ["a brace that is not closed", "a.{tag", /letters, digits/],
  ["too many characters", "a".repeat(250), /249 characters/],
];

for (const [name, template, says] of refused) {
  Deno.test(`parseTopicTemplate refuses ${name}`, () => {
    assert.throws(() => parseTopicTemplate(template), (thrown) => {
      assert.ok(thrown instanceof SluiceError && thrown.fault === "usage");
      assert.match(thrown.message, says);
      return true;
    });
  });
}

/** Kafka's own rule: org.apache.kafka.common.internals.Topic.validate, and its internal topics. */
function isLegal(name: string): boolean {
  return /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== "." && name !== ".." &&
    !name.startsWith("__");
}

Deno.test("topicOf gives a name that Kafka takes, whatever a sender writes into the fields", () => {
  const templates = ["{hostname}", "{tag}.{hostname}", "s-{tag}", "{tag}{tag}", "{severity}_{tag}"];
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.stringMatching(/^[._/-]{0,4}$/),
  );
  fc.assert(fc.property(fc.constantFrom(...templates), text, text, (template, one, other) => {
    const name = topicOf(parseTopicTemplate(template), [one, other]);
    assert.ok(isLegal(name), JSON.stringify(name));
  }));
});
