import assert from "node:assert/strict";
import fc from "fast-check";
import { SluiceError } from "../../lib/core/errors.ts";
import {
  RELP_OFFERS,
  RELP_OK_BYTES_MOST,
  RelpFramer,
  relpOpenResponse,
  relpResponse,
  writeRelpOk,
} from "../../lib/formats/relp.ts";
import { bytesOf, textOf } from "../support/syslog_reading.ts";

const MAX_DATA_BYTES = 32;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Reads `chunks` as one stream; frames in parts are put together as `txnr command data`. */
function read(chunks: Uint8Array[]): string[] {
  const frames: string[] = [];
  let open: string[] = [];
  const framer = new RelpFramer({
    relp: (txnr, command, bytes, start, end, part, more) => {
      assert.equal(part, open.length, "parts are numbered from 0");
      assert.ok(end - start <= MAX_DATA_BYTES);
      open.push(textOf(bytes.subarray(start, end)));
      if (more) return;
      frames.push(`${txnr} ${command} ${open.join("")}`);
      open = [];
    },
  }, { maxDataBytes: MAX_DATA_BYTES });
  for (const chunk of chunks) {
    const buffer = new Uint8Array(chunk.length + 5).fill(10);
    buffer.set(chunk);
    framer.push(buffer, chunk.length);
    buffer.fill(0x21);
    assert.ok(framer.pendingBytes <= MAX_DATA_BYTES + 1);
  }
  framer.finish();
  assert.equal(framer.pendingBytes, 0);
  return frames;
}

function readAtEveryCut(stream: string, frames: string[]): void {
  const bytes = bytesOf(stream);
  assert.deepEqual(read([bytes]), frames);
  assert.deepEqual(read(Array.from(bytes, (byte) => Uint8Array.of(byte))), frames);
  for (let cut = 0; cut <= bytes.length; cut++) {
    assert.deepEqual(read([bytes.subarray(0, cut), bytes.subarray(cut)]), frames);
  }
}

const long = "x".repeat(100);

const examples: [name: string, stream: string, frames: string[]][] = [
  [
    "a session as omrelp holds it",
    "1 open 85 relp_version=0\nrelp_software=librelp,1.11.0,http://librelp.adiscon.com\n" +
    "commands=syslog\n2 syslog 6 <13>a\n\n3 syslog 5 <13>b\n4 close 0\n",
    [
      "1 open relp_version=0\nrelp_software=librelp,1.11.0,http://librelp.adiscon.com\n" +
      "commands=syslog",
      "2 syslog <13>a\n",
      "3 syslog <13>b",
      "4 close ",
    ],
  ],
  ["a frame without data, with and without a space", "1 close 0\n2 close 0 \n", [
    "1 close ",
    "2 close ",
  ]],
  ["data that looks like frames", "7 syslog 12 8 close 0\n\n\0\n9 rsp 6 200 OK\n", [
    "7 syslog 8 close 0\n\n\0",
    "9 rsp 200 OK",
  ]],
  ["a hint", "0 serverclose 0\n", ["0 serverclose "]],
  ["the largest transaction number", "999999999 syslog 1 a\n", ["999999999 syslog a"]],
  ["lengths with leading zeros", "1 syslog 000000001 a\n", ["1 syslog a"]],
  ["a command nobody knows", "1 eventlogXY 1 a\n", ["1 eventlogXY a"]],
  ["data over the limit", `1 syslog 100 ${long}\n2 syslog 1 a\n`, [
    `1 syslog ${long}`,
    "2 syslog a",
  ]],
  ["data of the limit", `1 syslog 32 ${"y".repeat(32)}\n`, [`1 syslog ${"y".repeat(32)}`]],
  ["data ending in CR", "1 syslog 2 a\r\n2 syslog 1 \r\n", ["1 syslog a\r", "2 syslog \r"]],
];

for (const [name, stream, frames] of examples) {
  Deno.test(`RelpFramer takes ${name}, whole, byte by byte and cut anywhere`, () => {
    readAtEveryCut(
      stream.replace(
        / open \d+ ([^]*?commands=syslog)/,
        (_, data) => ` open ${data.length} ${data}`,
      ),
      frames,
    );
  });
}

const refused: [name: string, stream: string, named: RegExp][] = [
  ["a line of plain syslog", "<13>Nov 23 20:30:00 host a: b\n", /transaction number.*"<13>Nov 23/],
  ["an empty line", "\n", /transaction number.*"\\n"/],
  [
    "a transaction number of ten digits",
    "1234567890 syslog 1 a\n",
    /transaction number.*"0 syslog/,
  ],
  ["a command with a digit", "1 sys1og 1 a\n", /a command.*"1og 1 a/],
  ["an empty command", "1  1 a\n", /a command.*" 1 a/],
  ["a command of 33 letters", `1 ${"a".repeat(33)} 1 a\n`, /a command.*"a 1 a/],
  ["a length that is no number", "1 syslog x a\n", /a data length.*"x a/],
  ["a length of ten digits", "1 syslog 1234567890 a\n", /a data length.*"0 a/],
  ["a missing length", "1 close \n", /a data length.*"\\n"/],
  ["a length followed by LF", "1 syslog 5\n", /a data length.*"\\n"/],
  ["data longer than announced", "1 syslog 1 ab\n", /a line feed after the data.*"b\\n"/],
  ["data where none was announced", "1 close 0 a\n", /a line feed after the data.*"a\\n"/],
];

for (const [name, stream, named] of refused) {
  Deno.test(`RelpFramer refuses ${name} and names the bytes`, () => {
    assert.throws(() => read([bytesOf(stream)]), (error) => {
      assert.ok(error instanceof SluiceError);
      assert.equal(error.fault, "corrupt");
      assert.match(error.message, named);
      return true;
    });
    assert.throws(
      () => read(Array.from(bytesOf(stream), (byte) => Uint8Array.of(byte))),
      SluiceError,
    );
  });
}

Deno.test("RelpFramer hands on the frames before a malformed one", () => {
  const seen: number[] = [];
  const framer = new RelpFramer({ relp: (txnr) => void seen.push(txnr) }, { maxDataBytes: 32 });
  const bytes = bytesOf("1 syslog 1 a\n2 syslog 1 b\nGET / HTTP/1.1\r\n");
  assert.throws(() => framer.push(bytes, bytes.length), /"GET \/ HTTP/);
  assert.deepEqual(seen, [1, 2]);
});

Deno.test("RelpFramer reports a stream that ends inside a frame, wherever that is", () => {
  const stream = bytesOf("1 syslog 3 abc\n");
  for (let cut = 1; cut < stream.length; cut++) {
    assert.throws(() => read([stream.subarray(0, cut)]), /the stream ends inside its/);
  }
  assert.deepEqual(read([stream]), ["1 syslog abc"]);
  assert.deepEqual(read([]), []);
});

Deno.test("RelpFramer gives known commands as one string and data without copying", () => {
  const stream = bytesOf("1 syslog 1 a\n");
  const framer = new RelpFramer({
    relp: (_txnr, command, bytes) => {
      assert.equal(command, "syslog");
      assert.equal(bytes, stream);
    },
  }, { maxDataBytes: 32 });
  framer.push(stream, stream.length);
});

Deno.test("RelpFramer gives back any frames in any chunks", () => {
  const frame = fc.record({
    txnr: fc.integer({ min: 0, max: 999_999_999 }),
    command: fc.constantFrom("syslog", "open", "close", "rsp", "custom"),
    data: fc.uint8Array({ maxLength: 90 }).map(textOf),
  });
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
      (frames, sizes) => {
        const stream = bytesOf(
          frames.map(({ txnr, command, data }) =>
            `${txnr} ${command} ${data.length}${data === "" ? "" : ` ${data}`}\n`
          ).join(""),
        );
        const chunks: Uint8Array[] = [];
        for (let at = 0, n = 0; at < stream.length; n++) {
          const size = sizes[n % sizes.length] ?? 1;
          chunks.push(stream.subarray(at, at + size));
          at += size;
        }
        const wanted = frames.map(({ txnr, command, data }) => `${txnr} ${command} ${data}`);
        assert.deepEqual(read(chunks), wanted);
      },
    ),
    { numRuns: 1_000 },
  );
});

Deno.test("RelpFramer takes or refuses any bytes, and holds no more than its limit", () => {
  const piece = fc.oneof(
    fc.constantFrom("1 syslog 3 abc\n", "2 close 0\n", "3 syslog 90 ", " ", "\n", "9", "syslog"),
    fc.uint8Array({ maxLength: 40 }).map(textOf),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      try {
        read(pieces.map(bytesOf));
      } catch (error) {
        assert.ok(error instanceof SluiceError && error.fault === "corrupt", String(error));
      }
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("relpResponse() writes length, status, text and further lines", () => {
  assert.equal(decoder.decode(relpResponse(7, 200)), "7 rsp 6 200 OK\n");
  assert.equal(decoder.decode(relpResponse(0, 500, "no")), "0 rsp 6 500 no\n");
  assert.equal(decoder.decode(relpResponse(7, 500)), "7 rsp 10 500 failed\n");
  assert.equal(decoder.decode(relpResponse(7, 500, "né")), "7 rsp 7 500 né\n");
  assert.equal(decoder.decode(relpResponse(1, 200, "OK", "a=b\nc")), "1 rsp 12 200 OK\na=b\nc\n");
});

Deno.test("writeRelpOk() writes what relpResponse() does, for numbers of one to nine digits", () => {
  const out = new Uint8Array(3 + RELP_OK_BYTES_MOST);
  for (
    const txnr of [0, 1, 9, 10, 11, 99, 100, 101, 12_345, 99_999_999, 100_000_000, 999_999_999]
  ) {
    const end = writeRelpOk(out, 3, txnr);
    assert.deepEqual(out.slice(3, end), relpResponse(txnr, 200));
  }
});

Deno.test("relpOpenResponse() offers version 0 and the syslog command", () => {
  const offers = "relp_version=0\nrelp_software=sluice\ncommands=syslog";
  assert.equal(RELP_OFFERS, offers);
  const wanted = `1 rsp ${encoder.encode(offers).length + 7} 200 OK\n${offers}\n`;
  assert.equal(decoder.decode(relpOpenResponse(1)), wanted);
});
