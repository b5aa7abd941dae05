import assert from "node:assert/strict";
import fc from "fast-check";
import { openLog } from "../../lib/clients/log.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { Secret } from "../../lib/core/secret.ts";
import type { Fields, Log, LogLevel } from "../../lib/core/world.ts";

const decoder = new TextDecoder();

/** What is written to stderr while `act` logs. */
function written(
  how: { level?: LogLevel; format?: "text" | "json" | "auto" },
  act: (log: Log) => void,
): string {
  let text = "";
  const writeSync = Deno.stderr.writeSync;
  // A few bytes at a time, as a pipe that is nearly full takes them.
  Deno.stderr.writeSync = (bytes) => {
    const taken = bytes.subarray(0, 1_000);
    text += decoder.decode(taken, { stream: true });
    return taken.length;
  };
  const open = openLog({ level: how.level ?? "info", format: how.format ?? "json" });
  try {
    act(open.log);
  } finally {
    open.close();
    Deno.stderr.writeSync = writeSync;
  }
  return text;
}

/** One JSON line, without its time. */
function jsonOf(message: string, fields?: Fields, level: LogLevel = "info"): Fields {
  const text = written({ level: "debug" }, (log) => log(level, message, fields));
  assert.match(text, /^[^\n]+\n$/, "it is one line");
  const { time, ...rest } = JSON.parse(text) as Fields;
  assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000);
  return rest;
}

/** One text line, without its time. */
function textOf(message: string, fields?: Fields, level: LogLevel = "info"): string {
  const text = written({ format: "text" }, (log) => log(level, message, fields));
  assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [^\n]+\n$/, "it is one line");
  return text.slice(25, -1);
}

const circular: Record<string, unknown> = { name: "loop" };
circular["self"] = circular;

const lines: [what: string, fields: Fields | undefined, json: Fields, text: string][] = [
  ["no fields", undefined, {}, ""],
  [
    "plain values",
    { a: 1, b: "x", c: true, d: null },
    { a: 1, b: "x", c: true, d: null },
    " a=1 b=x c=true d=null",
  ],
  ["text with blanks", { a: "x y" }, { a: "x y" }, ' a="x y"'],
  ["text with quotes and =", { a: 'x="y"' }, { a: 'x="y"' }, ' a="x=\\"y\\""'],
  ["an empty text", { a: "" }, { a: "" }, ' a=""'],
  ["several lines", { a: "x\ny" }, { a: "x\ny" }, ' a="x\\ny"'],
  [
    "lists and objects",
    { a: ["x", { b: 1 }] },
    { a: ["x", { b: 1 }] },
    ' a="[\\"x\\",{\\"b\\":1}]"',
  ],
  ["a large number", { a: 2n ** 63n }, { a: "9223372036854775808" }, " a=9223372036854775808"],
  ["large numbers inside", { a: [{ b: 7n }] }, { a: [{ b: "7" }] }, ' a="[{\\"b\\":\\"7\\"}]"'],
  ["a secret", { a: new Secret("c4n4ry") }, { a: "[secret]" }, " a=[secret]"],
  [
    "secrets inside",
    { a: { b: [new Secret("c4n4ry")] } },
    { a: { b: ["[secret]"] } },
    ' a="{\\"b\\":[\\"[secret]\\"]}"',
  ],
  ["nothing", { a: undefined }, {}, " a=null"],
  [
    "an escape for terminals",
    { a: "\x1b[31mred\x9b" },
    { a: "\x1b[31mred\x9b" },
    " a=\\u001b[31mred\\u009b",
  ],
];

for (const [what, fields, json, text] of lines) {
  Deno.test(`a line with ${what} is told as JSON and as text`, () => {
    assert.deepEqual(jsonOf("Said", fields), { level: "info", message: "Said", ...json });
    assert.equal(textOf("Said", fields), `info  Said${text}`);
  });
}

Deno.test("braces and per cents in a message stay what they are", () => {
  for (const message of ["{", "}", "{topic}", "{{x}}", "100 %s", "a {b} c", "{topic"]) {
    assert.deepEqual(jsonOf(message, { topic: "t" }), { level: "info", message, topic: "t" });
    assert.equal(textOf(message, { topic: "t" }), `info  ${message} topic=t`);
  }
});

Deno.test("a line of JSON commands no terminal either", () => {
  const line = written(
    { level: "debug" },
    (log) => log("info", "Said \x9b2J\x7f", { a: "\x1b\u0085" }),
  );
  // deno-lint-ignore no-control-regex -- that there are none is the point
  assert.doesNotMatch(line, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
});

Deno.test("a message of several lines is one line of the log", () => {
  assert.equal(jsonOf("first\nsecond")["message"], "first\nsecond");
  assert.equal(textOf("first\nsecond\r\x1b[2J"), "info  first\\u000asecond\\u000d\\u001b[2J");
});

Deno.test("a field cannot pass itself off as the line's own time, level or message", () => {
  const forged = { time: "never", level: "error", message: "All is well" };
  assert.deepEqual(jsonOf("Said", forged, "warn"), { level: "warn", message: "Said" });
});

Deno.test("what holds itself does not lose its line", () => {
  const said = jsonOf("Said", { circular, count: 7 });
  assert.deepEqual([said["message"], said["count"]], ["Said", "7"]);
  assert.match(textOf("Said", { circular }), /^info {2}Said circular=/);
});

Deno.test("an error is its reason; its stack trace is for those who debug only", () => {
  const error = new SluiceError("reach x", "transient", "refused", { cause: new Error("inner") });
  for (const format of ["json", "text"] as const) {
    const short = written({ level: "info", format }, (log) => log("warn", "Said", { error }));
    assert.ok(short.includes("Cannot reach x: refused"));
    assert.ok(!short.includes("log_test.ts"), short);
    const long = written(
      { level: "debug", format },
      (log) => log("warn", "Said", { a: [{ error }] }),
    );
    assert.match(long, /log_test\.ts:\d+/);
    assert.equal(long.trimEnd().split("\n").length, 1, "it is one line all the same");
  }
});

const levels: LogLevel[] = ["debug", "info", "warn", "error"];

for (const [least, level] of levels.entries()) {
  Deno.test(`at level ${level}, what is less severe is not written`, () => {
    const text = written({ level }, (log) => levels.forEach((one) => log(one, one)));
    const seen = text.trimEnd().split("\n").map((line) => (JSON.parse(line) as Fields)["level"]);
    assert.deepEqual(seen, levels.slice(least));
  });
}

Deno.test("any message and any values make one line, which reads back", () => {
  const fields = fc.dictionary(fc.stringMatching(/^x[a-z]{2,5}$/), fc.jsonValue(), {
    noNullPrototype: true,
  });
  fc.assert(fc.property(fc.string({ unit: "binary" }), fields, (message, values) => {
    const json = written({}, (log) => log("info", message, values));
    const { time: _, ...rest } = JSON.parse(json);
    // -0 is 0 in JSON.
    assert.deepEqual(rest, JSON.parse(JSON.stringify({ level: "info", message, ...values })));
    const text = written({ format: "text" }, (log) => log("info", message, values));
    // deno-lint-ignore no-control-regex -- that there are none is the point
    assert.match(text, /^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\n$/);
  }));
});

Deno.test("after close() nothing is written, and a log can be opened again", () => {
  let kept: Log | undefined;
  assert.equal(written({}, (log) => kept = log), "");
  const again = written({}, (log) => {
    log("info", "second");
    kept?.("info", "through the first");
  });
  assert.equal(again.trimEnd().split("\n").length, 2);
  kept?.("info", "lost");
});

Deno.test("nobody reading the log any more is no reason to stop", () => {
  const writeSync = Deno.stderr.writeSync;
  Deno.stderr.writeSync = () => {
    throw new Deno.errors.BrokenPipe("broken pipe");
  };
  const open = openLog({ level: "info", format: "json" });
  open.log("error", "unheard");
  open.close();
  Deno.stderr.writeSync = writeSync;
});
