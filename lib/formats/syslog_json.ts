import { JSON_BYTES_PER_BYTE, put, putLatin1, putUtf8 } from "./json_text.ts";
import { StructuredData } from "./structured_data.ts";
import type { SyslogMessage } from "./syslog_message.ts";

const encoder = new TextEncoder();

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN = 91;
const BACKSLASH = 92;
const CLOSE = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

const beforeTag = encoder.encode('","tag":"');
const beforeContent = encoder.encode('","content":"');
const beforePid = encoder.encode(',"pid":"');
const beforeMsgid = encoder.encode(',"msgid":"');
const beforeData = encoder.encode(',"structured_data":');
const beforeProblem = encoder.encode(',"problem":');
const latin1Charset = encoder.encode(',"charset":"iso-8859-1"');
const beforeHostname = encoder.encode('Z","hostname":"');

/** `","priority":13,"facility":1,"severity":5` for each of the 192 priorities. */
const priorities = Array.from(
  { length: 192 },
  (_, n) => encoder.encode(`","priority":${n},"facility":${n >> 3},"severity":${n & 7}`),
);

const PROBLEM_CHARACTERS_MOST = 128;

/** Room for the constant pieces, every key present, and the longest problem. */
const FIXED_BYTES_MOST = 512 + JSON_BYTES_PER_BYTE * PROBLEM_CHARACTERS_MOST;

/** The most bytes {@linkcode SyslogJson.encode} writes for a frame and a peer name of these sizes. */
export function jsonBytesMost(frameBytes: number, peerNameBytes: number): number {
  return FIXED_BYTES_MOST + JSON_BYTES_PER_BYTE * frameBytes + peerNameBytes;
}

/**
 * Writes messages as JSON objects, bytes to bytes:
 *
 * `timestamp` (RFC 3339, UTC, milliseconds), `hostname`, `tag`, `content`, `priority`, `facility`,
 * `severity`, and where present `pid`, `msgid`, `structured_data` (an object of objects; a parameter
 * that comes several times is an array), `problem` and `charset`.
 *
 * Text that is not UTF-8 is lost to no reader: then every byte of all the message's text is one
 * code point (ISO 8859-1) and `charset` says so.
 */
export class SyslogJson {
  readonly #head = new Head();
  readonly #data = new StructuredData();
  #latin1 = false;
  #invalid = false;
  #problem = "";
  #problemJson = new Uint8Array(0);

  /**
   * Writes the message parsed from `bytes[start, end)` to `out` at `at` and returns its end there.
   *
   * @param nowMs the time of receipt, for messages without a stamp.
   * @param peerName the sender's name for messages without a host, as the inside of a JSON string.
   * @param out must have room for {@linkcode jsonBytesMost}.
   */
  encode(
    message: SyslogMessage,
    bytes: Uint8Array,
    _start: number,
    _end: number,
    nowMs: number,
    peerName: Uint8Array,
    out: Uint8Array,
    at: number,
  ): number {
    this.#latin1 = false;
    this.#invalid = false;
    const written = this.#object(message, bytes, nowMs, peerName, out, at);
    if (!this.#invalid) return written;
    this.#latin1 = true;
    return this.#object(message, bytes, nowMs, peerName, out, at);
  }

  #object(
    message: SyslogMessage,
    bytes: Uint8Array,
    nowMs: number,
    peerName: Uint8Array,
    out: Uint8Array,
    start: number,
  ): number {
    let at = this.#head.put(out, start, message.timestampMs < 0 ? nowMs : message.timestampMs);
    at = message.hostStart < 0
      ? put(out, at, peerName)
      : this.#text(out, at, bytes, message.hostStart, message.hostEnd);
    at = put(out, at, beforeTag);
    if (message.tagStart >= 0) at = this.#text(out, at, bytes, message.tagStart, message.tagEnd);
    at = put(out, at, beforeContent);
    at = this.#text(out, at, bytes, message.contentStart, message.contentEnd);
    at = put(out, at, priorities[message.priority] as Uint8Array);
    if (message.pidStart >= 0) {
      at = put(out, at, beforePid);
      at = this.#text(out, at, bytes, message.pidStart, message.pidEnd);
      out[at++] = QUOTE;
    }
    if (message.msgidStart >= 0) {
      at = put(out, at, beforeMsgid);
      at = this.#text(out, at, bytes, message.msgidStart, message.msgidEnd);
      out[at++] = QUOTE;
    }
    if (message.dataStart >= 0) at = this.#structuredData(message, bytes, out, at);
    if (message.problem !== "") at = this.#putProblem(message.problem, out, at);
    if (this.#latin1) at = put(out, at, latin1Charset);
    out[at++] = CLOSE_BRACE;
    return at;
  }

  #text(out: Uint8Array, at: number, bytes: Uint8Array, start: number, end: number): number {
    if (this.#latin1) return putLatin1(out, at, bytes, start, end);
    const written = putUtf8(out, at, bytes, start, end);
    if (written >= 0) return written;
    this.#invalid = true;
    return at;
  }

  #putProblem(problem: string, out: Uint8Array, at: number): number {
    if (problem !== this.#problem) {
      this.#problem = problem;
      const text = problem.slice(0, PROBLEM_CHARACTERS_MOST).toWellFormed();
      this.#problemJson = encoder.encode(JSON.stringify(text));
    }
    return put(out, put(out, at, beforeProblem), this.#problemJson);
  }

  #structuredData(message: SyslogMessage, bytes: Uint8Array, out: Uint8Array, at: number): number {
    const data = this.#data;
    data.scan(bytes, message.dataStart, message.dataEnd);
    at = put(out, at, beforeData);
    out[at++] = OPEN_BRACE;
    for (let element = 0; element < data.elementCount; element++) {
      if (element > 0) out[at++] = COMMA;
      const idStart = data.idStart[element] as number;
      at = this.#string(out, at, bytes, idStart, data.idEnd[element] as number);
      out[at++] = COLON;
      at = this.#parameters(element, bytes, out, at);
    }
    out[at++] = CLOSE_BRACE;
    return at;
  }

  /** Writes an element's parameters; each name once, with all its values. */
  #parameters(element: number, bytes: Uint8Array, out: Uint8Array, at: number): number {
    const data = this.#data;
    const first = data.firstParameter[element] as number;
    const stop = data.firstParameter[element + 1] as number;
    out[at++] = OPEN_BRACE;
    for (let parameter = first; parameter < stop; parameter++) {
      if (this.#findName(bytes, parameter, first, parameter) >= 0) continue;
      if (parameter > first) out[at++] = COMMA;
      const nameStart = data.nameStart[parameter] as number;
      at = this.#string(out, at, bytes, nameStart, data.nameEnd[parameter] as number);
      out[at++] = COLON;
      let next = this.#findName(bytes, parameter, parameter + 1, stop);
      const repeated = next >= 0;
      if (repeated) out[at++] = OPEN;
      at = this.#value(out, at, bytes, parameter);
      while (next >= 0) {
        out[at++] = COMMA;
        at = this.#value(out, at, bytes, next);
        next = this.#findName(bytes, parameter, next + 1, stop);
      }
      if (repeated) out[at++] = CLOSE;
    }
    out[at++] = CLOSE_BRACE;
    return at;
  }

  /** The first parameter in `[from, stop)` named as `parameter` is, or -1. */
  #findName(bytes: Uint8Array, parameter: number, from: number, stop: number): number {
    for (let other = from; other < stop; other++) {
      if (this.#data.sameName(bytes, parameter, other)) return other;
    }
    return -1;
  }

  #string(out: Uint8Array, at: number, bytes: Uint8Array, start: number, end: number): number {
    out[at] = QUOTE;
    at = this.#text(out, at + 1, bytes, start, end);
    out[at] = QUOTE;
    return at + 1;
  }

  /** Writes a value without its escapes `\"`, `\\` and `\]`; other backslashes are themselves. */
  #value(out: Uint8Array, at: number, bytes: Uint8Array, parameter: number): number {
    const end = this.#data.valueEnd[parameter] as number;
    let from = this.#data.valueStart[parameter] as number;
    out[at++] = QUOTE;
    for (let i = from; i < end - 1; i++) {
      if (bytes[i] !== BACKSLASH) continue;
      const escaped = bytes[i + 1];
      if (escaped !== QUOTE && escaped !== BACKSLASH && escaped !== CLOSE) continue;
      at = this.#text(out, at, bytes, from, i);
      from = ++i;
    }
    at = this.#text(out, at, bytes, from, end);
    out[at++] = QUOTE;
    return at;
  }
}

/** Where the milliseconds stand in `{"timestamp":"2026-11-23T20:30:00.123Z","hostname":"`. */
const MILLISECONDS_AT = '{"timestamp":"2026-11-23T20:30:00.'.length;

/** Writes `{"timestamp":"…","hostname":"`; formats a second once. */
class Head {
  readonly #bytes = new Uint8Array(MILLISECONDS_AT + 3 + beforeHostname.length);
  #second = NaN;

  put(out: Uint8Array, at: number, ms: number): number {
    const second = Math.floor(ms / 1_000);
    if (second !== this.#second) this.#format(second);
    const rest = ms - second * 1_000;
    const bytes = this.#bytes;
    const hundreds = Math.floor(rest / 100);
    const tens = Math.floor(rest / 10) - hundreds * 10;
    bytes[MILLISECONDS_AT] = 48 + hundreds;
    bytes[MILLISECONDS_AT + 1] = 48 + tens;
    bytes[MILLISECONDS_AT + 2] = 48 + Math.floor(rest) - hundreds * 100 - tens * 10;
    return put(out, at, bytes);
  }

  #format(second: number): void {
    this.#second = second;
    const text = new Date(second * 1_000).toISOString().slice(0, 20);
    encoder.encodeInto(`{"timestamp":"${text}`, this.#bytes);
    this.#bytes.set(beforeHostname, MILLISECONDS_AT + 3);
  }
}
