import assert from "node:assert/strict";
import fc from "fast-check";
import { SyslogFramer } from "../../lib/formats/syslog_frame.ts";
import { bytesOf, textOf } from "../support/syslog_reading.ts";

const MAX_LINE_BYTES = 32;
const encoder = new TextEncoder();

interface Piece {
  text: string;
  part: number;
  more: boolean;
}

/** Frames `chunks` as one stream, each pushed in a buffer that is overwritten afterwards. */
function framed(chunks: Uint8Array[], maxLineBytes = MAX_LINE_BYTES) {
  const pieces: Piece[] = [];
  const framer = new SyslogFramer({
    frame: (bytes, start, end, part, more) => {
      pieces.push({ text: textOf(bytes.subarray(start, end)), part, more });
    },
  }, { maxLineBytes });
  for (const chunk of chunks) {
    const buffer = new Uint8Array(chunk.length + 5).fill(10);
    buffer.set(chunk);
    framer.push(buffer, chunk.length);
    buffer.fill(0x21);
    assert.ok(framer.pendingBytes <= maxLineBytes + 1, `${framer.pendingBytes} bytes are held`);
  }
  framer.finish();
  assert.equal(framer.pendingBytes, 0);
  return { pieces, emptyFrames: framer.emptyFrames };
}

/** Puts the parts of over-long messages together, after a look at their numbers and sizes. */
function joined(pieces: Piece[], maxLineBytes = MAX_LINE_BYTES): string[] {
  const messages: string[] = [];
  let open: string[] = [];
  for (const { text, part, more } of pieces) {
    assert.equal(part, open.length, "parts are numbered from 0");
    assert.ok(text.length >= 1 && text.length <= maxLineBytes, `a part has ${text.length} bytes`);
    open.push(text);
    if (more) continue;
    messages.push(open.join(""));
    open = [];
  }
  assert.equal(open.length, 0, "the last part of a message says so");
  return messages;
}

const long = "x".repeat(100);

const examples: [name: string, stream: string, frames: string[], emptyFrames?: number][] = [
  ["lines ended by LF", "<13>a\n<13>b\n", ["<13>a", "<13>b"]],
  ["lines ended by CRLF", "<13>a\r\n<13>b\r\n", ["<13>a", "<13>b"]],
  ["lines ended by NUL", "<13>a\0<13>b\0", ["<13>a", "<13>b"]],
  ["LF and NUL behind each line", "<13>a\n\0<13>b\n\0", ["<13>a", "<13>b"], 2],
  ["a mix of all terminators", "a\nb\r\nc\0d\n", ["a", "b", "c", "d"]],
  ["a last line without terminator", "<13>a\n<13>b", ["<13>a", "<13>b"]],
  ["a CR that ends the stream", "a\r", ["a\r"]],
  ["a CR inside a line", "a\rb\n", ["a\rb"]],
  ["only the last of several CRs goes", "a\r\r\n", ["a\r"]],
  ["a CR before NUL is content", "a\r\0b\n", ["a\r", "b"]],
  ["empty lines", "\n\r\n\0a\n\n", ["a"], 4],
  ["nothing at all", "", []],
  ["octet counting", "5 <13>a5 <13>b", ["<13>a", "<13>b"]],
  ["octet counting around LF, CR and NUL", "8 <1>a\nb\r\x006 <13>ab", ["<1>a\nb\r\0", "<13>ab"]],
  ["octet counting with an LF behind", "5 <13>a\n5 <13>b\n", ["<13>a", "<13>b"]],
  ["octet counting with a CRLF behind", "5 <13>a\r\n5 <13>b\r\n", ["<13>a", "<13>b"]],
  ["octet counting with a NUL behind", "5 <13>a\x005 <13>b\0", ["<13>a", "<13>b"]],
  ["a second LF behind octet counting", "5 <13>a\n\nb\n", ["<13>a", "b"], 1],
  ["a lone CR behind octet counting", "5 <13>a\rb\n", ["<13>a", "\rb"]],
  ["octet counting, then a line, then counting", "5 <13>aline\n5 <13>b", [
    "<13>a",
    "line",
    "<13>b",
  ]],
  ["a count of one", "1 <x\n", ["<", "x"]],
  ["an octet count cut by the end", "20 <13>abc", ["<13>abc"]],
  ["an octet count and no more", "20 ", ["20 "]],
  ["a line starting with a digit", "12 apples\n", ["12 apples"]],
  ["a line that is a number", "12\n7 \n1234567\n", ["12", "7 ", "1234567"]],
  ["a line of a number and CR", "12\r\n", ["12"]],
  ["a line with two blanks behind its number", "12  <13>a\n", ["12  <13>a"]],
  ["a line with a leading zero", "05 <13>a\n", ["05 <13>a"]],
  ["a line with a number of eight digits", "12345678 <13>a\n", ["12345678 <13>a"]],
  ["a line starting with an ISO stamp", "2026-11-23T20:30:00Z h\n", ["2026-11-23T20:30:00Z h"]],
  ["a line of exactly the limit", `${"y".repeat(32)}\n`, ["y".repeat(32)]],
  ["a line of exactly the limit and CRLF", `${"y".repeat(32)}\r\nz\n`, ["y".repeat(32), "z"]],
  ["a line of the limit and a CR inside", `${"y".repeat(32)}\rz\n`, [`${"y".repeat(32)}\rz`]],
  ["a line of the limit and two CRs", `${"y".repeat(32)}\r\r\n`, [`${"y".repeat(32)}\r`]],
  ["a line of the limit, a CR and NUL", `${"y".repeat(32)}\r\0`, [`${"y".repeat(32)}\r`]],
  ["a line over the limit", `${long}\nz\n`, [long, "z"]],
  ["a line over the limit and CRLF", `${long}\r\nz\n`, [long, "z"]],
  ["a line over the limit without end", long, [long]],
  ["a counted frame over the limit", `104 <13>${long}z\n`, [`<13>${long}`, "z"]],
  ["a counted frame announced far too long", `9999999 <13>${long}`, [`<13>${long}`]],
  ["bytes that are not UTF-8", "\xff\xfe\x80\n\xc3\n", ["\xff\xfe\x80", "\xc3"]],
];

for (const [name, stream, frames, emptyFrames = 0] of examples) {
  const bytes = bytesOf(stream);
  const check = (chunks: Uint8Array[]) => {
    const result = framed(chunks);
    assert.deepEqual(joined(result.pieces), frames);
    assert.equal(result.emptyFrames, emptyFrames);
  };

  Deno.test(`SyslogFramer takes ${name}, whole, byte by byte and cut anywhere`, () => {
    check([bytes]);
    check(Array.from(bytes, (byte) => Uint8Array.of(byte)));
    for (let cut = 0; cut <= bytes.length; cut++) {
      check([bytes.subarray(0, cut), bytes.subarray(cut)]);
      for (let second = cut; second <= bytes.length; second += 3) {
        check([bytes.subarray(0, cut), bytes.subarray(cut, second), bytes.subarray(second)]);
      }
    }
  });
}

Deno.test("SyslogFramer hands on a frame that lies in one chunk without copying it", () => {
  const bytes = bytesOf("<13>a\n5 <13>b<13>c\n");
  const seen: boolean[] = [];
  const framer = new SyslogFramer({ frame: (given) => void seen.push(given === bytes) }, {
    maxLineBytes: MAX_LINE_BYTES,
  });
  framer.push(bytes, bytes.length);
  assert.deepEqual(seen, [true, true, true]);
});

Deno.test("SyslogFramer looks at no byte beyond the length it is given", () => {
  const frames: string[] = [];
  const framer = new SyslogFramer({
    frame: (bytes, start, end) => void frames.push(textOf(bytes.subarray(start, end))),
  }, { maxLineBytes: MAX_LINE_BYTES });
  framer.push(bytesOf("ab\ncd\nef\n"), 4);
  framer.finish();
  assert.deepEqual(frames, ["ab", "c"]);
});

Deno.test("SyslogFramer cuts an over-long line between characters, not inside them", () => {
  const text = "aé€😀".repeat(20);
  const bytes = encoder.encode(`${text}\n`);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let shift = 0; shift < 5; shift++) {
    const shifted = new Uint8Array(bytes.length + shift).fill(0x62);
    shifted.set(bytes, shift);
    for (const chunks of [[shifted], Array.from(shifted, (byte) => Uint8Array.of(byte))]) {
      const { pieces } = framed(chunks);
      assert.ok(pieces.length > 1);
      const texts = pieces.map((piece) => decoder.decode(bytesOf(piece.text)));
      assert.equal(texts.join(""), "b".repeat(shift) + text);
    }
  }
});

Deno.test("SyslogFramer cuts continuation bytes without a lead at the limit", () => {
  const { pieces } = framed([new Uint8Array(70).fill(0x80)]);
  assert.deepEqual(pieces.map((piece) => piece.text.length), [32, 32, 6]);
});

Deno.test("SyslogFramer frees itself for another stream when one is finished", () => {
  const frames: string[] = [];
  const framer = new SyslogFramer({
    frame: (bytes, start, end) => void frames.push(textOf(bytes.subarray(start, end))),
  }, { maxLineBytes: MAX_LINE_BYTES });
  for (const stream of ["40 <13>a", "5 <13>a\r", "12", "5 <13>b"]) {
    framer.push(bytesOf(stream), stream.length);
    framer.finish();
  }
  assert.deepEqual(frames, ["<13>a", "<13>a", "12", "<13>b"]);
});

Deno.test("SyslogFramer refuses a limit under 16 bytes", () => {
  for (const maxLineBytes of [0, 15, 20.5, NaN]) {
    assert.throws(() => new SyslogFramer({ frame: () => {} }, { maxLineBytes }), RangeError);
  }
});

/** A message, and how it is put on the wire. */
const sent = fc.oneof(
  fc.record({
    framing: fc.constantFrom("\n", "\r\n", "\0"),
    message: fc.string({ minLength: 1, maxLength: 80, unit: "binary-ascii" }).map((text) =>
      `<${text.replaceAll(/[\n\r\0]/g, "_")}`
    ),
  }),
  fc.record({
    framing: fc.constantFrom("count", "count\n", "count\r\n", "count\0"),
    message: fc.uint8Array({ minLength: 1, maxLength: 80 }).map((bytes) => `<${textOf(bytes)}`),
  }),
);

Deno.test("SyslogFramer gives back any messages in any mix of framings and chunks", () => {
  fc.assert(
    fc.property(
      fc.array(sent, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
      (messages, sizes) => {
        const stream = bytesOf(
          messages.map(({ framing, message }) =>
            framing.startsWith("count")
              ? `${message.length} ${message}${framing.slice("count".length)}`
              : message + framing
          ).join(""),
        );
        const chunks: Uint8Array[] = [];
        for (let at = 0, n = 0; at < stream.length; n++) {
          const size = sizes[n % sizes.length] ?? 1;
          chunks.push(stream.subarray(at, at + size));
          at += size;
        }
        const { pieces, emptyFrames } = framed(chunks);
        assert.deepEqual(joined(pieces), messages.map(({ message }) => message));
        assert.equal(emptyFrames, 0);
      },
    ),
    { numRuns: 2_000 },
  );
});
