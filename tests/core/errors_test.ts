import assert from "node:assert/strict";
import { type Fault, faultOf, reasonOf, SluiceError, usageError } from "../../lib/core/errors.ts";
import { Exit, exitCodeOf } from "../../lib/core/exit.ts";
import { nearest } from "../../lib/core/nearest.ts";

const codes: [fault: Fault, code: number][] = [
  ["permanent", 1],
  ["usage", 2],
  ["transient", 10],
  ["denied", 11],
  ["corrupt", 12],
];

for (const [fault, code] of codes) {
  Deno.test(`a ${fault} fault ends in exit code ${code}`, () => {
    assert.equal(exitCodeOf(new SluiceError("read x", fault, "no")), code);
  });
}

Deno.test("what is not our own error is a failure of the unit of work, exit code 1", () => {
  for (const thrown of [new TypeError("x is not a function"), "text", undefined, null, 7]) {
    assert.equal(faultOf(thrown), "permanent");
    assert.equal(exitCodeOf(thrown), Exit.failed);
  }
});

Deno.test("exit codes do not overlap and stay in the range of a shell", () => {
  const all = Object.values(Exit);
  assert.equal(new Set(all).size, all.length);
  assert.ok(all.every((code) => code >= 0 && code <= 255));
});

Deno.test("an error says what could not be done and why, and keeps its cause", () => {
  const cause = new Error("EACCES");
  const error = new SluiceError("read /etc/x", "denied", "this user may not", { cause });
  assert.equal(error.message, "Cannot read /etc/x: this user may not");
  assert.equal(error.name, "SluiceError");
  assert.equal(error.cause, cause);
  assert.ok(error instanceof Error);
  const usage = usageError("use 5", "it must be at least 6");
  assert.deepEqual([usage.fault, usage.message], ["usage", "Cannot use 5: it must be at least 6"]);
});

const reasons: [thrown: unknown, reason: string][] = [
  [new SluiceError("read x", "corrupt", "it is cut"), "Cannot read x: it is cut"],
  [new TypeError("bad"), "bad"],
  [new RangeError(), "RangeError"],
  ["text", "text"],
  [undefined, "undefined"],
];

for (const [thrown, reason] of reasons) {
  Deno.test(`reasonOf() of ${String(thrown)} is one text without a stack trace`, () => {
    assert.equal(reasonOf(thrown), reason);
  });
}

const words = ["topic", "topic-limit", "kafka", "zookeeper", "max-line", "memory"];

const slips: [word: string, meant: string | undefined][] = [
  ["topc", "topic"],
  ["tpoic", "topic"],
  ["topics", "topic"],
  ["topic-limt", "topic-limit"],
  ["kafak", "kafka"],
  ["zookeper", "zookeeper"],
  ["maxline", "max-line"],
  ["compression", undefined],
  ["x", undefined],
  ["", undefined],
];

for (const [word, meant] of slips) {
  Deno.test(`nearest() takes "${word}" for ${meant ?? "nothing that is known"}`, () => {
    assert.equal(nearest(word, words), meant);
  });
}

Deno.test("nearest() prefers the word itself, and finds nothing among none", () => {
  assert.equal(nearest("memory", words), "memory");
  assert.equal(nearest("memory", []), undefined);
});
