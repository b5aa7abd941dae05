import { usageError } from "../core/errors.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const SLOTS = 1024;

/**
 * The offsets of one time zone. Asks `Intl` once per minute of time looked at and remembers the
 * last 1,024 answers, as one `Intl` call costs more than parsing a message.
 */
export class TimeZone {
  readonly #fixedMs: number | undefined;
  readonly #format: Intl.DateTimeFormat | undefined;
  readonly #minutes = new Float64Array(SLOTS).fill(NaN);
  readonly #offsets = new Float64Array(SLOTS);

  /**
   * @param name an IANA name such as `Europe/London`, `UTC`, `Z`, or an offset such as `+02:00`.
   * @throws {SluiceError} `usage` when there is no such zone.
   */
  constructor(name: string) {
    this.#fixedMs = fixedOffsetMs(name);
    if (this.#fixedMs !== undefined) return;
    try {
      this.#format = new Intl.DateTimeFormat("en-US", {
        timeZone: name,
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
    } catch (cause) {
      throw usageError(
        `use time zone "${name}"`,
        "give an IANA name such as Europe/London, or UTC, or an offset such as +02:00",
        cause,
      );
    }
  }

  /** What to add to `utcMs` (milliseconds since 1970) for the time on this zone's clocks. */
  offsetMsAt(utcMs: number): number {
    if (this.#fixedMs !== undefined) return this.#fixedMs;
    const minute = Math.floor(utcMs / MINUTE_MS);
    const slot = minute & (SLOTS - 1);
    if (this.#minutes[slot] === minute) return this.#offsets[slot] as number;
    const offset = this.#ask(minute * MINUTE_MS);
    this.#minutes[slot] = minute;
    this.#offsets[slot] = offset;
    return offset;
  }

  /**
   * The moment at which clocks of this zone show `localMs` (as if it were UTC). A time that comes
   * twice is taken as the one nearer to `nowMs`; one that is skipped, as on a clock not yet moved.
   */
  utcMsOf(localMs: number, nowMs: number): number {
    if (this.#fixedMs !== undefined) return localMs - this.#fixedMs;
    const before = this.offsetMsAt(localMs - DAY_MS);
    const after = this.offsetMsAt(localMs + DAY_MS);
    const early = localMs - before;
    if (before === after) return early;
    const late = localMs - after;
    const earlyHolds = this.offsetMsAt(early) === before;
    const lateHolds = this.offsetMsAt(late) === after;
    if (earlyHolds && lateHolds) {
      return Math.abs(early - nowMs) <= Math.abs(late - nowMs) ? early : late;
    }
    return lateHolds ? late : early;
  }

  #ask(utcMs: number): number {
    if (this.#format === undefined) return 0;
    const field: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(utcMs)) field[type] = Number(value);
    const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = field;
    return Date.UTC(year, month - 1, day, hour, minute, second) - utcMs;
  }
}

function fixedOffsetMs(name: string): number | undefined {
  if (/^(utc|gmt|z)$/i.test(name)) return 0;
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(name);
  if (match === null || Number(match[2]) > 23 || Number(match[3]) > 59) return undefined;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return (match[1] === "-" ? -minutes : minutes) * MINUTE_MS;
}
