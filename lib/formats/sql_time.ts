const date = /^(\d{4,6})-(\d\d)-(\d\d)$/;
const stamp =
  /^(\d{4,6}-\d\d-\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?$/;

const dayMs = 86_400_000;

/**
 * Reads a DATE as PostgreSQL writes it in its ISO style.
 *
 * @returns days since 1970-01-01; undefined for what is none: infinity, years before Christ.
 */
export function daysOf(text: string): number | undefined {
  const [, year, month, day] = date.exec(text) ?? [];
  if (year === undefined) return undefined;
  const days = Date.UTC(Number(year), Number(month) - 1, Number(day)) / dayMs;
  // Date.UTC takes the years up to 99 for those of the 20th century.
  return Number(year) > 99 && Number.isInteger(days) ? days : undefined;
}

/**
 * Reads a TIMESTAMP, with or without the zone of TIMESTAMPTZ, as PostgreSQL writes it in its ISO style.
 *
 * @returns microseconds since 1970-01-01 (UTC when there is a zone); undefined for what is none:
 *   infinity, years before Christ.
 */
export function microsecondsOf(text: string): bigint | undefined {
  const [, day = "", hours, minutes, seconds, fraction = "", sign, zoneHours, ...rest] =
    stamp.exec(text) ?? [];
  const days = daysOf(day);
  if (days === undefined) return undefined;
  const clock = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  const zone = Number(zoneHours ?? 0) * 3600 + Number(rest[0] ?? 0) * 60 + Number(rest[1] ?? 0);
  const utc = days * 86_400 + clock - (sign === "-" ? -zone : zone);
  return BigInt(utc) * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
}
