import { usageError } from "./errors.ts";

const msOf = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const bytesOf = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
} as const;

/**
 * Reads a duration such as `250ms`, `60s`, `5m`, `1h30m` into milliseconds. A bare `0` is allowed.
 *
 * @throws {SluiceError} `usage` for anything else, a bare number included: a number without a unit is a guess.
 */
export function parseDurationMs(text: string): number {
  const trimmed = text.trim();
  if (trimmed === "0") return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(trimmed)) {
    throw usageError(
      `read duration "${text}"`,
      `give a number with a unit (ms, s, m, h, d), for example 250ms, 60s or 1h30m`,
    );
  }
  let totalMs = 0;
  for (const [, number, , unit] of trimmed.matchAll(/(\d+(\.\d+)?)(ms|s|m|h|d)/g)) {
    totalMs += Number(number) * msOf[unit as keyof typeof msOf];
  }
  return Math.round(totalMs);
}

/** Writes milliseconds the way {@linkcode parseDurationMs} reads them, in the largest exact unit. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0";
  for (const unit of ["d", "h", "m", "s"] as const) {
    if (ms % msOf[unit] === 0) return `${ms / msOf[unit]}${unit}`;
  }
  return `${ms}ms`;
}

/**
 * Reads a size such as `512`, `64KiB`, `128MiB`, `1GB` into bytes. A bare number is bytes.
 *
 * @throws {SluiceError} `usage` for anything else.
 */
export function parseSizeBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  const unit = match?.[2] === "" ? "B" : sizeUnit(match?.[2] ?? "?");
  if (!match || !unit) {
    throw usageError(
      `read size "${text}"`,
      `give a number of bytes or one with a unit (KiB, MiB, GiB, kB, MB, GB), for example 64KiB`,
    );
  }
  return Math.round(Number(match[1]) * bytesOf[unit]);
}

function sizeUnit(text: string): keyof typeof bytesOf | undefined {
  const wanted = text.toLowerCase();
  return (Object.keys(bytesOf) as (keyof typeof bytesOf)[]).find((u) => u.toLowerCase() === wanted);
}

/** Writes bytes the way {@linkcode parseSizeBytes} reads them, in the largest exact binary unit. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return "0";
  for (const unit of ["GiB", "MiB", "KiB"] as const) {
    if (bytes % bytesOf[unit] === 0) return `${bytes / bytesOf[unit]}${unit}`;
  }
  return `${bytes}`;
}
