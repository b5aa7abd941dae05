import assert from "node:assert/strict";
import fc from "fast-check";
import { SluiceError } from "../../lib/core/errors.ts";
import {
  formatDuration,
  formatSize,
  parseDurationMs,
  parseSizeBytes,
} from "../../lib/core/units.ts";

const durations: [text: string, ms: number][] = [
  ["0", 0],
  ["250ms", 250],
  ["60s", 60_000],
  ["5m", 300_000],
  ["1h30m", 5_400_000],
  ["2d", 172_800_000],
  ["1.5s", 1_500],
  [" 10s ", 10_000],
  ["1s500ms", 1_500],
  ["0.4ms", 0],
];

for (const [text, ms] of durations) {
  Deno.test(`parseDurationMs() reads "${text}" as ${ms} ms`, () => {
    assert.equal(parseDurationMs(text), ms);
  });
}

const sizes: [text: string, bytes: number][] = [
  ["0", 0],
  ["512", 512],
  ["512B", 512],
  ["64KiB", 65_536],
  ["64kib", 65_536],
  ["128MiB", 134_217_728],
  ["1GiB", 1_073_741_824],
  ["1kB", 1_000],
  ["1KB", 1_000],
  ["10MB", 10_000_000],
  ["1GB", 1_000_000_000],
  ["1.5KiB", 1_536],
  [" 8 MiB ", 8_388_608],
];

for (const [text, bytes] of sizes) {
  Deno.test(`parseSizeBytes() reads "${text}" as ${bytes} bytes`, () => {
    assert.equal(parseSizeBytes(text), bytes);
  });
}

function assertRefused(read: (text: string) => number, text: string, example: string): void {
  assert.throws(() => read(text), (thrown) => {
    assert.ok(thrown instanceof SluiceError && thrown.fault === "usage");
    assert.ok(thrown.message.includes(`"${text}"`), "it names the value");
    assert.ok(thrown.detail.includes(example), "it says what is right");
    return true;
  });
}

for (
  const text of ["", "5", "s", "5 s", "-5s", "5y", "1h30", "1,5s", "5S", "ms", "Infinity", "1e3s"]
) {
  Deno.test(`parseDurationMs() refuses "${text}"`, () => {
    assertRefused(parseDurationMs, text, "60s");
  });
}

for (const text of ["", "KiB", "-1", "5TB", "5 Ki B", "1,5KiB", "0x10", "1e3", "64 K", "NaN"]) {
  Deno.test(`parseSizeBytes() refuses "${text}"`, () => {
    assertRefused(parseSizeBytes, text, "64KiB");
  });
}

Deno.test("durations are written in their largest exact unit", () => {
  const written: [ms: number, text: string][] = [
    [0, "0"],
    [1, "1ms"],
    [1_500, "1500ms"],
    [60_000, "1m"],
    [90_000, "90s"],
    [3_600_000, "1h"],
    [172_800_000, "2d"],
  ];
  for (const [ms, text] of written) assert.equal(formatDuration(ms), text);
});

Deno.test("sizes are written in their largest exact unit", () => {
  const written: [bytes: number, text: string][] = [
    [0, "0"],
    [1_000, "1000"],
    [1_024, "1KiB"],
    [65_536, "64KiB"],
    [1_572_864, "1536KiB"],
    [2 ** 30, "1GiB"],
  ];
  for (const [bytes, text] of written) assert.equal(formatSize(bytes), text);
});

const whole = fc.oneof(
  fc.nat(),
  fc.nat({ max: 10_000 }).chain((n) => fc.constantFrom(n * 1_000, n * 60_000, n * 3_600_000)),
  fc.nat({ max: 10_000 }).chain((n) => fc.constantFrom(n * 2 ** 10, n * 2 ** 20, n * 2 ** 30)),
);

Deno.test("every duration and size is read back as it was written", () => {
  fc.assert(fc.property(whole, (value) => {
    assert.equal(parseDurationMs(formatDuration(value)), value);
    assert.equal(parseSizeBytes(formatSize(value)), value);
  }));
});

Deno.test("any text is read as a whole number of zero or more, or refused as a usage error", () => {
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{0,5}[a-zA-Z]{0,3}$/));
  fc.assert(
    fc.property(texts, (text) => {
      for (const read of [parseDurationMs, parseSizeBytes]) {
        try {
          const value = read(text);
          assert.ok(Number.isInteger(value) && value >= 0, `${text} gave ${value}`);
        } catch (thrown) {
          assert.ok(thrown instanceof SluiceError && thrown.fault === "usage", String(thrown));
        }
      }
    }),
    { numRuns: 1_000 },
  );
});
