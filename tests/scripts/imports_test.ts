import assert from "node:assert/strict";
import { bareCode, importsOf, workersIn } from "../../scripts/imports.ts";

const cases: [what: string, text: string, imports: [string, number][]][] = [
  ["a named import", 'import { a } from "./a.ts";', [["./a.ts", 1]]],
  ["one over several lines", 'import {\n  a,\n  b,\n} from "./a.ts";', [["./a.ts", 4]]],
  ["a default and a namespace", "import a from 'a';\nimport * as b from 'b';", [["a", 1], [
    "b",
    2,
  ]]],
  ["an import of types", 'import type { A } from "./a.ts";', [["./a.ts", 1]]],
  ["an import for its effects", 'import "./a.ts";', [["./a.ts", 1]]],
  ["a re-export", 'export { a } from "./a.ts";\nexport * from "./b.ts";', [
    ["./a.ts", 1],
    ["./b.ts", 2],
  ]],
  ["a lazy import", 'const a = await import("./a.ts");', [["./a.ts", 1]]],
  ["a lazy import inside a template", 'const a = `${await import("./a.ts")}`;', [["./a.ts", 1]]],
  ["a type by import()", 'type A = import("./a.ts").A;', [["./a.ts", 1]]],
  ["no import in a comment", '// import "./a.ts";\n/* import "./b.ts"; */', []],
  ["no import in a string", "const a = 'import \"./a.ts\";';", []],
  ["no import in a template", 'const a = `import "./a.ts";`;', []],
  ["no import in a regular expression", 'const a = /import "x"/;', []],
  ["an import behind a division", 'const a = b / c; import "./a.ts"; d / e;', [["./a.ts", 1]]],
  ["a worker", 'const a = new Worker(\n  new URL("./a.ts", import.meta.url),\n);', [["./a.ts", 2]]],
  ["no other URL", 'new URL("./a.json", import.meta.url); new URL("./a.ts", base);', []],
  ["no worker in a string", "const a = 'new URL(\"./a.ts\", import.meta.url)';", []],
  ["no method of that name", 'a.import("./a.ts");', []],
];

for (const [what, text, imports] of cases) {
  Deno.test(`importsOf() sees ${what}`, () => {
    assert.deepEqual(importsOf(text).map(({ specifier, line }) => [specifier, line]), imports);
    assert.equal(workersIn(text).length, what === "a worker" ? 1 : 0);
  });
}

Deno.test("bareCode() blanks what is no code and keeps every character in its place", () => {
  const text = 'a("x\\"{", `b${c(`d`)}e`); // f\n/* g\nh */ i = /[/"]/;';
  const bare = bareCode(text);
  assert.equal(bare.length, text.length);
  assert.deepEqual(
    bare.split("\n").map((line) => line.replace(/\s+/g, " ").trim()),
    ["a( , c( ) );", "", "i = ;"],
  );
});
