import assert from "node:assert/strict";
import fc from "fast-check";
import { SluiceError } from "../../lib/core/errors.ts";
import {
  choice,
  duration,
  envOf,
  flagOf,
  list,
  number,
  type Option,
  patterns,
  secret,
  size,
  text,
  toggle,
  valueError,
} from "../../lib/core/options.ts";

const help = "";
const minute = 60_000;

const kinds = {
  text: text({ help }),
  name: text({ help, fallback: "syslog" }),
  count: number({ help, fallback: 100, least: 1, most: 10_000 }),
  signed: number({ help, fallback: 0, least: -5, most: 5 }),
  unbounded: number({ help, fallback: 3, least: 2 }),
  wait: duration({ help, fallback: 10_000, least: 1_000, most: 60 * minute }),
  room: size({ help, fallback: 64 * 2 ** 20, least: 4 * 2 ** 20, most: 8 * 2 ** 30 }),
  codec: choice(["none", "gzip"], { help, fallback: "none" }),
  codecIfAny: choice(["none", "gzip"], { help }),
  toggle: toggle({ help }),
  list: list({ help }),
  patterns: patterns({ help }),
  password: secret({ help }),
} as const;

const readable: [kind: keyof typeof kinds, written: string, value: unknown][] = [
  ["text", "a b", "a b"],
  ["name", " x ", " x "],
  ["count", "1", 1],
  ["count", "10000", 10_000],
  ["count", "007", 7],
  ["signed", "-5", -5],
  ["unbounded", "9007199254740991", 2 ** 53 - 1],
  ["wait", "1s", 1_000],
  ["wait", "1h", 60 * minute],
  ["room", "4MiB", 4 * 2 ** 20],
  ["room", "8GiB", 8 * 2 ** 30],
  ["codec", "gzip", "gzip"],
  ["codecIfAny", "none", "none"],
  ...["true", "yes", "ON", "1"].map((word) => ["toggle", word, true] as const),
  ...["false", "No", "off", "0"].map((word) => ["toggle", word, false] as const),
  ["list", "a", ["a"]],
  ["list", "a, b,c", ["a", "b", "c"]],
  ["patterns", "a{1,2}|b", ["a{1,2}|b"]],
].map(([kind, written, value]) => [kind as keyof typeof kinds, written as string, value]);

for (const [kind, written, value] of readable) {
  Deno.test(`a ${kind} option reads "${written}"`, () => {
    assert.deepEqual(kinds[kind].read(written), value);
  });
}

const refused: [kind: keyof typeof kinds, written: string, message: string][] = [
  ["text", "", "Cannot use an empty text: give a value or leave it out"],
  ["count", "0", "Cannot use 0: it must be between 1 and 10000"],
  ["count", "10001", "Cannot use 10001: it must be between 1 and 10000"],
  ["count", "1.5", 'Cannot read number "1.5": give a whole number'],
  ["count", "1e3", 'Cannot read number "1e3": give a whole number'],
  ["count", "", 'Cannot read number "": give a whole number'],
  ["signed", "-6", "Cannot use -6: it must be between -5 and 5"],
  ["unbounded", "1", "Cannot use 1: it must be at least 2"],
  [
    "unbounded",
    "9007199254740993",
    "Cannot use 9007199254740993: it must be between 2 and 9007199254740991",
  ],
  ["wait", "999ms", "Cannot use 999ms: it must be between 1s and 1h"],
  ["wait", "2h", "Cannot use 2h: it must be between 1s and 1h"],
  ["room", "1MiB", "Cannot use 1MiB: it must be between 4MiB and 8GiB"],
  ["codec", "zip", 'Cannot use "zip": give one of none, gzip'],
  ["codec", "GZIP", 'Cannot use "GZIP": give one of none, gzip'],
  ["toggle", "maybe", 'Cannot use "maybe": give true or false'],
  ["toggle", "", 'Cannot use "": give true or false'],
  ["list", "", 'Cannot use "": one part of the list is empty'],
  ["patterns", "", "Cannot use an empty pattern: give one or leave it out"],
  ["patterns", "a(", 'Cannot read pattern "a(": give a regular expression'],
  ["patterns", "a)|(b", 'Cannot read pattern "a)|(b": give a regular expression'],
  ["list", "a,,b", 'Cannot use "a,,b": one part of the list is empty'],
  ["password", "", "Cannot use an empty secret: the file or variable holds nothing"],
  ["password", "\n", "Cannot use an empty secret: the file or variable holds nothing"],
];

for (const [kind, written, message] of refused) {
  Deno.test(`a ${kind} option refuses ${JSON.stringify(written)}`, () => {
    assert.throws(() => kinds[kind].read(written), (thrown) => {
      assert.ok(thrown instanceof SluiceError && thrown.fault === "usage");
      assert.equal(thrown.message, message);
      return true;
    });
  });
}

const fallbacks: [kind: keyof typeof kinds, fallback: unknown, text: string][] = [
  ["text", undefined, ""],
  ["name", "syslog", "syslog"],
  ["count", 100, "100"],
  ["wait", 10_000, "10s"],
  ["room", 64 * 2 ** 20, "64MiB"],
  ["codec", "none", "none"],
  ["codecIfAny", undefined, ""],
  ["toggle", false, ""],
  ["list", [], ""],
  ["patterns", [], ""],
  ["password", undefined, ""],
];

for (const [kind, fallback, written] of fallbacks) {
  Deno.test(`a ${kind} option without a value is ${JSON.stringify(fallback)}`, () => {
    assert.deepEqual(kinds[kind].fallback, fallback);
    assert.equal(kinds[kind].fallbackText, written);
  });
}

Deno.test("a default in the help reads back as the default", () => {
  for (const option of Object.values(kinds) as Option<unknown>[]) {
    if (option.fallbackText === "") continue;
    assert.deepEqual(option.read(option.fallbackText), option.fallback);
  }
});

Deno.test("a list option keeps any texts without commas and blanks at their ends", () => {
  const parts = fc.array(
    fc.string({ minLength: 1 }).filter((part) => !part.includes(",") && part === part.trim()),
    { minLength: 1 },
  );
  fc.assert(fc.property(parts, (wanted) => {
    assert.deepEqual(kinds.list.read(wanted.join(",")), wanted);
  }));
});

Deno.test("a number option gives a value in its range or a usage error, whatever is written", () => {
  const texts = fc.oneof(fc.string(), fc.integer().map(String), fc.bigInt().map(String));
  fc.assert(fc.property(texts, (written) => {
    try {
      const value = kinds.count.read(written);
      assert.ok(Number.isInteger(value) && value >= 1 && value <= 10_000);
    } catch (thrown) {
      assert.ok(thrown instanceof SluiceError && thrown.fault === "usage", String(thrown));
    }
  }));
});

Deno.test("a secret loses the line end of its file and nothing else", () => {
  const secrets: [written: string, value: string][] = [
    ["pw", "pw"],
    ["pw\n", "pw"],
    ["pw\r\n", "pw"],
    [" p w \n", " p w "],
    ["pw\n\n", "pw\n"],
  ];
  for (const [written, value] of secrets) {
    assert.equal(kinds.password.read(written)?.reveal(), value);
  }
});

Deno.test("flags and variables are made of the option's name", () => {
  assert.equal(flagOf("max-line", kinds.room), "--max-line");
  assert.equal(flagOf("sasl-password", kinds.password), "--sasl-password-file");
  assert.equal(envOf("forward-syslog", "max-line"), "SLUICE_FORWARD_SYSLOG_MAX_LINE");
  assert.equal(envOf("archive verify", "kafka"), "SLUICE_ARCHIVE_VERIFY_KAFKA");
});

Deno.test("valueError() tells where a value came from and passes on what is no error of ours", () => {
  const error = valueError("--max-line", new SluiceError("use 5", "usage", "it must be 6"));
  assert.equal(error.message, "Cannot use --max-line: cannot use 5; it must be 6");
  assert.equal(error.fault, "usage");
  assert.throws(() => valueError("--x", new TypeError("defect")), TypeError);
});
