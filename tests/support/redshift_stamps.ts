import type { CopySwitches } from "./redshift_copy_clause.ts";

/** A value that cannot be loaded, with its code of "Load error reference". */
export class ValueFault extends Error {
  constructor(readonly code: number, message: string) {
    super(message);
  }
}

const months = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");

/** The parts of patterns ("DATEFORMAT and TIMEFORMAT strings", r_DATEFORMAT_and_TIMEFORMAT_strings). */
const parts: Readonly<Record<string, string>> = {
  YYYY: String.raw`(?<year>\d{4})`,
  YY: String.raw`(?<short>\d{2})`,
  MONTH: "(?<name>[A-Za-z]{3,})",
  MON: "(?<name>[A-Za-z]{3})",
  MM: String.raw`(?<month>\d{1,2})`,
  DD: String.raw`(?<day>\d{1,2})`,
  HH24: String.raw`(?<hour>\d{1,2})`,
  HH12: String.raw`(?<hour>\d{1,2})`,
  HH: String.raw`(?<hour>\d{1,2})`,
  MI: String.raw`(?<minute>\d{1,2})`,
  SS: String.raw`(?<second>\d{1,2})(?:\.(?<fraction>\d{1,6})\d*)?`,
  AM: "(?<half>[AaPp][Mm])",
  PM: "(?<half>[AaPp][Mm])",
  TZ: String.raw`(?<zone>Z|[A-Za-z]{3,}|[+-]\d{1,2}:?\d{0,2})?`,
  OF: String.raw`(?<zone>Z|[+-]\d{1,2}:?\d{0,2})?`,
};

const token = new RegExp(`${Object.keys(parts).join("|")}|[\\s\\S]`, "gi");

/** A date, time or timestamp as PostgreSQL reads it. */
export function readStamp(text: string, type: string, options: CopySwitches): string {
  if (type.startsWith("timestamp")) return timestamp(text, type, options.timeFormat);
  if (type === "date") {
    if (options.dateFormat === "auto") return text;
    const read = byPattern(text, options.dateFormat, /^\s*(?:00:00(?::00(?:\.0+)?)?)?$/);
    if (!read) throw new ValueFault(1205, "Invalid Date Format - length must be 10 or more");
    return read.date;
  }
  return text;
}

function timestamp(text: string, type: string, pattern: string): string {
  const scale = { epochsecs: 1000, epochmillisecs: 1 }[pattern.toLowerCase()];
  if (scale !== undefined) {
    const ms = Number(text) * scale;
    if (!Number.isFinite(ms)) {
      throw new ValueFault(1206, "Invalid timestamp format or value [epoch]");
    }
    return new Date(Math.round(ms)).toISOString().replace(/Z$/, "+00");
  }
  if (pattern === "auto") return text;
  const read = byPattern(text, pattern, /^(?:[+-]\d\d(?::?\d\d)?|Z)?$/) ??
    // A date alone is midnight.
    (pattern.startsWith("YYYY-MM-DD") ? byPattern(text, "YYYY-MM-DD", /^$/) : undefined);
  if (!read) {
    throw new ValueFault(1206, `Invalid timestamp format or value [${pattern}]`);
  }
  return `${read.date} ${read.time}${type.includes("without") ? "" : read.zone}`;
}

interface Stamp {
  readonly date: string;
  readonly time: string;
  readonly zone: string;
}

function byPattern(text: string, pattern: string, tail: RegExp): Stamp | undefined {
  const source = pattern.replace(
    token,
    (one) => parts[one.toUpperCase()] ?? one.replace(/[^A-Za-z0-9]/, "\\$&"),
  );
  const found = new RegExp(`^${source}(?<rest>[\\s\\S]*)$`).exec(text);
  const said = found?.groups;
  if (!said || !tail.test(said["rest"] ?? "")) return undefined;
  const short = said["short"];
  const year = short === undefined ? said["year"] : `${Number(short) < 70 ? "20" : "19"}${short}`;
  const month = said["name"] === undefined
    ? said["month"]
    : String(months.indexOf(said["name"].slice(0, 3).toUpperCase()) + 1);
  const day = said["day"] ?? "1";
  const date = `${year ?? "1970"}-${(month ?? "1").padStart(2, "0")}-${day.padStart(2, "0")}`;
  const at = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== date) return undefined;
  const half = said["half"]?.toUpperCase();
  const hour = Number(said["hour"] ?? 0) % (half ? 12 : 25) + (half === "PM" ? 12 : 0);
  const [minute, second] = [Number(said["minute"] ?? 0), Number(said["second"] ?? 0)];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const clock = [hour, minute, second].map((one) => String(one).padStart(2, "0")).join(":");
  const fraction = said["fraction"] === undefined ? "" : `.${said["fraction"]}`;
  return { date, time: `${clock}${fraction}`, zone: said["zone"] ?? said["rest"] ?? "" };
}
