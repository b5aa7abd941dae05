import assert from "node:assert/strict";
import fc from "fast-check";
import { SeparatedFramer } from "../../lib/formats/separated.ts";
import { bytesOf, Collected, joined } from "../support/baldr.ts";

function read(chunks: readonly Uint8Array[], separator = 10, recordBytesMost = 1_000): string[] {
  const sink = new Collected();
  const framer = new SeparatedFramer(sink, { separator, recordBytesMost });
  for (const chunk of chunks) {
    const lent = chunk.slice();
    framer.push(lent);
    lent.fill(0xee);
  }
  framer.finish();
  assert.equal(framer.records, sink.records.length);
  assert.equal(framer.wholeBytes, framer.bytes);
  return sink.texts;
}

const examples: [name: string, text: string, records: string[]][] = [
  ["nothing", "", []],
  ["lines", "a\nbc\n", ["a", "bc"]],
  ["a last line without LF", "a\nbc", ["a", "bc"]],
  ["empty lines", "\n\na\n\n", ["", "", "a", ""]],
  ["CRLF, whose CR is kept", "a\r\nb\r\n", ["a\r", "b\r"]],
  ["NUL bytes in lines", "a\0b\n\0\n", ["a\0b", "\0"]],
];

for (const [name, text, records] of examples) {
  Deno.test(`SeparatedFramer reads ${name}, cut anywhere`, () => {
    const bytes = bytesOf(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.deepEqual(read([bytes.subarray(0, cut), bytes.subarray(cut)]), records);
    }
    assert.deepEqual(read(Array.from(bytes, (byte) => Uint8Array.of(byte))), records);
  });
}

Deno.test("SeparatedFramer tells records apart by NUL, with line feeds inside", () => {
  assert.deepEqual(read([bytesOf("a\nb\0\0c")], 0), ["a\nb", "", "c"]);
});

Deno.test("SeparatedFramer refuses a record that is too long, in one chunk or in many", () => {
  for (const chunks of [["abcdef\n"], ["abc", "def\n"], ["a", "b", "c", "d", "e", "f"]]) {
    const framer = new SeparatedFramer(new Collected(), { separator: 10, recordBytesMost: 5 });
    framer.push(bytesOf("12345\n"));
    assert.throws(() => {
      chunks.forEach((chunk) => framer.push(bytesOf(chunk)));
      framer.finish();
    }, { fault: "permanent", detail: /^record 1 is longer than the allowed 5 bytes/ });
  }
});

Deno.test("SeparatedFramer gives back any records in any chunks", () => {
  const record = fc.uint8Array({ maxLength: 30 }).map((bytes) =>
    bytes.map((b) => b === 10 ? 11 : b)
  );
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 10 }),
      fc.integer({ min: 1, max: 20 }),
      (records, size) => {
        const stream = joined(records.flatMap((one) => [one, Uint8Array.of(10)]));
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < stream.length; at += size) {
          chunks.push(stream.subarray(at, at + size));
        }
        assert.deepEqual(read(chunks), records.map((one) => String.fromCharCode(...one)));
      },
    ),
    { numRuns: 2_000 },
  );
});
