import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { crc32c } from "../../lib/formats/crc32c.ts";
import { JSON_BYTES_PER_BYTE, JSON_SLACK_BYTES, JsonText } from "../../lib/formats/json_text.ts";
import { inKernel, kernel, releaseBytes, reserveBytes } from "../../lib/formats/kernel.ts";
import { SyslogFramer } from "../../lib/formats/syslog_frame.ts";
import { assembleKernel } from "../../scripts/build_kernel.ts";
import { bytesOf, textOf } from "../support/syslog_reading.ts";

/** The bytes at some place in the kernel's memory, among others that must not be read. */
function reserved(bytes: Uint8Array, shift = 0): Uint8Array<ArrayBuffer> {
  const whole = reserveBytes(300_000);
  assert.ok(inKernel(whole));
  whole.fill(10);
  const part = whole.subarray(100 + shift, 100 + shift + bytes.length);
  part.set(bytes);
  releaseBytes(whole);
  return part;
}

/** Bytes in which all kinds are frequent: plain, line ends, escapes, quotes, other scripts. */
const mixedBytes = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
    { weight: 1, arbitrary: fc.constantFrom(0, 10, 13, 34, 92, 127, 128, 255) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
  ),
  { maxLength: 400 },
).map((bytes) => Uint8Array.from(bytes));

Deno.test("kernel.wasm is what kernel.wat says", async () => {
  const built = await Deno.readFile(new URL("../../lib/formats/kernel.wasm", import.meta.url));
  assert.deepEqual(built, await assembleKernel(), "run `deno task kernel`");
});

Deno.test("crc32c() is the same in the kernel and outside, whatever the length and the place", () => {
  const lengths = fc.oneof(
    fc.nat({ max: 64 }),
    fc.integer({ min: 6_100, max: 6_200 }),
    fc.nat(40_000),
  );
  fc.assert(fc.property(lengths, fc.nat({ max: 63 }), fc.nat(), (length, shift, seed) => {
    const bytes = Uint8Array.from({ length }, (_, i) => Math.imul(i + seed, 0x9e3779b1) >>> 24);
    assert.equal(crc32c(reserved(bytes, shift)), crc32c(bytes));
    const [from, to] = [length >> 3, length - (length >> 2)];
    assert.equal(crc32c(reserved(bytes, shift), from, to), crc32c(bytes, from, to));
  }));
});

Deno.test("crc32c() in the kernel gives the vectors of RFC 3720", () => {
  assert.equal(crc32c(reserved(new Uint8Array(32))), 0x8a9136aa);
  assert.equal(crc32c(reserved(new Uint8Array(32).fill(255))), 0x62a8ab43);
  assert.equal(crc32c(reserved(Uint8Array.from({ length: 32 }, (_, i) => i))), 0x46dd794e);
});

Deno.test("findTerminator() finds the first LF or NUL, and none behind the end", () => {
  fc.assert(fc.property(mixedBytes, fc.nat({ max: 20 }), (bytes, shift) => {
    const here = reserved(bytes, shift);
    const { byteOffset } = here;
    const found = kernel.findTerminator(byteOffset, byteOffset + here.length) - byteOffset;
    const expected = bytes.findIndex((byte) => byte === 10 || byte === 0);
    assert.equal(found, expected < 0 ? bytes.length : expected);
  }));
});

Deno.test("copyPlain() copies up to the first byte that is not plain, and touches 16 bytes more at most", () => {
  const out = reserveBytes(1_000);
  fc.assert(fc.property(mixedBytes, fc.nat({ max: 20 }), (bytes, shift) => {
    const here = reserved(bytes, shift);
    out.fill(7);
    const { byteOffset } = here;
    const count = kernel.copyPlain(byteOffset, byteOffset + here.length, out.byteOffset);
    const special = bytes.findIndex((byte) =>
      byte < 0x20 || byte === 34 || byte === 92 || byte > 127
    );
    assert.equal(count, special < 0 ? bytes.length : special);
    assert.deepEqual(out.slice(0, count), bytes.slice(0, count));
    assert.ok(out.subarray(count + JSON_SLACK_BYTES).every((byte) => byte === 7));
  }));
  releaseBytes(out);
});

Deno.test("JsonText writes the same in the kernel's memory and outside", () => {
  const out = reserveBytes(10_000);
  const texts = fc.oneof(
    mixedBytes,
    fc.string({ unit: "binary", maxLength: 200 }).map((text) => new Uint8Array(Buffer.from(text))),
  );
  fc.assert(fc.property(texts, fc.boolean(), (bytes, latin1) => {
    const write = (from: Uint8Array, to: Uint8Array) => {
      const text = new JsonText();
      text.latin1 = latin1;
      text.bind(from, to);
      const end = text.string(0, 0, from.length);
      return text.invalid ? "invalid" : textOf(to.subarray(0, end));
    };
    const plain = new Uint8Array(JSON_BYTES_PER_BYTE * bytes.length + 2 + JSON_SLACK_BYTES);
    assert.equal(write(reserved(bytes), out), write(bytes, plain));
  }));
  releaseBytes(out);
});

Deno.test("SyslogFramer finds the same frames in the kernel's memory and outside", () => {
  const frames = (chunks: readonly Uint8Array[]) => {
    const found: string[] = [];
    const framer = new SyslogFramer({
      frame: (bytes, start, end, part, more) =>
        found.push(`${textOf(bytes.subarray(start, end))}|${part}|${more}`),
    }, { maxLineBytes: 64 });
    for (const chunk of chunks) framer.push(chunk, chunk.length);
    framer.finish();
    return found;
  };
  fc.assert(fc.property(mixedBytes, fc.nat({ max: 400 }), (bytes, cut) => {
    const chunks = [bytes.subarray(0, cut), bytes.subarray(cut)];
    const expected = frames(chunks);
    // Each chunk is reserved where the one before it was: the framer must have copied what it keeps.
    const found: string[] = [];
    const framer = new SyslogFramer({
      frame: (some, start, end, part, more) =>
        found.push(`${textOf(some.subarray(start, end))}|${part}|${more}`),
    }, { maxLineBytes: 64 });
    for (const chunk of chunks) framer.push(reserved(chunk), chunk.length);
    framer.finish();
    assert.deepEqual(found, expected);
  }));
  assert.deepEqual(frames([bytesOf("a\nb")]), ["a|0|false", "b|0|false"]);
});

Deno.test("reserveBytes() gives released bytes to the next, and ordinary ones when there are no more", () => {
  const first = reserveBytes(70_001);
  releaseBytes(first);
  const second = reserveBytes(70_001);
  assert.equal(second.byteOffset, first.byteOffset);
  releaseBytes(second);
  const large = Array.from({ length: 5 }, () => reserveBytes(20 * 2 ** 20));
  assert.ok(inKernel(large[0] as Uint8Array));
  assert.ok(!inKernel(large[4] as Uint8Array), "100 MiB of 64 were reserved");
  for (const one of large) one.fill(1);
  for (const one of large) releaseBytes(one);
  for (const [i, a] of large.entries()) {
    for (const b of large.slice(i + 1)) {
      const apart = a.buffer !== b.buffer || a.byteOffset + a.length <= b.byteOffset;
      assert.ok(apart, "two arrays share bytes");
    }
  }
});
