import { JSON_BYTES_PER_BYTE, JsonText, type Piece, pieceOf } from "./json_text.ts";
import { StructuredDataJson } from "./structured_data_json.ts";
import type { SyslogMessage } from "./syslog_message.ts";

const QUOTE = 34;
const CLOSE_BRACE = 125;

const beforeTag = pieceOf('","tag":"');
const beforeContent = pieceOf('","content":"');
const beforePid = pieceOf(',"pid":"');
const beforeMsgid = pieceOf(',"msgid":"');
const beforeData = pieceOf(',"structured_data":');
const beforeProblem = pieceOf(',"problem":');
const latin1Charset = pieceOf(',"charset":"iso-8859-1"');

/** `","priority":13,"facility":1,"severity":5` for each of the 192 priorities. */
const priorities = Array.from(
  { length: 192 },
  (_, n) => pieceOf(`","priority":${n},"facility":${n >> 3},"severity":${n & 7}`),
);

const PROBLEM_CHARACTERS_MOST = 128;

/** Room for the constant pieces, every key present, and the longest problem. */
const FIXED_BYTES_MOST = 512 + JSON_BYTES_PER_BYTE * PROBLEM_CHARACTERS_MOST;

/**
 * The room {@linkcode SyslogJson.encode} needs for a frame and a peer name of these sizes: an upper
 * bound for what it writes and what it may touch.
 */
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
 * Text that is not UTF-8 loses nothing: then every byte of all the message's text is one code point
 * (ISO 8859-1) and `charset` says so.
 */
export class SyslogJson {
  readonly #text = new JsonText();
  readonly #head = new Head();
  readonly #data = new StructuredDataJson(this.#text);
  #problem = "";
  #problemJson = new Uint8Array(0);

  /**
   * Writes the message parsed from `bytes[start, end)` to `out` at `at` and returns its end there.
   *
   * @param nowMs the time of receipt, for messages without a stamp.
   * @param peerName the sender's name for messages without a host, as the inside of a JSON string.
   * @param out must have room for {@linkcode jsonBytesMost} behind `at`.
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
    const text = this.#text;
    text.bind(bytes, out);
    text.latin1 = text.invalid = false;
    const end = this.#object(message, nowMs, peerName, out, at);
    if (!text.invalid) return end;
    text.latin1 = true;
    return this.#object(message, nowMs, peerName, out, at);
  }

  #object(
    message: SyslogMessage,
    nowMs: number,
    peerName: Uint8Array,
    out: Uint8Array,
    start: number,
  ): number {
    const text = this.#text;
    const ms = message.timestampMs < 0 ? nowMs : message.timestampMs;
    let at = this.#head.write(text, out, start, ms);
    at = message.hostStart < 0
      ? text.raw(at, peerName)
      : text.text(at, message.hostStart, message.hostEnd);
    at = text.piece(at, beforeTag);
    if (message.tagStart >= 0) at = text.text(at, message.tagStart, message.tagEnd);
    at = text.piece(at, beforeContent);
    at = text.text(at, message.contentStart, message.contentEnd);
    at = text.piece(at, priorities[message.priority] as Piece);
    if (message.pidStart >= 0) {
      at = text.text(text.piece(at, beforePid), message.pidStart, message.pidEnd);
      at = text.byte(at, QUOTE);
    }
    if (message.msgidStart >= 0) {
      at = text.text(text.piece(at, beforeMsgid), message.msgidStart, message.msgidEnd);
      at = text.byte(at, QUOTE);
    }
    if (message.dataStart >= 0) {
      at = text.piece(at, beforeData);
      at = this.#data.write(at, message.dataStart, message.dataEnd);
    }
    if (message.problem !== "") at = this.#writeProblem(at, message.problem);
    if (text.latin1) at = text.piece(at, latin1Charset);
    return text.byte(at, CLOSE_BRACE);
  }

  #writeProblem(at: number, problem: string): number {
    if (problem !== this.#problem) {
      this.#problem = problem;
      const short = problem.slice(0, PROBLEM_CHARACTERS_MOST).toWellFormed();
      this.#problemJson = new TextEncoder().encode(JSON.stringify(short));
    }
    return this.#text.raw(this.#text.piece(at, beforeProblem), this.#problemJson);
  }
}

/** Where the milliseconds stand in `{"timestamp":"2026-11-23T20:30:00.123Z","hostname":"`. */
const MILLISECONDS_AT = '{"timestamp":"2026-11-23T20:30:00.'.length;

/** Seconds remembered at a time, a power of two: senders' clocks differ. */
const SECONDS = 16;

/** Writes `{"timestamp":"…","hostname":"`; formats each second once. */
class Head {
  readonly #pieces: Piece[] = Array.from({ length: SECONDS }, () => pieceOf(""));
  readonly #seconds = new Float64Array(SECONDS).fill(NaN);

  write(text: JsonText, out: Uint8Array, at: number, ms: number): number {
    const second = Math.floor(ms / 1_000);
    const slot = second & (SECONDS - 1);
    if (second !== this.#seconds[slot]) {
      this.#seconds[slot] = second;
      const stamp = new Date(second * 1_000).toISOString();
      this.#pieces[slot] = pieceOf(`{"timestamp":"${stamp}","hostname":"`);
    }
    const end = text.piece(at, this.#pieces[slot] as Piece);
    const rest = Math.floor(ms - second * 1_000);
    if (rest !== 0) {
      out[at + MILLISECONDS_AT] = 48 + Math.floor(rest / 100);
      out[at + MILLISECONDS_AT + 1] = 48 + Math.floor(rest / 10) % 10;
      out[at + MILLISECONDS_AT + 2] = 48 + rest % 10;
    }
    return end;
  }
}
