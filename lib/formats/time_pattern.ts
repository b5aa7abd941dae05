/** How to read a date or a time of a given pattern: an expression, and what its groups mean. */
export interface TimePattern {
  readonly expression: RegExp;
  readonly parts: readonly TimePart[];
}

type TimePart =
  | "year"
  | "shortYear"
  | "month"
  | "monthName"
  | "day"
  | "hour"
  | "hour12"
  | "minute"
  | "second"
  | "half";

const monthNames = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/** The elements of a pattern, longest first, each with the digits or letters that stand for it. */
const elements: readonly (readonly [name: string, part: TimePart, expression: string])[] = [
  ["YYYY", "year", "(\\d{4})"],
  ["YY", "shortYear", "(\\d{2})"],
  ["MONTH", "monthName", "([A-Za-z]{3,9})"],
  ["MON", "monthName", "([A-Za-z]{3})"],
  ["MM", "month", "(\\d{1,2})"],
  ["DD", "day", "(\\d{1,2})"],
  ["HH24", "hour", "(\\d{1,2})"],
  ["HH12", "hour12", "(\\d{1,2})"],
  ["HH", "hour", "(\\d{1,2})"],
  ["MI", "minute", "(\\d{1,2})"],
  // COPY takes a fraction wherever there are seconds (r_DATEFORMAT_and_TIMEFORMAT_strings).
  ["SS", "second", "(\\d{1,2}(?:\\.\\d{1,6})?)"],
  ["AM", "half", "([AaPp][Mm])"],
  ["PM", "half", "([AaPp][Mm])"],
];

/**
 * Reads a DATEFORMAT or TIMEFORMAT string ("DATEFORMAT and TIMEFORMAT strings" in Amazon's Redshift
 * Database Developer Guide): YYYY or YY, MM, MON or MONTH, DD, HH, HH24 or HH12, MI, SS, AM or PM.
 * Elements without a separator have all their digits: `YYYYMMDD`.
 *
 * @returns what is wrong with the pattern, as a text, when it cannot be read.
 */
export function readTimePattern(pattern: string): TimePattern | string {
  const parts: TimePart[] = [];
  let source = "";
  let at = 0;
  let isBehindElement = false;
  while (at < pattern.length) {
    const rest = pattern.slice(at).toUpperCase();
    const element = elements.find(([name]) => rest.startsWith(name));
    if (element) {
      const [name, part, expression] = element;
      if (parts.includes(part)) return `${name} stands twice`;
      parts.push(part);
      const next = pattern.slice(at + name.length);
      const isGlued = isBehindElement || elements.some(([n]) => next.toUpperCase().startsWith(n));
      source += isGlued ? expression.replace("\\d{1,2}", "\\d{2}") : expression;
      at += name.length;
      isBehindElement = true;
    } else if (/^T(?=HH)/.test(rest) || /^[^A-Z0-9]/.test(rest)) {
      source += (pattern[at] ?? "").replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
      at++;
      isBehindElement = false;
    } else {
      return `"${
        pattern.slice(at)
      }" is no element: give YYYY, MM, MON, DD, HH, HH24, HH12, MI, SS or AM`;
    }
  }
  const missing = missingPart(parts);
  if (missing) return `${missing} is missing`;
  return { expression: new RegExp(`^${source}$`), parts };
}

function missingPart(parts: readonly TimePart[]): string | undefined {
  if (!parts.includes("year") && !parts.includes("shortYear")) return "YYYY";
  if (!parts.includes("month") && !parts.includes("monthName")) return "MM";
  if (!parts.includes("day")) return "DD";
  if (parts.includes("hour12") && !parts.includes("half")) return "AM behind HH12";
  return undefined;
}

/**
 * Writes what a pattern reads as `YYYY-MM-DD` or, with `withTime`, `YYYY-MM-DD HH:MI:SS`; undefined when
 * the text does not follow the pattern. Whether the day exists is left to the server. Years of two
 * digits are those from 1970 to 2069, as PostgreSQL has it.
 */
export function isoOf(text: string, pattern: TimePattern, withTime: boolean): string | undefined {
  const match = pattern.expression.exec(text.trim());
  if (!match) return undefined;
  const value = (part: TimePart) => {
    const index = pattern.parts.indexOf(part);
    return index < 0 ? undefined : match[index + 1];
  };
  const year = value("year") ?? fullYear(value("shortYear") ?? "");
  const month = value("month") ?? monthNumber(value("monthName") ?? "");
  if (month === undefined) return undefined;
  const date = `${year}-${month.padStart(2, "0")}-${(value("day") ?? "").padStart(2, "0")}`;
  if (!withTime) return date;
  const hour = hourOf(value("hour"), value("hour12"), value("half"));
  const [seconds = "", fraction] = (value("second") ?? "0").split(".");
  const minute = (value("minute") ?? "0").padStart(2, "0");
  return `${date} ${hour}:${minute}:${seconds.padStart(2, "0")}${fraction ? `.${fraction}` : ""}`;
}

function fullYear(two: string): string {
  return `${Number(two) < 70 ? "20" : "19"}${two}`;
}

function monthNumber(name: string): string | undefined {
  const index = monthNames.indexOf(name.slice(0, 3).toLowerCase());
  return index < 0 ? undefined : String(index + 1);
}

function hourOf(
  hour: string | undefined,
  hour12: string | undefined,
  half: string | undefined,
): string {
  const number = Number(hour ?? hour12 ?? "0");
  const isAfternoon = half?.toUpperCase() === "PM";
  if (half !== undefined && number <= 12) {
    return String((number % 12) + (isAfternoon ? 12 : 0)).padStart(2, "0");
  }
  return String(number).padStart(2, "0");
}

/**
 * Seconds or milliseconds since 1970 as `YYYY-MM-DD HH:MI:SS.ffffff` in UTC; undefined when the text is
 * no number or lies outside of the years 1 to 9999.
 *
 * @param microseconds how many one unit is.
 */
export function epochToIso(text: string, microseconds: bigint): string | undefined {
  const match = /^([+-]?)(\d{1,18})(?:\.(\d{0,18}))?$/.exec(text.trim());
  if (!match) return undefined;
  const [, sign, whole = "0", fraction = ""] = match;
  const digits = BigInt(fraction.padEnd(18, "0")) * microseconds / 10n ** 18n;
  const sum = BigInt(whole) * microseconds + digits;
  const total = sign === "-" ? -sum : sum;
  // Downwards, so that what is left is never negative.
  const seconds = (total - ((total % 1_000_000n) + 1_000_000n) % 1_000_000n) / 1_000_000n;
  const micros = total - seconds * 1_000_000n;
  const date = new Date(Number(seconds) * 1000);
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) return undefined;
  const iso = date.toISOString().slice(0, 19).replace("T", " ");
  return micros === 0n ? iso : `${iso}.${String(micros).padStart(6, "0")}`;
}
