import assert from "node:assert/strict";
import { parsePlace } from "../../../lib/clients/reporters/reporters.ts";

const sound: [kind: "riemann" | "statsd", text: string, meant: string, host: string][] = [
  ["riemann", "tcp://r.example.com:5556", "tcp://r.example.com:5556", "r.example.com"],
  ["riemann", "tcp://r", "tcp://r:5555", "r"],
  ["riemann", "udp://127.0.0.1/", "udp://127.0.0.1:5555", "127.0.0.1"],
  ["riemann", "tcp://[::1]", "tcp://[::1]:5555", "::1"],
  ["statsd", "udp://s", "udp://s:8125", "s"],
  ["statsd", "udp://[fe80::1]:1", "udp://[fe80::1]:1", "fe80::1"],
];

for (const [kind, text, meant, host] of sound) {
  Deno.test(`--${kind} ${text} is ${meant}`, () => {
    const place = parsePlace(kind, text);
    assert.deepEqual([place.text, place.host], [meant, host]);
  });
}

const wrong: [kind: "riemann" | "statsd", text: string][] = [
  ["riemann", "riemann:5555"],
  ["riemann", "http://r:5555"],
  ["riemann", "tcp://r:0"],
  ["riemann", "tcp://r:65536"],
  ["riemann", "tcp://r:5555/path"],
  ["riemann", "tcp://"],
  ["statsd", "tcp://s:8125"],
  ["statsd", "udp://a b"],
];

for (const [kind, text] of wrong) {
  Deno.test(`--${kind} ${text} is refused with what to write`, () => {
    assert.throws(() => parsePlace(kind, text), {
      fault: "usage",
      message: new RegExp(`^Cannot report to --${kind} ".*": write .*://HOST:PORT, for example`),
    });
  });
}

Deno.test("a password in a place is not repeated", () => {
  assert.throws(() => parsePlace("riemann", "tcp://u:canary@r"), (thrown) => {
    assert.ok(thrown instanceof Error);
    assert.doesNotMatch(thrown.message, /canary/);
    return true;
  });
});
