import { daysInMonth, daysSince1970 } from "./calendar.ts";
import { TimeZone } from "./time_zone.ts";

const SPACE = 32;
const PLUS = 43;
const COMMA = 44;
const HYPHEN = 45;
const DOT = 46;
const COLON = 58;

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** 10000-01-01: the first moment RFC 3339 cannot write. */
const END_OF_TIME_MS = 253_402_300_800_000;

/** The length of `Nov 23 20:30:00`, the stamp most senders use. */
const PLAIN_LENGTH = 15;

/** The length of `2026-11-23T20:30:00`. */
const ISO_LENGTH = 19;

/**
 * Reads the stamps found in syslog messages. Each method takes `bytes[start, end)`, returns the
 * position behind the stamp or -1 when there is none, and leaves the time in {@linkcode ms}.
 */
export class StampReader {
  /** The time of the stamp read last, milliseconds since 1970. */
  ms = -1;
  readonly #zone: TimeZone;
  /** The plain stamp read last, with its time and the second in which it was read. */
  readonly #plain = new Uint8Array(PLAIN_LENGTH);
  #plainMs = -1;
  #plainSecond = -1;
  /** The ISO stamp read last up to its seconds, and that time on a clock of UTC. */
  readonly #iso = new Uint8Array(ISO_LENGTH);
  #isoMs = -1;
  // Fields under way; members, so that reading a stamp makes no object.
  #at = 0;
  #number = 0;
  #year = -1;
  #month = 0;
  #day = 0;
  #timeMs = 0;
  #fractionMs = 0;
  #offsetMs = 0;
  #hasOffset = false;

  /** @throws {SluiceError} `usage` when there is no zone `timeZone`; see {@linkcode TimeZone}. */
  constructor(timeZone: string) {
    this.#zone = new TimeZone(timeZone);
  }

  /**
   * `Nov 23 20:30:00` with one-digit days, one or two blanks, fractions of seconds, and a year
   * before or behind the time (`Nov 23 2026 20:30:00`, `2026 Nov 23 20:30:00`). Without a year the
   * one that brings the stamp nearest to `nowMs` is meant.
   */
  readBsd(bytes: Uint8Array, start: number, end: number, nowMs: number): number {
    const plainEnd = start + PLAIN_LENGTH;
    const second = Math.floor(nowMs / SECOND_MS);
    const plain = plainEnd < end && bytes[plainEnd] === SPACE &&
      !isYearAt(bytes, plainEnd + 1, end) && !isNamedZoneAt(bytes, plainEnd, end);
    if (plain && second === this.#plainSecond && startsWith(bytes, start, this.#plain)) {
      this.ms = this.#plainMs;
      return plainEnd;
    }
    this.#at = start;
    if (!this.#readBsdFields(bytes, end)) return -1;
    if (!this.#finish(this.#localMs(nowMs), nowMs)) return -1;
    if (plain && this.#at === plainEnd) {
      copyStart(bytes, start, this.#plain);
      this.#plainMs = this.ms;
      this.#plainSecond = second;
    }
    return this.#at;
  }

  /** `2026-11-23T20:30:00.123456Z`, `+01:00`, `+0100`; a space for the T, no zone: the default. */
  readIso(bytes: Uint8Array, start: number, end: number, nowMs: number): number {
    this.#hasOffset = false;
    if (start + ISO_LENGTH <= end && startsWith(bytes, start, this.#iso)) {
      this.#at = start + ISO_LENGTH;
    } else {
      this.#at = start;
      if (!this.#readIsoFields(bytes, end)) return -1;
      const localMs = this.#localMs(nowMs);
      if (Number.isNaN(localMs)) return -1;
      this.#isoMs = localMs;
      if (this.#at === start + ISO_LENGTH) copyStart(bytes, start, this.#iso);
      else this.#iso[0] = 0;
    }
    if (!this.#readFraction(bytes, end) || !this.#readOffset(bytes, end)) return -1;
    return this.#finish(this.#isoMs, nowMs) ? this.#at : -1;
  }

  /** A stamp as RFC 5424 wants it (RFC 3339): {@linkcode readIso} with T and a zone. */
  readInternet(bytes: Uint8Array, start: number, end: number): number {
    const at = this.readIso(bytes, start, end, 0);
    return this.#hasOffset && bytes[start + 10] !== SPACE ? at : -1;
  }

  #readBsdFields(bytes: Uint8Array, end: number): boolean {
    this.#hasOffset = false;
    this.#year = -1;
    if (isYearAt(bytes, this.#at, end)) this.#readYear(bytes, end);
    this.#month = monthAt(bytes, this.#at, end);
    if (this.#month === 0) return false;
    this.#at += 3;
    if (!this.#skip(bytes, SPACE, end)) return false;
    this.#skip(bytes, SPACE, end);
    if (!this.#digits(bytes, end, 1, 2) || !this.#skip(bytes, SPACE, end)) return false;
    this.#day = this.#number;
    if (this.#year < 0 && isYearAt(bytes, this.#at, end)) this.#readYear(bytes, end);
    if (!this.#readTime(bytes, end) || !this.#readFraction(bytes, end)) return false;
    if (this.#year < 0 && bytes[this.#at] === SPACE && isYearAt(bytes, this.#at + 1, end)) {
      this.#at += 1;
      this.#readYear(bytes, end);
      this.#at -= 1;
    }
    this.#readNamedZone(bytes, end);
    return true;
  }

  #readIsoFields(bytes: Uint8Array, end: number): boolean {
    if (!this.#digits(bytes, end, 4, 4) || !this.#skip(bytes, HYPHEN, end)) return false;
    this.#year = this.#number;
    if (!this.#digits(bytes, end, 2, 2) || !this.#skip(bytes, HYPHEN, end)) return false;
    this.#month = this.#number;
    if (!this.#digits(bytes, end, 2, 2) || this.#at >= end) return false;
    this.#day = this.#number;
    const between = bytes[this.#at++] as number;
    if (between !== SPACE && (between | 32) !== 0x74) return false;
    return this.#readTime(bytes, end);
  }

  /** `20:30:00`, with a 60th second for leap seconds. */
  #readTime(bytes: Uint8Array, end: number): boolean {
    if (!this.#digits(bytes, end, 1, 2) || this.#number > 23) return false;
    let ms = this.#number * HOUR_MS;
    if (!this.#skip(bytes, COLON, end) || !this.#digits(bytes, end, 2, 2)) return false;
    if (this.#number > 59) return false;
    ms += this.#number * MINUTE_MS;
    if (!this.#skip(bytes, COLON, end) || !this.#digits(bytes, end, 2, 2)) return false;
    if (this.#number > 60) return false;
    this.#timeMs = ms + this.#number * SECOND_MS;
    return true;
  }

  /** A fraction of one to nine digits, or none. */
  #readFraction(bytes: Uint8Array, end: number): boolean {
    this.#fractionMs = 0;
    if (!this.#skip(bytes, DOT, end) && !this.#skip(bytes, COMMA, end)) return true;
    const from = this.#at;
    if (!this.#digits(bytes, end, 1, 9)) return false;
    this.#fractionMs = Math.floor(this.#number * 1_000 / (tenTo[this.#at - from] as number));
    return true;
  }

  /** `Z`, `+01:00` or `+0100`; nothing is the default zone. */
  #readOffset(bytes: Uint8Array, end: number): boolean {
    const sign = this.#at < end ? bytes[this.#at] as number : SPACE;
    if ((sign | 32) === 0x7a) {
      this.#at++;
      this.#offsetMs = 0;
      this.#hasOffset = true;
    } else if (sign === PLUS || sign === HYPHEN) {
      this.#at++;
      if (!this.#digits(bytes, end, 2, 2) || this.#number > 23) return false;
      const ms = this.#number * HOUR_MS;
      this.#skip(bytes, COLON, end);
      if (!this.#digits(bytes, end, 2, 2) || this.#number > 59) return false;
      this.#offsetMs = (ms + this.#number * MINUTE_MS) * (sign === HYPHEN ? -1 : 1);
      this.#hasOffset = true;
    }
    return true;
  }

  /** ` UTC` or ` GMT` behind a stamp; other abbreviations mean different zones to different people. */
  #readNamedZone(bytes: Uint8Array, end: number): void {
    if (!isNamedZoneAt(bytes, this.#at, end)) return;
    this.#at += 4;
    this.#offsetMs = 0;
    this.#hasOffset = true;
  }

  /** The time of the fields as if on a clock of UTC, without fraction; NaN if there is no such day. */
  #localMs(nowMs: number): number {
    if (this.#month < 1 || this.#month > 12 || this.#day < 1) return NaN;
    const year = this.#year < 0
      ? this.#nearestYear(nowMs + this.#zone.offsetMsAt(nowMs))
      : this.#year;
    if (year < 0 || this.#day > daysInMonth(year, this.#month)) return NaN;
    return daysSince1970(year, this.#month, this.#day) * DAY_MS + this.#timeMs;
  }

  /** Makes {@linkcode ms} of a clock's time, its fraction and zone; false when out of range or NaN. */
  #finish(localMs: number, nowMs: number): boolean {
    if (Number.isNaN(localMs)) return false;
    const utcMs = this.#hasOffset ? localMs - this.#offsetMs : this.#zone.utcMsOf(localMs, nowMs);
    const ms = utcMs + this.#fractionMs;
    if (ms < 0 || ms >= END_OF_TIME_MS) return false;
    this.ms = ms;
    return true;
  }

  /** The year that brings month, day and time nearest to now; -1 if no year has such a day. */
  #nearestYear(nowLocalMs: number): number {
    const thisYear = new Date(nowLocalMs).getUTCFullYear();
    let best = -1;
    let bestDistance = Infinity;
    // Eight years from 29 February to the next, around 2100.
    const reach = this.#month === 2 && this.#day === 29 ? 8 : 1;
    for (let year = thisYear - reach; year <= thisYear + reach; year++) {
      if (this.#day > daysInMonth(year, this.#month)) continue;
      const ms = daysSince1970(year, this.#month, this.#day) * DAY_MS + this.#timeMs;
      const distance = Math.abs(ms - nowLocalMs);
      if (ms < 0 || distance >= bestDistance) continue;
      best = year;
      bestDistance = distance;
    }
    return best;
  }

  #readYear(bytes: Uint8Array, end: number): void {
    this.#digits(bytes, end, 4, 4);
    this.#year = this.#number;
    this.#at++;
  }

  #skip(bytes: Uint8Array, byte: number, end: number): boolean {
    if (this.#at >= end || bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  #digits(bytes: Uint8Array, end: number, least: number, most: number): boolean {
    const from = this.#at;
    const to = Math.min(end, from + most);
    let at = from;
    let number = 0;
    for (; at < to; at++) {
      const digit = (bytes[at] as number) - 48;
      if (digit < 0 || digit > 9) break;
      number = number * 10 + digit;
    }
    this.#at = at;
    this.#number = number;
    return at - from >= least;
  }
}

const tenTo = Float64Array.from({ length: 10 }, (_, digits) => 10 ** digits);

/** Three letters, in lower case, as one number. */
function word3(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) | 32) << 16 | ((bytes[at + 1] as number) | 32) << 8 |
    ((bytes[at + 2] as number) | 32);
}

function word3Of(name: string): number {
  return word3(new TextEncoder().encode(name), 0);
}

const UTC = word3Of("utc");
const GMT = word3Of("gmt");
const monthWords = Int32Array.from(
  ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  word3Of,
);

/** The month, 1 to 12, whose three letters are at `at`; 0 if none. */
function monthAt(bytes: Uint8Array, at: number, end: number): number {
  return at + 3 > end ? 0 : monthWords.indexOf(word3(bytes, at)) + 1;
}

/** Whether a year from 1970 to 2099 and a space are at `at`. */
function isYearAt(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + 5 > end || bytes[at + 4] !== SPACE) return false;
  const century = ((bytes[at] as number) - 48) * 10 + (bytes[at + 1] as number) - 48;
  const tens = (bytes[at + 2] as number) - 48;
  const ones = (bytes[at + 3] as number) - 48;
  if (tens < 0 || tens > 9 || ones < 0 || ones > 9) return false;
  return century === 20 || (century === 19 && tens >= 7);
}

/** Whether ` UTC` or ` GMT` and the end of a word are at `at`. */
function isNamedZoneAt(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + 4 > end || bytes[at] !== SPACE) return false;
  const name = word3(bytes, at + 1);
  if (name !== UTC && name !== GMT) return false;
  return at + 4 === end || bytes[at + 4] === SPACE || bytes[at + 4] === COLON;
}

function startsWith(bytes: Uint8Array, start: number, wanted: Uint8Array): boolean {
  for (let i = wanted.length - 1; i >= 0; i--) {
    if (bytes[start + i] !== wanted[i]) return false;
  }
  return true;
}

function copyStart(bytes: Uint8Array, start: number, into: Uint8Array): void {
  for (let i = 0; i < into.length; i++) into[i] = bytes[start + i] as number;
}
