import { usageError } from "../lib/core/errors.ts";
import { number, type Option } from "../lib/core/options.ts";

interface Given {
  readonly help: string;
}

/** An offset; absent unless given. */
export function offset(given: Given): Option<bigint | undefined> {
  return absent("OFFSET", given, (written) => {
    if (/^\d{1,18}$/.test(written)) return BigInt(written);
    throw usageError(`read offset "${written}"`, "give a whole number, 0 or more");
  });
}

const isoDate = String.raw`(\d{4}-\d{2}-\d{2})`;
const isoTime = String.raw`T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})`;
const isoForm = new RegExp(`^${isoDate}(?:${isoTime})?$`);

/** A moment, milliseconds since 1970-01-01 UTC; absent unless given. */
export function moment(given: Given): Option<number | undefined> {
  return absent("TIME", given, (written) => {
    if (/^\d{1,15}$/.test(written)) return Number(written);
    const date = isoForm.exec(written)?.[1];
    const ms = date === undefined ? NaN : Date.parse(written);
    // Date.parse() takes the 31st of June for the 1st of July.
    const isDay = date !== undefined && new Date(date).toJSON()?.startsWith(date);
    if (isDay && !Number.isNaN(ms)) return ms;
    throw usageError(
      `read time "${written}"`,
      "give milliseconds since 1970, 2026-01-31 (its beginning, UTC), or ISO 8601 with a zone: " +
        "2026-01-31T20:15:00Z, 2026-01-31T21:15:00+01:00",
    );
  });
}

/** Records in a second, `500` or `500/s`; no limit unless given. */
export function rate(given: Given): Option<number | undefined> {
  const perSecond = number({ ...given, fallback: 1, least: 1, most: 1e9 });
  return absent("N/s", given, (written) => perSecond.read(written.replace(/\/s$/, "")));
}

function absent<T>(
  placeholder: string,
  { help }: Given,
  read: (written: string) => T,
): Option<T | undefined> {
  return { kind: "value", placeholder, help, fallback: undefined, fallbackText: "", read };
}
