import type { SyslogMessage } from "./syslog_message.ts";
import type { StampReader } from "./syslog_stamp.ts";

const SPACE = 32;
const PERCENT = 37;
const ASTERISK = 42;
const DOT = 46;
const COLON = 58;
const OPEN = 91;
const CLOSE = 93;

const HOST = 1;
const TAG = 2;
const UPPER = 4;
const DIGIT = 8;
const LETTER = 16;

const classes = new Uint8Array(256);
mark("abcdefghijklmnopqrstuvwxyz", HOST | TAG | LETTER);
mark("ABCDEFGHIJKLMNOPQRSTUVWXYZ", HOST | TAG | LETTER | UPPER);
mark("0123456789", HOST | TAG | DIGIT);
mark("._-/%", HOST | TAG);
mark(":@", HOST);
mark("@#+~()$!*", TAG);

function mark(characters: string, bits: number): void {
  for (const character of characters) {
    classes[character.charCodeAt(0)] = (classes[character.charCodeAt(0)] ?? 0) | bits;
  }
}

/**
 * Reads what real senders call RFC 3164: `[stamp [host]] [tag[[pid]]:] content`, and Cisco's forms
 * `[sequence: ][host: ][*|.]stamp[ zone]: %TAG: content`.
 *
 * - A stamp is one {@linkcode StampReader} reads, followed by a space, a colon or nothing.
 * - A host is the word behind the stamp, unless a colon or `[` shows it to be the tag already (a
 *   local sender that leaves the host out) or it holds what no host name does.
 * - Without a stamp there is no host, and a tag only if it is a word and a colon (and there was a
 *   priority): all else is content, down to the last byte.
 */
export class Rfc3164Parser {
  readonly #stamps: StampReader;

  constructor(stamps: StampReader) {
    this.#stamps = stamps;
  }

  /** Reads `bytes[start, end)`, what is behind the priority if there was one. */
  parse(
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
    hadPriority: boolean,
    into: SyslogMessage,
  ): void {
    into.contentEnd = end;
    const from = bytes[start] === SPACE ? start + 1 : start;
    let at = this.#readStamp(bytes, from, end, nowMs);
    if (at < 0 && hadPriority) at = this.#readCisco(bytes, from, end, nowMs, into);
    if (at < 0) {
      if (hadPriority && readTag(bytes, start, end, true, into)) return;
      into.contentStart = start;
      return;
    }
    into.timestampMs = this.#stamps.ms;
    at = afterZone(bytes, at, end);
    if (at < end && bytes[at] === COLON) at++;
    else if (into.hostStart < 0) at = readHost(bytes, at, end, into);
    if (at < end && bytes[at] === SPACE) at++;
    if (!readTag(bytes, at, end, false, into)) into.contentStart = at;
  }

  /** The position behind a stamp that ends where a word ends, or -1. */
  #readStamp(bytes: Uint8Array, start: number, end: number, nowMs: number): number {
    if (start + 14 > end) return -1;
    const byteClass = classes[bytes[start] as number] as number;
    let at = -1;
    if ((byteClass & LETTER) !== 0) {
      at = this.#stamps.readBsd(bytes, start, end, nowMs);
    } else if ((byteClass & DIGIT) !== 0) {
      at = bytes[start + 4] === SPACE
        ? this.#stamps.readBsd(bytes, start, end, nowMs)
        : this.#stamps.readIso(bytes, start, end, nowMs);
    }
    if (at < 0 || at === end) return at;
    return bytes[at] === SPACE || bytes[at] === COLON ? at : -1;
  }

  /** Cisco's prefixes before the stamp; the position behind the stamp, or -1. */
  #readCisco(
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
    into: SyslogMessage,
  ): number {
    let at = start;
    while (at < end && ((classes[bytes[at] as number] as number) & DIGIT) !== 0) at++;
    const sequenceEnd = at;
    at = afterColon(bytes, at, end);
    if (at < 0) at = start;
    const marked = skipMark(bytes, at, end);
    let stampEnd = this.#readStamp(bytes, marked, end, nowMs);
    let hostEnd = -1;
    if (stampEnd < 0) {
      hostEnd = at;
      while (hostEnd < end && isHostByte(bytes[hostEnd])) hostEnd++;
      if (hostEnd === at || bytes[hostEnd - 1] !== COLON) return -1;
      hostEnd--;
      const behind = afterColon(bytes, hostEnd, end);
      if (behind < 0 || hostEnd === at) return -1;
      stampEnd = this.#readStamp(bytes, skipMark(bytes, behind, end), end, nowMs);
    }
    if (stampEnd < 0) return -1;
    if (hostEnd > 0) {
      into.hostStart = at;
      into.hostEnd = hostEnd;
    }
    if (at > start && sequenceEnd > start) {
      into.msgidStart = start;
      into.msgidEnd = sequenceEnd;
    }
    return stampEnd;
  }
}

function isHostByte(byte: number | undefined): boolean {
  return byte !== undefined && ((classes[byte] as number) & HOST) !== 0;
}

/** Cisco's mark of a clock that is not set (`*`) or not in step (`.`). */
function skipMark(bytes: Uint8Array, at: number, end: number): number {
  return at < end && (bytes[at] === ASTERISK || bytes[at] === DOT) ? at + 1 : at;
}

/** Behind `: ` at `at`, or -1. */
function afterColon(bytes: Uint8Array, at: number, end: number): number {
  return at + 1 < end && bytes[at] === COLON && bytes[at + 1] === SPACE ? at + 2 : -1;
}

/**
 * Behind ` CET` in ` CET: %SYS-5-…`, as Cisco writes it; otherwise `start`. The letters do not say
 * which zone is meant (IST is three), so the configured one stays in force.
 */
function afterZone(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] !== SPACE) return start;
  let at = start + 1;
  while (at < end && at < start + 6 && ((classes[bytes[at] as number] as number) & UPPER) !== 0) {
    at++;
  }
  if (at < start + 3 || at + 2 >= end) return start;
  return bytes[at] === COLON && bytes[at + 1] === SPACE && bytes[at + 2] === PERCENT ? at : start;
}

/** Reads a host behind the stamp's space; returns the position of what follows. */
function readHost(bytes: Uint8Array, start: number, end: number, into: SyslogMessage): number {
  if (bytes[start] !== SPACE) return start;
  let from = start + 1;
  while (from < end && bytes[from] === SPACE) from++;
  let at = from;
  if (bytes[at] === OPEN) at++;
  while (at < end && ((classes[bytes[at] as number] as number) & HOST) !== 0) at++;
  if (at > from + 1 && bytes[from] === OPEN && bytes[at] === CLOSE) at++;
  if (at === from || (at < end && bytes[at] !== SPACE) || bytes[at - 1] === COLON) return start;
  if (bytes[from] === OPEN && bytes[at - 1] !== CLOSE) return start;
  into.hostStart = from;
  into.hostEnd = at;
  // Cisco ASA: "host : %ASA-6-302013: ..."
  return at + 2 < end && bytes[at + 1] === COLON && bytes[at + 2] === SPACE ? at + 2 : at;
}

/**
 * Reads `name[pid]: ` or `name: ` and lets the content begin behind it; in a message with a header
 * (`strict` false) the word alone is a tag too, and no space need follow the colon.
 */
function readTag(
  bytes: Uint8Array,
  start: number,
  end: number,
  strict: boolean,
  into: SyslogMessage,
): boolean {
  let at = start;
  while (at < end && ((classes[bytes[at] as number] as number) & TAG) !== 0) at++;
  if (at === start) return false;
  const tagEnd = at;
  let pidEnd = -1;
  if (at < end && bytes[at] === OPEN) {
    pidEnd = ++at;
    while (pidEnd < end && isPidByte(bytes[pidEnd] as number)) pidEnd++;
    if (pidEnd >= end || bytes[pidEnd] !== CLOSE) return false;
    at = pidEnd + 1;
  }
  const colon = at < end && bytes[at] === COLON;
  const behind = colon ? at + 1 : at;
  const wordEnds = behind >= end || bytes[behind] === SPACE;
  if (strict ? !(colon && wordEnds) : !(colon || wordEnds)) return false;
  into.tagStart = start;
  into.tagEnd = tagEnd;
  if (pidEnd >= 0) {
    into.pidStart = tagEnd + 1;
    into.pidEnd = pidEnd;
  }
  into.contentStart = behind < end && bytes[behind] === SPACE ? behind + 1 : behind;
  return true;
}

function isPidByte(byte: number): boolean {
  return byte > SPACE && byte !== OPEN && byte !== CLOSE && byte < 127;
}
