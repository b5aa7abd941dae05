import assert from "node:assert/strict";
import fc from "fast-check";
import { cutText } from "../../lib/forward/truncate.ts";
import { encodeLine } from "../support/syslog_reading.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

Deno.test("raw bytes lose their second half", () => {
  const { value, lostBytes } = cutText(Uint8Array.of(1, 2, 3, 255, 254), "raw");
  assert.deepEqual([[...value], lostBytes], [[1, 2], 3]);
});

Deno.test("a JSON record loses the second half of its content and keeps all else", () => {
  const whole = encodeLine(`<13>Nov 23 20:30:00 host app[7]: ${"0123456789".repeat(40)}`);
  const { value, lostBytes } = cutText(encoder.encode(whole), "json");
  const before = JSON.parse(whole);
  const after = JSON.parse(decoder.decode(value));
  assert.deepEqual(after, { ...before, content: before.content.slice(0, 200) });
  assert.equal(lostBytes, 200);
});

Deno.test("a JSON record whose content is short loses structured data and the ends of long names", () => {
  const long = "n".repeat(2_000);
  const whole = encodeLine(
    `<13>1 2026-11-23T20:30:00Z ${long} ${long} ${long} ${long} [a b="${long}"] hi`,
  );
  const { value } = cutText(encoder.encode(whole), "json");
  const after = JSON.parse(decoder.decode(value));
  assert.equal(after.structured_data, undefined);
  for (const name of ["hostname", "tag", "pid", "msgid"]) assert.equal(after[name].length, 255);
});

Deno.test("a cut never leaves half a character", () => {
  for (const length of [30, 31, 32, 33]) {
    const whole = encodeLine(
      String.fromCharCode(
        ...encoder.encode(`<13>Nov 23 20:30:00 h a: ${"😀".repeat(length)}${"x".repeat(200)}`),
      ),
    );
    let value = encoder.encode(whole);
    for (let times = 0; times < 4; times++) {
      value = new Uint8Array(cutText(value, "json").value);
      const { content } = JSON.parse(decoder.decode(value));
      assert.ok(content.isWellFormed(), content);
    }
  }
});

Deno.test("cut again and again, a record comes to an end: what can be lost is lost, and it stays JSON", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 500 }), (text) => {
    const line = `<13>1 2026-11-23T20:30:00Z host app 7 m [a b="c"] ${
      text.replace(/[\n\0]/g, " ")
    }`;
    let value: Uint8Array = encoder.encode(
      encodeLine(String.fromCharCode(...encoder.encode(line))),
    );
    for (let times = 0;; times++) {
      assert.ok(times < 20, "it never ends");
      const cut = cutText(value, "json");
      JSON.parse(decoder.decode(cut.value));
      if (cut.lostBytes <= 0) break;
      value = cut.value;
    }
    assert.ok(value.length < 200, `${value.length} bytes are left`);
  }));
});
