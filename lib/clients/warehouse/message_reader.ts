import { Buffer } from "node:buffer";
import { From, rowAt } from "./messages.ts";
import type { Row } from "./warehouse.ts";

/** What a server has sent: many rows or much of COPY's data at once, everything else by itself. */
export type Received =
  | { readonly type: "rows"; readonly rows: readonly Row[] }
  | { readonly type: "copyData"; readonly bytes: Uint8Array }
  | { readonly type: "message"; readonly code: number; readonly body: Buffer };

/** The bytes before the body of a message: its type and its length. */
const headerBytes = 5;

/** Takes messages out of the bytes that a server sends, wherever these are cut. */
export class MessageReader {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Bytes of a message of COPY's data that are still to come: of these none waits for the others. */
  #copyLeft = 0;

  /** @param read gives the next bytes and throws when there will be none. */
  constructor(private readonly read: () => Promise<Buffer>) {}

  /** Waits for what comes next. At most one chunk of rows or data is in memory. */
  async next(): Promise<Received> {
    if (this.#copyLeft > 0) return { type: "copyData", bytes: await this.#moreCopyData() };
    const code = await this.#wholeMessage();
    if (code === From.dataRow) return { type: "rows", rows: this.#rows() };
    if (code === From.copyData) return { type: "copyData", bytes: this.#copyData() };
    const end = this.#at + 1 + this.#bytes.readUInt32BE(this.#at + 1);
    const body = this.#bytes.subarray(this.#at + headerBytes, end);
    this.#at = end;
    return { type: "message", code, body };
  }

  /** Waits until a whole message, or the header of COPY's data, is where we are; gives its type. */
  async #wholeMessage(): Promise<number> {
    let have = this.#bytes.length - this.#at;
    const parts = have > 0 ? [this.#bytes.subarray(this.#at)] : [];
    let need = this.#needed(parts, have);
    if (have >= need) return this.#bytes[this.#at] ?? 0;
    while (have < need) {
      const part = await this.read();
      parts.push(part);
      have += part.length;
      need = this.#needed(parts, have);
    }
    const [only] = parts;
    this.#bytes = parts.length === 1 && only ? only : Buffer.concat(parts);
    this.#at = 0;
    return this.#bytes[0] ?? 0;
  }

  /** How many bytes the message takes that these parts begin. */
  #needed(parts: readonly Buffer[], have: number): number {
    if (have < headerBytes) return headerBytes;
    const [first = Buffer.alloc(0)] = parts;
    const header = first.length >= headerBytes ? first : Buffer.concat(parts, headerBytes);
    if (header[0] === From.copyData) return headerBytes;
    return 1 + header.readUInt32BE(1);
  }

  /** Where the message at `at` ends; undefined when it is of another type or not here as a whole. */
  #endOf(code: number, at: number): number | undefined {
    const bytes = this.#bytes;
    if (at + headerBytes > bytes.length || bytes[at] !== code) return undefined;
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    return end > bytes.length ? undefined : end;
  }

  #rows(): Row[] {
    const from = this.#at;
    const latin = this.#bytes.toString("latin1", from);
    const rows: Row[] = [];
    let end: number | undefined;
    while ((end = this.#endOf(From.dataRow, this.#at)) !== undefined) {
      rows.push(rowAt(this.#bytes, this.#at + headerBytes, latin, from));
      this.#at = end;
    }
    return rows;
  }

  async #moreCopyData(): Promise<Uint8Array> {
    if (this.#at >= this.#bytes.length) {
      this.#bytes = await this.read();
      this.#at = 0;
    }
    return this.#copyData();
  }

  /** The data of all messages that lie here one behind the other, moved together in place. */
  #copyData(): Uint8Array {
    const bytes = this.#bytes;
    const from = this.#at;
    let to = from;
    while (true) {
      const end = Math.min(bytes.length, this.#at + this.#copyLeft);
      bytes.copyWithin(to, this.#at, end);
      to += end - this.#at;
      this.#copyLeft -= end - this.#at;
      this.#at = end;
      const isNext = end + headerBytes <= bytes.length && bytes[end] === From.copyData;
      if (this.#copyLeft > 0 || !isNext) return bytes.subarray(from, to);
      this.#copyLeft = bytes.readUInt32BE(end + 1) - 4;
      this.#at = end + headerBytes;
    }
  }
}
