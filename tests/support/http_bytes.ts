const decoder = new TextDecoder();

/** The head of one HTTP/1.1 message, as it came. */
export interface Head {
  /** With the empty line at its end. */
  readonly text: string;
  /** The request line or the status line. */
  readonly line: string;
  /** By name in lower case. */
  readonly fields: ReadonlyMap<string, string>;
}

/** One side of a connection, read as HTTP/1.1 messages whose bytes are passed on unchanged. */
export class HttpBytes {
  #rest = new Uint8Array();
  readonly #chunk = new Uint8Array(65_536);

  constructor(readonly conn: Deno.Conn) {}

  /** The next message's head; null when the connection has ended. */
  async head(): Promise<Head | null> {
    let end: number;
    while ((end = indexOfEmptyLine(this.#rest)) < 0) {
      if (!await this.#more()) return null;
    }
    const text = decoder.decode(this.#take(end));
    const [line = "", ...fields] = text.trimEnd().split("\r\n");
    const pairs = fields.map((field): [string, string] => {
      const at = field.indexOf(":");
      return [field.slice(0, at).toLowerCase(), field.slice(at + 1).trim()];
    });
    return { text, line, fields: new Map(pairs) };
  }

  /**
   * The bytes of a message's body, in pieces, with the framing of chunks; what is lent is good until
   * the next piece is asked for. The end of the connection ends it, too.
   *
   * @param untilEnd a body without a length goes on to the end of the connection.
   */
  async *body({ fields }: Head, untilEnd = false): AsyncGenerator<Uint8Array> {
    if (/chunked/i.test(fields.get("transfer-encoding") ?? "")) return yield* this.#chunks();
    const length = fields.get("content-length");
    if (length !== undefined) return yield* this.#bytes(Number(length));
    if (untilEnd) yield* this.#bytes(Infinity);
  }

  async *#bytes(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0;) {
      if (this.#rest.length === 0 && !await this.#more()) return;
      const piece = this.#take(Math.min(left, this.#rest.length));
      left -= piece.length;
      yield piece;
    }
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    while (true) {
      const line = await this.#line();
      if (line === null) return;
      yield line;
      const size = parseInt(decoder.decode(line), 16);
      if (size > 0) yield* this.#bytes(size + 2);
      else break;
    }
    // Trailers, and the empty line.
    for (let line = await this.#line(); line !== null; line = await this.#line()) {
      yield line;
      if (line.length === 2) return;
    }
  }

  async #line(): Promise<Uint8Array | null> {
    let end: number;
    while ((end = this.#rest.indexOf(10)) < 0) if (!await this.#more()) return null;
    return this.#take(end + 1);
  }

  #take(count: number): Uint8Array {
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return taken;
  }

  async #more(): Promise<boolean> {
    const count = await this.conn.read(this.#chunk).catch(() => null);
    if (count === null) return false;
    const grown = new Uint8Array(this.#rest.length + count);
    grown.set(this.#rest);
    grown.set(this.#chunk.subarray(0, count), this.#rest.length);
    this.#rest = grown;
    return true;
  }
}

/** Writes all of the bytes; throws when the other side is gone. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** The place after the first empty line; -1 when there is none yet. */
function indexOfEmptyLine(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(13); at >= 0; at = bytes.indexOf(13, at + 1)) {
    if (bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at + 4;
  }
  return -1;
}
