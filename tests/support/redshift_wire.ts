import { Buffer } from "node:buffer";

/** One message of PostgreSQL's protocol; `bytes` is the whole of it, `body` what is in it. */
export interface WireMessage {
  readonly type: string;
  readonly body: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Reads messages from a connection. */
export class WireReader {
  #kept = Buffer.alloc(0);
  readonly #piece = new Uint8Array(64 * 1024);

  constructor(private readonly connection: Deno.Conn) {}

  /** Whether a whole message is there already. */
  get hasWhole(): boolean {
    const { length } = this.#kept;
    return length >= 5 && length > this.#kept.readUInt32BE(1);
  }

  /** The message without a type that a client begins with; null at the end of the connection. */
  async first(): Promise<Uint8Array | null> {
    if (!await this.#fill(4)) return null;
    return await this.#take(this.#kept.readUInt32BE(0));
  }

  /** The next message; null at the end of the connection. */
  async next(): Promise<WireMessage | null> {
    if (!await this.#fill(5)) return null;
    const bytes = await this.#take(this.#kept.readUInt32BE(1) + 1);
    if (!bytes) return null;
    return { type: String.fromCharCode(bytes[0] ?? 0), body: bytes.subarray(5), bytes };
  }

  async #take(size: number): Promise<Uint8Array | null> {
    if (!await this.#fill(size)) return null;
    const bytes = this.#kept.subarray(0, size);
    this.#kept = this.#kept.subarray(size);
    return bytes;
  }

  async #fill(size: number): Promise<boolean> {
    while (this.#kept.length < size) {
      const count = await this.connection.read(this.#piece).catch(() => null);
      if (count === null) return false;
      this.#kept = Buffer.concat([this.#kept, this.#piece.subarray(0, count)]);
    }
    return true;
  }
}

/** Writes all of the bytes. */
export async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** A message of this type. */
export function wireMessage(type: string, body: Uint8Array = new Uint8Array()): Uint8Array {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.write(type, 0, "latin1");
  bytes.writeUInt32BE(4 + body.length, 1);
  bytes.set(body, 5);
  return bytes;
}

/** Texts that each end with a zero, as messages have them. */
export function zeroEnded(...texts: string[]): Uint8Array {
  return Buffer.from(texts.map((text) => `${text}\0`).join(""));
}

/** The texts at the beginning of a body, each up to its zero. */
export function textsOf(body: Uint8Array): string[] {
  return Buffer.from(body).toString("utf8").split("\0");
}

/** What a server says of an error. */
export interface WireError {
  readonly message: string;
  /** The five letters; XX000 is Redshift's own catch-all. */
  readonly sqlState: string;
  readonly detail?: string;
}

/** An error of Redshift, thrown where it is found. */
export class RedshiftError extends Error {
  constructor(
    message: string,
    readonly sqlState = "XX000",
    readonly detail: string | undefined = undefined,
  ) {
    super(message);
  }

  /** The ErrorResponse message. */
  get bytes(): Uint8Array {
    return errorMessage(this.message, this.sqlState, this.detail);
  }
}

export function errorMessage(message: string, sqlState: string, detail?: string): Uint8Array {
  const fields = ["SERROR", `C${sqlState}`, `M${message}`, ...(detail ? [`D${detail}`] : []), ""];
  return wireMessage("E", zeroEnded(...fields));
}

export function noticeMessage(message: string): Uint8Array {
  return wireMessage("N", zeroEnded("SINFO", "C00000", `M${message}`, ""));
}

/** The fields of an ErrorResponse by their letters. */
export function errorFields(body: Uint8Array): Map<string, string> {
  return new Map(textsOf(body).filter(Boolean).map((text) => [text.charAt(0), text.slice(1)]));
}

/** The values of a DataRow, as texts. */
export function rowValues(body: Uint8Array): (string | null)[] {
  const buffer = Buffer.from(body);
  const values: (string | null)[] = [];
  for (let i = 0, at = 2; i < buffer.readUInt16BE(0); i++) {
    const size = buffer.readInt32BE(at);
    values.push(size < 0 ? null : buffer.toString("utf8", at + 4, at + 4 + size));
    at += 4 + Math.max(size, 0);
  }
  return values;
}
