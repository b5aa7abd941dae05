import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { jsonBytesMost, SyslogJson } from "../../lib/formats/syslog_json.ts";
import { SyslogMessage, SyslogParser } from "../../lib/formats/syslog_message.ts";

/** When the tests' messages are received. */
export const NOW_MS = Date.UTC(2026, 10, 23, 20, 31);

const GUARD = 8;
const parser = new SyslogParser({ timeZone: "UTC" });
const json = new SyslogJson();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Bytes as one character each, so that any frame can be written and compared as a string. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The opposite of {@linkcode bytesOf}. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/**
 * Parses one line (a character per byte) and gives its fields as text, absent ones undefined.
 *
 * @param options.after a line parsed with the same objects before.
 * @param options.within bytes that stand before and behind the line in the same array.
 */
export function readFields(
  line: string,
  options: { after?: string; within?: [string, string]; timeZone?: string; nowMs?: number } = {},
) {
  const { timeZone = "UTC", nowMs = NOW_MS, within: [before, behind] = ["", ""] } = options;
  const parser = new SyslogParser({ timeZone });
  const message = new SyslogMessage();
  if (options.after !== undefined) {
    parser.parse(bytesOf(options.after), 0, options.after.length, nowMs, message);
  }
  const bytes = bytesOf(before + line + behind);
  parser.parse(bytes, before.length, before.length + line.length, nowMs, message);
  const field = (start: number, end: number) =>
    start < 0 ? undefined : textOf(bytes.subarray(start, end));
  return {
    form: message.form,
    problem: message.problem,
    priority: message.priority,
    facility: message.facility,
    severity: message.severity,
    time: message.timestampMs < 0 ? undefined : new Date(message.timestampMs).toISOString(),
    host: field(message.hostStart, message.hostEnd),
    tag: field(message.tagStart, message.tagEnd),
    pid: field(message.pidStart, message.pidEnd),
    msgid: field(message.msgidStart, message.msgidEnd),
    data: field(message.dataStart, message.dataEnd),
    content: field(message.contentStart, message.contentEnd),
  };
}

/**
 * Parses a line as {@linkcode readFields} does, encodes it behind some other bytes, and gives the
 * JSON text; fails when bytes outside the room asked for were touched.
 */
export function encodeLine(line: string, options: { peer?: string; nowMs?: number } = {}): string {
  const { peer = "peer", nowMs = NOW_MS } = options;
  const bytes = bytesOf(line);
  const message = new SyslogMessage();
  parser.parse(bytes, 0, bytes.length, nowMs, message);
  const most = jsonBytesMost(bytes.length, peer.length);
  const out = new Uint8Array(GUARD + most + GUARD).fill(0x2e);
  const room = out.subarray(GUARD, GUARD + most);
  const view = out.subarray(1);
  const at = GUARD - 1;
  const end = json.encode(message, bytes, 0, bytes.length, nowMs, bytesOf(peer), view, at);
  assert.ok(end - at <= most, `${end - at} bytes were written, ${most} announced`);
  for (const guard of [out.subarray(0, GUARD), out.subarray(GUARD + most)]) {
    assert.ok(guard.every((byte) => byte === 0x2e), "bytes outside the room were touched");
  }
  return decoder.decode(room.subarray(0, end - at));
}

/** The text of the message in JSON as bytes again: what `charset` says it was. */
export function bytesOfText(value: { charset?: string }, text: string): string {
  return value.charset === "iso-8859-1" ? text : textOf(new TextEncoder().encode(text));
}
