import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesOf, bytesOfText, encodeLine, textOf } from "../support/syslog_reading.ts";

const head = '{"timestamp":"2026-11-23T20:30:00.000Z","hostname":"host","tag":"app","content":';
const tail = ',"priority":13,"facility":1,"severity":5';
const utf8 = (text: string) => textOf(new TextEncoder().encode(text));

const examples: [name: string, line: string, json: string][] = [
  ["the predecessor's fields in order", "<13>Nov 23 20:30:00 host app: hi", `${head}"hi"${tail}}`],
  ["a pid", "<13>Nov 23 20:30:00 host app[7]: hi", `${head}"hi"${tail},"pid":"7"}`],
  [
    "quotes, backslashes and control characters",
    '<13>Nov 23 20:30:00 host app: "\\\b\f\r\t\x01\x1f\x7f',
    `${head}"\\"\\\\\\b\\f\\r\\t\\u0001\\u001f\x7f"${tail}}`,
  ],
  [
    "UTF-8, line separators included",
    `<13>Nov 23 20:30:00 host app: ${utf8("aé€😀\u2028\ufffd\u0080")}`,
    `${head}"aé€😀\u2028\ufffd\u0080"${tail}}`,
  ],
  [
    "bytes that are not UTF-8",
    `<13>Nov 23 20:30:00 host app: \xe9t\xe9 ${utf8("é")}\x80`,
    `${head}"ét\u00e9 \u00c3\u00a9\u0080"${tail},"charset":"iso-8859-1"}`,
  ],
  [
    "milliseconds",
    "<13>2026-11-23T20:30:00.007Z host app: hi",
    `${head.replace(".000", ".007")}"hi"${tail}}`,
  ],
  [
    "the time of receipt and the peer for what a message lacks",
    "<13>hi",
    `{"timestamp":"2026-11-23T20:31:00.000Z","hostname":"peer","tag":"","content":"hi"${tail}}`,
  ],
  [
    "all of RFC 5424",
    '<165>1 2026-11-23T20:30:00Z host app p M [a@1 x="1" y="\\"\\\\\\]\\n"][b] hi',
    `${head}"hi","priority":165,"facility":20,"severity":5,"pid":"p","msgid":"M",` +
    '"structured_data":{"a@1":{"x":"1","y":"\\"\\\\]\\\\n"},"b":{}}}',
  ],
  [
    "parameters that come several times",
    '<13>1 2026-11-23T20:30:00Z host app - - [a ip="1" n="x" ip="2" ip="3" n=""] hi',
    `${head}"hi"${tail},"structured_data":{"a":{"ip":["1","2","3"],"n":["x",""]}}}`,
  ],
  [
    "structured data that is not UTF-8",
    '<13>1 2026-11-23T20:30:00Z host app - - [\xe9 \xff="\x80\\]"] hi',
    `${head}"hi"${tail},"structured_data":{"é":{"ÿ":"\u0080]"}},"charset":"iso-8859-1"}`,
  ],
  [
    "a message nobody can read",
    '<34>1 2026 "x"',
    '{"timestamp":"2026-11-23T20:31:00.000Z","hostname":"peer","tag":"",' +
    '"content":"<34>1 2026 \\"x\\"","priority":34,"facility":4,"severity":2,' +
    '"problem":"the RFC 5424 timestamp is malformed"}',
  ],
];

for (const [name, line, json] of examples) {
  Deno.test(`SyslogJson writes ${name}`, () => {
    assert.equal(encodeLine(line), json);
    JSON.parse(json);
  });
}

const notUtf8: [name: string, bytes: string][] = [
  ["a lone continuation byte", "\x80"],
  ["a lead at the end", "\xc3"],
  ["a lead before ASCII", "\xc3a"],
  ["three bytes cut to two", "\xe2\x82"],
  ["four bytes cut to three", "\xf0\x9f\x98"],
  ["an overlong slash", "\xc0\xaf"],
  ["an overlong DEL", "\xc1\xbf"],
  ["three bytes for two", "\xe0\x9f\xbf"],
  ["four bytes for three", "\xf0\x8f\xbf\xbf"],
  ["the first surrogate", "\xed\xa0\x80"],
  ["the last surrogate", "\xed\xbf\xbf"],
  ["U+110000", "\xf4\x90\x80\x80"],
  ["a lead beyond U+10FFFF", "\xf5\x80\x80\x80"],
  ["the byte FE", "\xfe"],
  ["the byte FF", "\xff"],
];

for (const [name, bytes] of notUtf8) {
  Deno.test(`SyslogJson keeps ${name} as ISO 8859-1, wherever it stands`, () => {
    for (let before = 0; before < 9; before++) {
      for (const after of ["", "x", "long enough"]) {
        const content = ".".repeat(before) + bytes + after;
        const value = JSON.parse(encodeLine(`<13>Nov 23 20:30:00 host app: ${content}`));
        assert.equal(value.charset, "iso-8859-1");
        assert.equal(value.content, content);
      }
    }
  });
}

const utf8Edges = [
  "\u0080",
  "\u07ff",
  "\u0800",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "\u{10000}",
  "\u{10ffff}",
];

Deno.test("SyslogJson takes the first and last character of every length for UTF-8", () => {
  for (const character of utf8Edges) {
    for (let before = 0; before < 9; before++) {
      const content = ".".repeat(before) + character;
      const value = JSON.parse(encodeLine(`<13>Nov 23 20:30:00 host app: ${utf8(content)}`));
      assert.equal(value.charset, undefined);
      assert.equal(value.content, content);
    }
  }
});

Deno.test("SyslogJson escapes every byte that needs it at every place in a word", () => {
  for (let byte = 1; byte < 128; byte++) {
    for (let before = 0; before < 5; before++) {
      const content = `${"~".repeat(before)}${String.fromCharCode(byte)}~~~~~`;
      const value = JSON.parse(encodeLine(`<13>Nov 23 20:30:00 host app: ${content}`));
      assert.equal(value.content, content);
    }
  }
});

Deno.test("SyslogJson stays within jsonBytesMost() at its worst", () => {
  const worst = [
    "\x01".repeat(500),
    "\xff".repeat(500),
    `<13>1 - - - - - ${"[".repeat(3)}`,
    `<191>1 - - - - - ${Array.from({ length: 500 }, (_, n) => `[${n}]`).join("")}`,
    `<191>1 - \x7f \x7f \x7f \x7f [a${' a=""'.repeat(500)}]`,
    "",
  ];
  for (const line of worst) {
    for (const peer of ["", "p".repeat(300)]) JSON.parse(encodeLine(line, { peer }));
  }
});

Deno.test("SyslogJson keeps seconds apart that it remembers in one place", () => {
  for (let round = 0; round < 2; round++) {
    for (const second of [0, 16, 32, 1, 17]) {
      const stamp = `2026-11-23T20:30:${String(second).padStart(2, "0")}`;
      const value = JSON.parse(encodeLine(`<13>${stamp}.250Z host app: x`));
      assert.equal(value.timestamp, `${stamp}.250Z`);
      assert.equal(JSON.parse(encodeLine(`<13>${stamp}Z h a: x`)).timestamp, `${stamp}.000Z`);
    }
  }
});

const line = fc.oneof(
  fc.uint8Array({ maxLength: 120 }).map(textOf),
  fc.string({ unit: "grapheme", maxLength: 40 }).map(utf8),
  fc.tuple(
    fc.constantFrom("<13>", "<191>", "", "<999>", "<13>1 "),
    fc.constantFrom("Nov 23 20:30:00 ", "2026-11-23T20:30:00Z ", "*Mar  1 00:00:01: ", "- ", ""),
    fc.constantFrom("host ", "host app[1]: ", 'h a p m [i n="v"] ', "h a p m - ", "app: ", ""),
    fc.uint8Array({ maxLength: 60 }).map(textOf),
  ).map((pieces) => pieces.join("")),
);

Deno.test("SyslogJson writes JSON with the whole content for any bytes", () => {
  fc.assert(
    fc.property(line, (line) => {
      const value = JSON.parse(encodeLine(line));
      const content = bytesOfText(value, value.content);
      // A byte order mark is the one thing left out between header and content.
      assert.ok(line.endsWith(content));
      if (value.problem !== undefined) assert.equal(content, line);
      const valid = isUtf8(line);
      if (valid) assert.equal(value.charset, undefined);
    }),
    { numRuns: 20_000 },
  );
});

function isUtf8(text: string): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(text));
    return true;
  } catch {
    return false;
  }
}
