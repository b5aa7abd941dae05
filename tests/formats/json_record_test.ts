import assert from "node:assert/strict";
import fc from "fast-check";
import { compactJson, JsonScanner } from "../../lib/formats/json_record.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const scanner = new JsonScanner();

/** The text of these bytes as a view into a larger buffer, as records are. */
function isJson(bytes: Uint8Array): boolean {
  const around = new Uint8Array(bytes.length + 10).fill(0x22);
  around.set(bytes, 5);
  return scanner.isJson(around.subarray(5, 5 + bytes.length));
}

/** What the runtime's parser says: the oracle. */
function runtimeParses(bytes: Uint8Array): boolean {
  try {
    JSON.parse(decoder.decode(bytes));
    return true;
  } catch {
    return false;
  }
}

const json = [
  "{}",
  "[]",
  " \t\r\n[ ] \n",
  '""',
  "0",
  "-0.5e+10",
  "1E2",
  "true",
  " null ",
  '{"a":[1,{"b":"\\u00e9\\n\\"\\\\\\/"},[]],"a":"é€😀"}',
  '{ "a" : 1 , "b" : [ ] }',
  "12345678901234567890123456789",
  '"\u007f"',
  '"\\ud800"',
  `${"[".repeat(10_000)}${"]".repeat(10_000)}`,
];
const notJson = [
  "",
  " ",
  "\ufeff{}",
  "{",
  "}",
  "[1,]",
  "[,1]",
  "[1 2]",
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  "{a:1}",
  "{'a':1}",
  "[}",
  "{]",
  "01",
  "-",
  "+1",
  ".5",
  "1.",
  "1e",
  "1e+",
  "-a",
  "tru",
  "True",
  "nulll",
  "NaN",
  '"',
  '"\\"',
  '"\\x"',
  '"\\u12g4"',
  '"\\u123',
  '"a\nb"',
  '"\u0001"',
  "{} {}",
  '{"a":1}x',
  "\u00a0{}",
];

Deno.test("JsonScanner takes every form of JSON for JSON", () => {
  for (const text of json) assert.ok(isJson(encoder.encode(text)), text.slice(0, 80));
});

Deno.test("JsonScanner takes nothing else for JSON, cut JSON included", () => {
  for (const text of notJson) assert.ok(!isJson(encoder.encode(text)), text);
  const whole = encoder.encode('{"a":[1.5e3,"é\\u00e9",true,null,{}]}');
  for (let cut = 0; cut < whole.length; cut++) assert.ok(!isJson(whole.subarray(0, cut)));
});

Deno.test("JsonScanner refuses text that is not UTF-8", () => {
  for (const bytes of [[0x80], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xff]]) {
    assert.ok(!isJson(Uint8Array.of(0x22, ...bytes, 0x22)), String(bytes));
    assert.ok(!isJson(Uint8Array.of(...bytes)), String(bytes));
  }
});

Deno.test("JsonScanner agrees with JSON.parse on anything", () => {
  const tokens = fc.array(
    fc.constantFrom(
      ...'{}[]:,"\\ \n\t-+.eEu',
      "0",
      "10",
      '"a"',
      '"\\n"',
      "true",
      "null",
      "é",
      "\u0001",
      '"k":',
    ),
    { maxLength: 9 },
  ).map((parts) => encoder.encode(parts.join("")));
  const broken = fc.tuple(fc.json(), fc.nat(), fc.nat(255)).map(([text, at, byte]) => {
    const bytes = encoder.encode(text);
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  const bytes = fc.oneof(tokens, broken, fc.json().map((text) => encoder.encode(text)));
  fc.assert(
    fc.property(bytes, (bytes) => assert.equal(isJson(bytes), runtimeParses(bytes))),
    { numRuns: 30_000 },
  );
});

Deno.test("compactJson() leaves white space out, and every token as it is", () => {
  const written = ' { "a b" :\n\t1.50e+1 ,\r\n"\\"\\\\ \\n" : [ 12345678901234567890 , "é" ] } \n';
  assert.ok(isJson(encoder.encode(written)));
  assert.ok(scanner.hasBreaks);
  const out = new Uint8Array(200);
  const end = compactJson(encoder.encode(written), out, 3);
  assert.equal(
    decoder.decode(out.subarray(3, end)),
    '{"a b":1.50e+1,"\\"\\\\ \\n":[12345678901234567890,"é"]}',
  );
});

Deno.test("compactJson() of any indented JSON is one line with the same value", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const indented = encoder.encode(JSON.stringify(value, null, 2));
      const out = new Uint8Array(indented.length);
      const line = decoder.decode(out.subarray(0, compactJson(indented, out, 0)));
      assert.equal(line, JSON.stringify(value));
      isJson(indented);
      assert.equal(scanner.hasBreaks, decoder.decode(indented).includes("\n"));
    }),
    { numRuns: 2_000 },
  );
});
