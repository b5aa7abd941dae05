import { Rfc3164Parser } from "./syslog_3164.ts";
import { parse5424 } from "./syslog_5424.ts";
import { StampReader } from "./syslog_stamp.ts";

/** How a frame was read; `unparsed`: not at all, its content is the whole frame. */
export type SyslogForm = "rfc3164" | "rfc5424" | "unparsed";

/** The priority of a message without one: facility user, severity notice (RFC 3164, 4.3.3). */
export const DEFAULT_PRIORITY = 13;

/**
 * One parsed message, made to be used again for the next one. Fields are offsets into the bytes
 * that were parsed; -1 means absent. Text is not decoded, checked or copied here.
 */
export class SyslogMessage {
  form: SyslogForm = "unparsed";
  /** Why the frame is `unparsed`; empty otherwise. */
  problem = "";
  /** facility * 8 + severity, 0 to 191. */
  priority = DEFAULT_PRIORITY;
  facility = DEFAULT_PRIORITY >> 3;
  severity = DEFAULT_PRIORITY & 7;
  /** The sender's time in milliseconds since 1970; -1 when it gave none that could be read. */
  timestampMs = -1;
  hostStart = -1;
  hostEnd = -1;
  /** The program: TAG without pid in RFC 3164, APP-NAME in RFC 5424. */
  tagStart = -1;
  tagEnd = -1;
  /** The number in `name[123]:` of RFC 3164, PROCID in RFC 5424. */
  pidStart = -1;
  pidEnd = -1;
  /** MSGID in RFC 5424, the sequence number of Cisco's forms. */
  msgidStart = -1;
  msgidEnd = -1;
  /** STRUCTURED-DATA of RFC 5424, brackets included and of valid shape. */
  dataStart = -1;
  dataEnd = -1;
  contentStart = 0;
  contentEnd = 0;

  /** Makes everything absent but the priority, which is the default one. */
  clear(): void {
    this.form = "rfc3164";
    this.problem = "";
    this.setPriority(DEFAULT_PRIORITY);
    this.clearHeader();
    this.contentStart = this.contentEnd = 0;
  }

  setPriority(priority: number): void {
    this.priority = priority;
    this.facility = priority >> 3;
    this.severity = priority & 7;
  }

  /**
   * Makes this the message of a frame nobody can read: everything but the priority is absent, and
   * `[start, end)`, the whole frame, is the content. For later parts of an over-long message too.
   */
  setUnparsed(problem: string, start: number, end: number): void {
    this.clearHeader();
    this.form = "unparsed";
    this.problem = problem;
    this.contentStart = start;
    this.contentEnd = end;
  }

  private clearHeader(): void {
    this.timestampMs = -1;
    this.hostStart = this.hostEnd = -1;
    this.tagStart = this.tagEnd = -1;
    this.pidStart = this.pidEnd = -1;
    this.msgidStart = this.msgidEnd = -1;
    this.dataStart = this.dataEnd = -1;
  }
}

const SPACE = 32;
const ONE = 49;
const LESS_THAN = 60;
const GREATER_THAN = 62;

/**
 * Reads frames as RFC 5424 (after `<PRI>1 `) or RFC 3164 (all else).
 *
 * RFC 3164 describes what was found in the wild rather than a grammar, so nearly everything is a
 * message by it: what has no recognisable stamp is content. `unparsed` are only frames with nothing
 * behind the priority and frames that announce RFC 5424 and break its header.
 */
export class SyslogParser {
  readonly #stamps: StampReader;
  readonly #rfc3164: Rfc3164Parser;

  /**
   * @param options.timeZone zone of stamps that name none: an IANA name, `UTC` or `+02:00`.
   * @throws {SluiceError} `usage` when there is no such zone.
   */
  constructor(options: { timeZone: string }) {
    this.#stamps = new StampReader(options.timeZone);
    this.#rfc3164 = new Rfc3164Parser(this.#stamps);
  }

  /**
   * Reads `bytes[start, end)` into `into`; never throws.
   *
   * @param nowMs the time of receipt: a stamp without a year gets the one that brings it nearest.
   */
  parse(bytes: Uint8Array, start: number, end: number, nowMs: number, into: SyslogMessage): void {
    into.clear();
    if (start >= end) return into.setUnparsed("the frame is empty", start, end);
    const afterPriority = readPriority(bytes, start, end, into);
    if (afterPriority === start) {
      this.#rfc3164.parse(bytes, start, end, nowMs, false, into);
    } else if (afterPriority === end) {
      into.setUnparsed("nothing follows the priority", start, end);
    } else if (
      bytes[afterPriority] === ONE && afterPriority + 1 < end && bytes[afterPriority + 1] === SPACE
    ) {
      const problem = parse5424(bytes, afterPriority + 2, end, this.#stamps, into);
      if (problem !== "") into.setUnparsed(problem, start, end);
    } else {
      this.#rfc3164.parse(bytes, afterPriority, end, nowMs, true, into);
    }
  }
}

/** Reads `<0>` to `<191>`; returns the position behind it, or `start` when there is none. */
function readPriority(bytes: Uint8Array, start: number, end: number, into: SyslogMessage): number {
  if (bytes[start] !== LESS_THAN) return start;
  let priority = 0;
  let at = start + 1;
  for (; at < end && at <= start + 3; at++) {
    const digit = (bytes[at] as number) - 48;
    if (digit < 0 || digit > 9) break;
    priority = priority * 10 + digit;
  }
  if (at === start + 1 || at >= end || bytes[at] !== GREATER_THAN || priority > 191) return start;
  into.setPriority(priority);
  return at + 1;
}
