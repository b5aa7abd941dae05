import { SluiceError } from "../core/errors.ts";
import { Ending, PartBuffer, type PartSink } from "./parts.ts";

/**
 * Receives RELP frames. `bytes[start, end)`, the frame's data or a part of it, is valid only during
 * the call. `command` is one string per command, so it can be compared by `===`.
 */
export interface RelpSink {
  relp(
    txnr: number,
    command: string,
    bytes: Uint8Array,
    start: number,
    end: number,
    part: number,
    more: boolean,
  ): void;
}

const LF = 10;
const SPACE = 32;
const DIGITS_MOST = 9;
const COMMAND_BYTES_MOST = 32;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const nothing = new Uint8Array(0);

/** The commands of RELP 0 and 1; others are legal and get a string made for them. */
const knownCommands = ["syslog", "open", "close", "rsp", "serverclose", "starttls"].map((name) => ({
  name,
  bytes: encoder.encode(name),
}));

type State = "txnr" | "command" | "length" | "data" | "trailer";

/**
 * Takes a RELP byte stream apart: `TXNR SP COMMAND SP DATALEN [SP DATA] LF`, TXNR and DATALEN of up
 * to nine digits, COMMAND of up to 32 letters. TXNR 0 marks hints such as `serverclose`. Follows
 * what librelp accepts. Data over `maxDataBytes` is handed on in parts, as the syslog framer does.
 */
export class RelpFramer {
  readonly #sink: RelpSink;
  readonly #parts: PartBuffer;
  #state: State = "txnr";
  #txnr = 0;
  #digits = 0;
  readonly #commandBytes = new Uint8Array(COMMAND_BYTES_MOST);
  #commandLength = 0;
  #command = "";
  #dataLeft = 0;

  /** @throws {RangeError} when `maxDataBytes` is under 16 or not a whole number. */
  constructor(sink: RelpSink, options: { maxDataBytes: number }) {
    this.#sink = sink;
    const adapter: PartSink = {
      part: (bytes, start, end, part, more) =>
        sink.relp(this.#txnr, this.#command, bytes, start, end, part, more),
    };
    this.#parts = new PartBuffer(adapter, options.maxDataBytes);
  }

  /** Bytes of data held back because their frame is not complete: at most `maxDataBytes` + 1. */
  get pendingBytes(): number {
    return this.#parts.length;
  }

  /**
   * Takes `bytes[0, length)`, the next bytes of the stream; they may be reused afterwards.
   *
   * @throws {SluiceError} `corrupt` at a malformed frame; those before it have been handed on, and
   * the stream cannot be read any further.
   */
  push(bytes: Uint8Array, length: number): void {
    let position = 0;
    while (position < length) {
      switch (this.#state) {
        case "txnr":
          position = this.#readTxnr(bytes, position, length);
          break;
        case "command":
          position = this.#readCommand(bytes, position, length);
          break;
        case "length":
          position = this.#readLength(bytes, position, length);
          break;
        case "data":
          position = this.#readData(bytes, position, length);
          break;
        case "trailer":
          if (bytes[position] !== LF) {
            this.#refuse("a line feed after the data", bytes, position, length);
          }
          position++;
          this.#begin();
          break;
      }
    }
  }

  /**
   * The stream has ended.
   *
   * @throws {SluiceError} `corrupt` when it ended inside a frame. What arrived of that frame is not
   * handed on: it was not acknowledged, and its sender will send it again.
   */
  finish(): void {
    const whole = this.#state === "txnr" && this.#digits === 0;
    this.#parts.discard();
    const state = this.#state;
    this.#begin();
    if (whole) return;
    throw new SluiceError("read RELP frame", "corrupt", `the stream ends inside its ${state}`);
  }

  #begin(): void {
    this.#state = "txnr";
    this.#txnr = 0;
    this.#digits = 0;
    this.#commandLength = 0;
    this.#dataLeft = 0;
  }

  #readTxnr(bytes: Uint8Array, start: number, length: number): number {
    for (let at = start; at < length; at++) {
      const byte = bytes[at] as number;
      if (byte === SPACE && this.#digits > 0) {
        this.#digits = 0;
        this.#state = "command";
        return at + 1;
      }
      if (byte < 48 || byte > 57 || this.#digits === DIGITS_MOST) {
        this.#refuse("a transaction number of up to nine digits and a space", bytes, at, length);
      }
      this.#txnr = this.#txnr * 10 + byte - 48;
      this.#digits++;
    }
    return length;
  }

  #readCommand(bytes: Uint8Array, start: number, length: number): number {
    for (let at = start; at < length; at++) {
      const byte = bytes[at] as number;
      if (byte === SPACE && this.#commandLength > 0) {
        this.#command = this.#intern();
        this.#state = "length";
        return at + 1;
      }
      const letter = (byte | 32) >= 97 && (byte | 32) <= 122;
      if (!letter || this.#commandLength === COMMAND_BYTES_MOST) {
        this.#refuse("a command of up to 32 letters and a space", bytes, at, length);
      }
      this.#commandBytes[this.#commandLength++] = byte;
    }
    return length;
  }

  #readLength(bytes: Uint8Array, start: number, length: number): number {
    for (let at = start; at < length; at++) {
      const byte = bytes[at] as number;
      if (this.#digits > 0 && (byte === SPACE || (byte === LF && this.#dataLeft === 0))) {
        if (this.#dataLeft > 0) {
          this.#state = "data";
          return at + 1;
        }
        this.#sink.relp(this.#txnr, this.#command, nothing, 0, 0, 0, false);
        this.#state = "trailer";
        return byte === LF ? at : at + 1;
      }
      if (byte < 48 || byte > 57 || this.#digits === DIGITS_MOST) {
        this.#refuse("a data length of up to nine digits and a space", bytes, at, length);
      }
      this.#dataLeft = this.#dataLeft * 10 + byte - 48;
      this.#digits++;
    }
    return length;
  }

  #readData(bytes: Uint8Array, start: number, length: number): number {
    const end = Math.min(length, start + this.#dataLeft);
    this.#dataLeft -= end - start;
    const complete = this.#dataLeft === 0;
    this.#parts.take(bytes, start, end, complete ? Ending.complete : Ending.open);
    if (complete) this.#state = "trailer";
    return end;
  }

  #intern(): string {
    for (const { name, bytes } of knownCommands) {
      if (bytes.length !== this.#commandLength) continue;
      let i = 0;
      while (i < bytes.length && bytes[i] === this.#commandBytes[i]) i++;
      if (i === bytes.length) return name;
    }
    return decoder.decode(this.#commandBytes.subarray(0, this.#commandLength));
  }

  #refuse(wanted: string, bytes: Uint8Array, at: number, length: number): never {
    const found = JSON.stringify(decoder.decode(bytes.subarray(at, Math.min(length, at + 32))));
    throw new SluiceError(
      "read RELP frame",
      "corrupt",
      `${wanted} should be where the bytes are ${found}; check that the sender speaks RELP`,
    );
  }
}

/** A response: `TXNR rsp LEN STATUS TEXT[\nextra]\n`. */
export function relpResponse(
  txnr: number,
  status: 200 | 500,
  text = status === 200 ? "OK" : "failed",
  extra?: string,
): Uint8Array {
  const data = encoder.encode(`${status} ${text}${extra === undefined ? "" : `\n${extra}`}`);
  const head = encoder.encode(`${txnr} rsp ${data.length} `);
  const frame = new Uint8Array(head.length + data.length + 1);
  frame.set(head);
  frame.set(data, head.length);
  frame[frame.length - 1] = LF;
  return frame;
}

/** The most bytes {@linkcode writeRelpOk} writes. */
export const RELP_OK_BYTES_MOST = DIGITS_MOST + " rsp 6 200 OK\n".length;

const okTail = encoder.encode(" rsp 6 200 OK\n");

/** Writes `TXNR rsp 6 200 OK\n` to `out` at `at` and returns its end; makes no object. */
export function writeRelpOk(out: Uint8Array, at: number, txnr: number): number {
  let scale = 1;
  while (scale * 10 <= txnr) scale *= 10;
  for (; scale >= 1; scale = Math.floor(scale / 10)) {
    out[at++] = 48 + Math.floor(txnr / scale) % 10;
  }
  for (let i = 0; i < okTail.length; i++) out[at++] = okTail[i] as number;
  return at;
}

/** What our server offers: version 0, which every client speaks, and the one command we take. */
export const RELP_OFFERS = "relp_version=0\nrelp_software=sluice\ncommands=syslog";

/**
 * The answer to `open`: `200 OK` and `offers`, ours (not the client's), one `name=value` a line.
 */
export function relpOpenResponse(txnr: number, offers = RELP_OFFERS): Uint8Array {
  return relpResponse(txnr, 200, "OK", offers);
}
