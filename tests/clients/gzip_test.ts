import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { Gunzip, Gzip, isGzip } from "../../lib/clients/gzip.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { bytesOf, gzipped, joined, MemorySink, sourceOf } from "../support/baldr.ts";

/** Inflates; gives what came, and the damage if that ended it. */
async function inflate(chunks: readonly Uint8Array[]) {
  const gunzip = new Gunzip(sourceOf(chunks));
  const pieces: Uint8Array[] = [];
  let damage: string | undefined;
  try {
    for (;;) {
      const piece = await gunzip.next();
      if (piece === undefined) break;
      pieces.push(piece.slice());
    }
  } catch (thrown) {
    assert.ok(thrown instanceof SluiceError);
    assert.equal(thrown.fault, "corrupt");
    damage = thrown.detail;
  } finally {
    gunzip.close();
  }
  return { bytes: joined(pieces), damage, compressedBytes: gunzip.compressedBytes };
}

const single = (bytes: Uint8Array) => Array.from(bytes, (byte) => Uint8Array.of(byte));

/** Bytes that gzip cannot make small. */
function noise(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + 65_536)));
  }
  return bytes;
}

const text = bytesOf("some text, some more text, and a little more text\n".repeat(20));
const cutText = "the gzip data is cut: its end is missing";
const behind = "behind the gzip data is something that is neither gzip nor zeros";

const sound: [name: string, stream: Uint8Array, bytes: Uint8Array][] = [
  ["one member", gzipped(text), text],
  ["an empty member", gzipped(new Uint8Array(0)), new Uint8Array(0)],
  ["stored blocks", gzipped(text, 0), text],
  [
    "several members, empty ones among them",
    joined([gzipped(text), gzipped(bytesOf("")), gzipped(bytesOf("x")), gzipped(text, 9)]),
    joined([text, bytesOf("x"), text]),
  ],
  ["zeros behind the last member", joined([gzipped(text), new Uint8Array(600)]), text],
];

for (const [name, stream, bytes] of sound) {
  Deno.test(`Gunzip inflates ${name}, in one chunk, two or many`, async () => {
    const wanted = { bytes, damage: undefined, compressedBytes: stream.length };
    assert.deepEqual(await inflate([stream]), wanted);
    assert.deepEqual(await inflate(single(stream)), wanted);
    for (let cut = 1; cut < stream.length; cut++) {
      assert.deepEqual(await inflate([stream.subarray(0, cut), stream.subarray(cut)]), wanted);
    }
  });
}

Deno.test("Gunzip sees a cut at every byte of one member, and gives the bytes before it", async () => {
  const stream = gzipped(text);
  let most = 0;
  for (let cut = 0; cut < stream.length; cut++) {
    for (const chunks of [[stream.subarray(0, cut)], single(stream.subarray(0, cut))]) {
      const seen = await inflate(chunks.filter((chunk) => chunk.length > 0));
      assert.equal(seen.damage, cutText, `cut at ${cut}`);
      assert.equal(seen.compressedBytes, cut);
      assert.deepEqual(seen.bytes, text.slice(0, seen.bytes.length));
      most = Math.max(most, seen.bytes.length);
    }
  }
  assert.equal(most, text.length, "a cut of the trailer costs no byte of the data");
});

Deno.test("Gunzip takes a cut of several members for an end only between them", async () => {
  const parts = [gzipped(text), gzipped(bytesOf("x")), gzipped(text)];
  const stream = joined(parts);
  const ends = [0, 1].map((n) => parts.slice(0, n + 1).reduce((sum, part) => sum + part.length, 0));
  for (let cut = 1; cut < stream.length; cut++) {
    const seen = await inflate([stream.subarray(0, cut)]);
    assert.equal(seen.damage, ends.includes(cut) ? undefined : cutText, `cut at ${cut}`);
  }
});

Deno.test("Gunzip lets no flipped bit change the data silently", async () => {
  const stream = joined([gzipped(text), gzipped(bytesOf("second"))]);
  const whole = joined([text, bytesOf("second")]);
  const reasons = new Set<string>();
  for (let bit = 0; bit < 8 * stream.length; bit++) {
    const flipped = stream.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    const seen = await inflate([flipped]);
    // What is left are names and times in the headers, which change nothing.
    if (seen.damage === undefined) assert.deepEqual(seen.bytes, whole, `bit ${bit}`);
    else reasons.add(seen.damage);
    assert.ok(seen.compressedBytes <= stream.length);
  }
  for (const reason of ["the gzip checksum is wrong", "the gzip length is wrong", behind]) {
    assert.ok([...reasons].some((one) => one.startsWith(reason)), reason);
  }
});

for (
  const [name, tail] of [
    ["text", bytesOf("garbage")],
    ["one byte", Uint8Array.of(7)],
    ["zeros and a byte", Uint8Array.of(0, 0, 0, 7)],
    ["zeros and a member", joined([new Uint8Array(3), gzipped(bytesOf("x"))])],
  ] as const
) {
  Deno.test(`Gunzip refuses ${name} behind the data, which it gives`, async () => {
    for (const chunks of [[joined([gzipped(text), tail])], [gzipped(text), tail]]) {
      const seen = await inflate(chunks);
      assert.equal(seen.damage, behind);
      assert.deepEqual(seen.bytes, text);
    }
  });
}

Deno.test("Gunzip inflates what fills its blocks exactly, and what is much larger", async () => {
  for (const length of [256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 512 * 1024, 3_000_001]) {
    for (const bytes of [noise(length), new Uint8Array(length).fill(65)]) {
      for (const level of [0, 6]) {
        const stream = gzipped(bytes, level);
        const seen = await inflate([stream]);
        assert.equal(seen.damage, undefined);
        assert.ok(seen.bytes.every((byte, i) => byte === bytes[i]));
        assert.equal(seen.bytes.length, length);
        const cut = await inflate([stream.subarray(0, stream.length - 1)]);
        assert.equal(cut.damage, cutText);
        assert.equal(cut.bytes.length, length);
      }
    }
  }
});

Deno.test("Gunzip gives an archive that inflates a thousandfold in small blocks", async () => {
  const bomb = gzipped(new Uint8Array(200_000_000));
  assert.ok(bomb.length < 300_000);
  const gunzip = new Gunzip(sourceOf([bomb]));
  let bytes = 0;
  for (let piece; (piece = await gunzip.next()) !== undefined;) {
    assert.ok(piece.length <= 256 * 1024);
    bytes += piece.length;
  }
  gunzip.close();
  assert.equal(bytes, 200_000_000);
});

Deno.test("Gunzip passes on what its source throws, and knows how far it was", async () => {
  const stream = gzipped(text);
  const gone = new SluiceError("read x", "permanent", "the disk is gone");
  let calls = 0;
  const gunzip = new Gunzip({
    next: () => calls++ === 0 ? Promise.resolve(stream.subarray(0, 30)) : Promise.reject(gone),
    close: () => {},
  });
  await assert.rejects(async () => {
    while (await gunzip.next() !== undefined);
  }, gone);
  assert.equal(gunzip.compressedBytes, 30);
  gunzip.close();
});

Deno.test("Gzip writes what everybody inflates, at every level and in any pieces", async () => {
  const bytes = joined([text, noise(700_000), new Uint8Array(700_000)]);
  for (let level = 0; level <= 9; level++) {
    for (const size of [bytes.length, 70_001]) {
      const sink = new MemorySink();
      const gzip = new Gzip(sink, level);
      for (let at = 0; at < bytes.length; at += size) await gzip.write(bytes.slice(at, at + size));
      await gzip.finish();
      gzip.close();
      assert.ok(isGzip(sink.bytes));
      assert.ok(gunzipSync(sink.bytes).every((byte, i) => byte === bytes[i]));
      assert.equal(gunzipSync(sink.bytes).length, bytes.length);
    }
  }
});

Deno.test("Gzip of nothing is an empty member, and the same input gives the same bytes", async () => {
  const make = async (bytes: Uint8Array) => {
    const sink = new MemorySink();
    const gzip = new Gzip(sink, 6);
    await gzip.write(bytes);
    await gzip.finish();
    gzip.close();
    return sink.bytes;
  };
  assert.equal((await make(new Uint8Array(0))).length, 20);
  assert.deepEqual(await make(text), await make(text));
  assert.deepEqual((await make(text)).slice(4, 8), new Uint8Array(4), "no time");
});

Deno.test("Gzip passes on what its sink throws", async () => {
  const full = new SluiceError("write x", "permanent", "the disk is full");
  const gzip = new Gzip({ write: () => Promise.reject(full) }, 0);
  await assert.rejects(gzip.write(new Uint8Array(600_000)), full);
  gzip.close();
});
