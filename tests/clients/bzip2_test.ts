import assert from "node:assert/strict";
import { Unbzip2 } from "../../lib/clients/bzip2.ts";
import type { ByteSource } from "../../lib/core/bytes.ts";
import { SluiceError } from "../../lib/core/errors.ts";

/** "hello" and a line feed, as bzip2 1.0 makes it. */
const hello = fromBase64(
  "QlpoOTFBWSZTWcHAgOIAAAFBAAAQAkSgADDNAMNGKZcXckU4UJDBwIDi",
);

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
}

/** A source that lends the same memory again and again. */
function sourceOf(bytes: Uint8Array, pieceBytes: number): ByteSource {
  const lent = new Uint8Array(pieceBytes);
  let at = 0;
  return {
    next: () => {
      if (at >= bytes.length) return Promise.resolve(undefined);
      const piece = bytes.subarray(at, at += pieceBytes);
      lent.set(piece);
      return Promise.resolve(lent.subarray(0, piece.length));
    },
    close: () => {},
  };
}

async function unpacked(bytes: Uint8Array, pieceBytes: number): Promise<Uint8Array> {
  const source = new Unbzip2(sourceOf(bytes, pieceBytes));
  const pieces: Uint8Array[] = [];
  for (let piece; (piece = await source.next()) !== undefined;) pieces.push(piece);
  source.close();
  return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
}

/** What the program makes of bytes. */
async function packed(bytes: Uint8Array<ArrayBuffer>, level: number): Promise<Uint8Array> {
  const child = new Deno.Command("bzip2", {
    args: [`-${level}`, "-c"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(bytes);
  await writer.close();
  return (await output).stdout;
}

for (const pieceBytes of [1, 7, 1_000]) {
  Deno.test(`Unbzip2 reads a stream, in pieces of ${pieceBytes}`, async () => {
    const text = new TextDecoder().decode(await unpacked(hello, pieceBytes));
    assert.equal(text, "hello\n");
  });
}

Deno.test("Unbzip2 reads streams behind each other", async () => {
  const both = new Uint8Array(await new Blob([hello, hello]).arrayBuffer());
  assert.equal(new TextDecoder().decode(await unpacked(both, 10)), "hello\nhello\n");
});

Deno.test("Unbzip2 reads what the program makes, of many blocks and bytes of any kind", async () => {
  const random = new Uint8Array(950_000);
  for (let at = 0; at < random.length; at += 65_536) {
    crypto.getRandomValues(random.subarray(at, at + 65_536));
  }
  // Runs, which are packed a second time, and no bytes at all.
  random.fill(7, 100_000, 500_000);
  for (const [bytes, level] of [[random, 9], [random, 1], [random.slice(0, 0), 9]] as const) {
    const found = await unpacked(await packed(bytes, level), 65_536);
    assert.equal(found.length, bytes.length);
    assert.ok(found.every((byte, i) => byte === bytes[i]));
  }
});

for (
  const [what, bytes] of [
    ["a stream that is cut", hello.subarray(0, hello.length - 8)],
    ["a stream that is cut in its head", hello.subarray(0, 3)],
    ["a changed byte", hello.map((byte, i) => i === 30 ? byte ^ 1 : byte)],
    ["something else", new TextEncoder().encode("1,a\n2,b\n3,c\n4,d\n")],
    ["nothing", new Uint8Array(0)],
  ] as const
) {
  Deno.test(`Unbzip2 tells of ${what}`, async () => {
    await assert.rejects(
      unpacked(bytes, 16),
      (thrown) => thrown instanceof SluiceError && thrown.fault === "corrupt",
    );
  });
}

Deno.test("Unbzip2 lets the errors of its source through", async () => {
  const failing: ByteSource = {
    next: () => Promise.reject(new SluiceError("get a", "transient", "gone")),
    close: () => {},
  };
  await assert.rejects(new Unbzip2(failing).next(), /gone/);
});
