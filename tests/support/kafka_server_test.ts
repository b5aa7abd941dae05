import assert from "node:assert/strict";
import { clusterId } from "./kafka_server.ts";

Deno.test("no id of a cluster begins with a sign that a command line takes for an option", () => {
  for (let first = 0; first < 256; first++) {
    const id = clusterId(new Uint8Array(16).fill(0xff).fill(first, 0, 1));
    assert.match(id, /^[A-Za-f][A-Za-z0-9_-]{21}$/);
  }
  assert.notEqual(clusterId(), clusterId());
});
