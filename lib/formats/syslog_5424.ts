import { StructuredData } from "./structured_data.ts";
import type { SyslogMessage } from "./syslog_message.ts";
import type { StampReader } from "./syslog_stamp.ts";

const SPACE = 32;
const HYPHEN = 45;
const OPEN = 91;

/** Scratch for checking shapes: parsing never pauses, so one is enough. */
const structuredData = new StructuredData();

/**
 * Reads what follows `<PRI>1 ` of an RFC 5424 message: six fields, structured data and content.
 *
 * Lengths of fields are not limited as the RFC does, and their bytes need not be ASCII: real
 * senders exceed both, and nothing is gained by refusing them.
 *
 * @returns what is wrong with the header; empty when it is sound.
 */
export function parse5424(
  bytes: Uint8Array,
  start: number,
  end: number,
  stamps: StampReader,
  into: SyslogMessage,
): string {
  into.form = "rfc5424";
  let at = fieldEnd(bytes, start, end);
  if (at < 0) return "the RFC 5424 timestamp is missing";
  if (!isNil(bytes, start, at)) {
    if (stamps.readInternet(bytes, start, at) !== at) return "the RFC 5424 timestamp is malformed";
    into.timestampMs = stamps.ms;
  }

  const host = at + 1;
  if ((at = fieldEnd(bytes, host, end)) < 0) return "the RFC 5424 hostname is missing";
  if (!isNil(bytes, host, at)) {
    into.hostStart = host;
    into.hostEnd = at;
  }
  const app = at + 1;
  if ((at = fieldEnd(bytes, app, end)) < 0) return "the RFC 5424 app-name is missing";
  if (!isNil(bytes, app, at)) {
    into.tagStart = app;
    into.tagEnd = at;
  }
  const pid = at + 1;
  if ((at = fieldEnd(bytes, pid, end)) < 0) return "the RFC 5424 procid is missing";
  if (!isNil(bytes, pid, at)) {
    into.pidStart = pid;
    into.pidEnd = at;
  }
  const msgid = at + 1;
  if ((at = fieldEnd(bytes, msgid, end)) < 0) return "the RFC 5424 msgid is missing";
  if (!isNil(bytes, msgid, at)) {
    into.msgidStart = msgid;
    into.msgidEnd = at;
  }
  return parseBody(bytes, at + 1, end, into);
}

function parseBody(bytes: Uint8Array, start: number, end: number, into: SyslogMessage): string {
  let at = start + 1;
  if (start >= end) return "the RFC 5424 structured data is missing";
  if (bytes[start] === OPEN) {
    at = structuredData.scan(bytes, start, end);
    if (at < 0) return "the RFC 5424 structured data is malformed";
    into.dataStart = start;
    into.dataEnd = at;
  } else if (bytes[start] !== HYPHEN) {
    return "the RFC 5424 structured data is malformed";
  }
  if (at < end && bytes[at] !== SPACE) return "the RFC 5424 structured data is malformed";
  into.contentStart = at < end ? skipByteOrderMark(bytes, at + 1, end) : end;
  into.contentEnd = end;
  return "";
}

/** The end of a field of at least one byte that is followed by a space; -1 if there is none. */
function fieldEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] as number) > SPACE) at++;
  return at > start && at < end && bytes[at] === SPACE ? at : -1;
}

function isNil(bytes: Uint8Array, start: number, end: number): boolean {
  return end === start + 1 && bytes[start] === HYPHEN;
}

function skipByteOrderMark(bytes: Uint8Array, start: number, end: number): number {
  const marked = start + 3 <= end && bytes[start] === 0xef && bytes[start + 1] === 0xbb &&
    bytes[start + 2] === 0xbf;
  return marked ? start + 3 : start;
}
