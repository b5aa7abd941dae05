import assert from "node:assert/strict";
import { functionsOf } from "../../scripts/functions.ts";

const cases: [what: string, text: string, spans: [string, number, number][]][] = [
  ["a function", "function a() {\n  b();\n}\n", [["a", 1, 3]]],
  ["an exported, asynchronous one", "\nexport async function a(\n  x: number,\n) {\n}\n", [[
    "a",
    2,
    4,
  ]]],
  ["a generator", "function* a() {\n}\n", [["a", 1, 2]]],
  ["a method with a type", "class A {\n  run(x: number): Promise<void> {\n  }\n}", [["run", 2, 2]]],
  ["a private method", "class A {\n  async #run() {\n  }\n}", [["#run", 2, 2]]],
  ["an arrow function", "const a = (x: number) => {\n  b();\n};", [["a", 1, 3]]],
  ["an inner function", "function a() {\n  const b = () => {\n  };\n}", [["a", 1, 4], ["b", 2, 2]]],
  ["a callback", "test('x', () => {\n\n});", [["an arrow function", 1, 3]]],
  ["statements", "if (a) {\n} else {\n}\nfor (;;) {\n}\nwhile (a) {\n}\nswitch (a) {\n}", []],
  ["an object", "const a = {\n  b: 1,\n};", []],
  ["braces in strings and comments", 'function a() {\n  b("}{{"); // {{{\n}', [["a", 1, 3]]],
  ["braces in a template", "function a() {\n  return `{${b({ c: 1 })}}`;\n}", [["a", 1, 3]]],
  ["braces in a regular expression", "function a() {\n  return /[{]{2}/.test(b);\n}", [[
    "a",
    1,
    3,
  ]]],
];

for (const [what, text, spans] of cases) {
  Deno.test(`functionsOf() measures ${what}`, () => {
    const found = functionsOf(text).map(({ name, line, lines }) => [name, line, lines]);
    assert.deepEqual(found, spans);
  });
}
