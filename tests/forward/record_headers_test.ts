import assert from "node:assert/strict";
import { halfNames, header, partName } from "../../lib/forward/record_headers.ts";
import { textOf } from "../support/syslog_reading.ts";

Deno.test("a whole message has no part's name, the last part says how many there are", () => {
  assert.equal(partName(0, false), "");
  assert.deepEqual([partName(0, true), partName(1, true), partName(2, false)], ["1", "2", "3/3"]);
});

Deno.test("halves of a message and of its parts have names that tell their place", () => {
  assert.deepEqual(halfNames(""), ["1", "2/2"]);
  assert.deepEqual(halfNames("2"), ["2.1", "2.2/2"]);
  assert.deepEqual(halfNames("3/3.1"), ["3/3.1.1", "3/3.1.2/2"]);
});

Deno.test("a header is text in UTF-8", () => {
  const { key, value } = header("sluice-peer", "é");
  assert.deepEqual([textOf(key), textOf(value)], ["sluice-peer", "\xc3\xa9"]);
});
