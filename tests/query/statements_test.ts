import assert from "node:assert/strict";
import fc from "fast-check";
import { splitStatements } from "../../lib/query/statements.ts";

/** A text, its whole statements, the one that goes on, and what is open. */
const texts: [what: string, sql: string, whole: string[], rest: string | null, open: string][] = [
  ["nothing", "", [], null, "="],
  ["white space and comments", " -- a;\n /* b; /* c; */ */ ;;", [], null, "="],
  ["one", "SELECT 1;", ["SELECT 1"], null, "="],
  ["one without its end", "SELECT 1", [], "SELECT 1", "-"],
  ["two in a line", "a; b ; c", ["a", "b"], "c", "-"],
  ["a literal", "SELECT ';''; ' ; x", ["SELECT ';''; '"], "x", "-"],
  ["an open literal", "SELECT 'a;", [], "SELECT 'a;", "'"],
  ["a name", 'SELECT "a;""b;" ; ', ['SELECT "a;""b;"'], null, "="],
  ["an open name", 'SELECT "a;', [], 'SELECT "a;', '"'],
  ["escapes", "SELECT E'\\';', e'\\\\';", ["SELECT E'\\';', e'\\\\'"], null, "="],
  ["no escapes", "SELECT '\\'; SELECT '';", ["SELECT '\\'", "SELECT ''"], null, "="],
  ["dollars", "DO $$ a; b $$; DO $x$ $$;$ $x$;", ["DO $$ a; b $$", "DO $x$ $$;$ $x$"], null, "="],
  ["open dollars", "DO $a$ x; $$", [], "DO $a$ x; $$", "$"],
  ["parameters and dollars in names", "SELECT $1, a$b$c; x", ["SELECT $1, a$b$c"], "x", "-"],
  ["brackets", "CREATE RULE r DO (a; b); c;", ["CREATE RULE r DO (a; b)", "c"], null, "="],
  ["an open bracket", "SELECT (1;", [], "SELECT (1;", "("],
  ["comments within", "SELECT 1 -- ; '\n + 2; /* ' */ x", ["SELECT 1 -- ; '\n + 2"], "x", "-"],
  ["an open comment", "SELECT 1 /* ; /* */", [], "SELECT 1", "*"],
  [
    "the body of a function",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END; x;",
    [
      "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END",
      "x",
    ],
    null,
    "=",
  ],
  ["a comment's end", "SELECT 1 --\r; x;", ["SELECT 1", "x"], null, "="],
  [
    "letters of any kind in names",
    "SELECT 1 \u20ac$$; x; --$$",
    ["SELECT 1 \u20ac$$", "x"],
    null,
    "=",
  ],
  ["a no-break space, a letter", "SELECT 1 \u00a0$$; x --$$", ["SELECT 1 \u00a0$$"], "x", "-"],
  [
    "escapes that go on",
    "SELECT E'a' -- b\n '\\'; c'; x",
    ["SELECT E'a' -- b\n '\\'; c'"],
    "x",
    "-",
  ],
  ["literals side by side", "SELECT E'a' '\\'; x", ["SELECT E'a' '\\'"], "x", "-"],
  ["BEGIN of a transaction", "BEGIN; SELECT 1; END;", ["BEGIN", "SELECT 1", "END"], null, "="],
];

for (const [what, sql, whole, rest, open] of texts) {
  Deno.test(`statements are taken apart: ${what}`, () => {
    const split = splitStatements(sql, false);
    assert.deepEqual(split.statements.map(({ text }) => text), whole);
    assert.equal(split.rest?.text ?? null, rest);
    assert.equal(split.open, open);
  });
}

Deno.test("a backslash escapes in plain literals where the server has it so", () => {
  const [one, two] = splitStatements("SELECT '\\';'; x;", true).statements;
  assert.deepEqual([one?.text, two?.text], ["SELECT '\\';'", "x"]);
});

Deno.test("a statement knows the line in which it begins", () => {
  const { statements, rest } = splitStatements("-- one\nSELECT 1;\n\n  SELECT\n2; SELECT 3", false);
  assert.deepEqual([...statements, rest].map((one) => one?.line), [2, 4, 5]);
});

Deno.test("a literal of a million characters is no trouble", () => {
  const sql = `SELECT '${"a''".repeat(400_000)}'; SELECT 2`;
  assert.equal(splitStatements(sql, false).statements.length, 1);
});

Deno.test("whatever stands in quotes, statements come out as they went in", () => {
  const piece = fc.oneof(
    fc.string().map((text) => `'${text.replaceAll("'", "''")}'`),
    fc.string().map((text) => `"${text.replaceAll('"', '""')}"`),
    fc.string().map((text) => `$q$${text.replaceAll("$", "")}$q$`),
    fc.constantFrom("SELECT", "a", "1", ",", "(b; c)", "/* ; ' */", "-- ; '\n"),
  );
  const statement = fc.array(piece, { minLength: 1, maxLength: 6 })
    .map((pieces) => `x ${pieces.join(" ")} y`);
  fc.assert(fc.property(fc.array(statement, { maxLength: 5 }), (statements) => {
    const split = splitStatements(statements.map((one) => `${one};`).join("\n"), false);
    assert.deepEqual(split.statements.map(({ text }) => text), statements);
    assert.equal(split.rest, null);
  }));
});
