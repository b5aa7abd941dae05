import { FieldFlag } from "./delimited_row.ts";

const BACKSLASH = 92;

/** Takes escapes out of fields. What it gives is lent until the next call. */
export class FieldBytes {
  readonly #quote: number;
  #bytes = new Uint8Array(256);

  /** @param quote the quotation mark that stands twice to mean one. */
  constructor(quote: number) {
    this.#quote = quote;
  }

  /** The field without its doubled quotation marks or backslashes. */
  plain(bytes: Uint8Array, start: number, end: number, flags: number): Uint8Array {
    if (!(flags & (FieldFlag.doubled | FieldFlag.escaped))) return bytes.subarray(start, end);
    if (this.#bytes.length < end - start) this.#bytes = new Uint8Array(2 * (end - start));
    const out = this.#bytes;
    const skipped = flags & FieldFlag.doubled ? this.#quote : BACKSLASH;
    let at = 0;
    for (let i = start; i < end; i++) {
      // What follows stands for itself. A backslash at the very end of a file stands for itself.
      if (bytes[i] === skipped && i + 1 < end) i++;
      out[at++] = bytes[i] as number;
    }
    return out.subarray(0, at);
  }
}

/** Knows the fields that mean NULL. */
export class NullText {
  readonly #text: Uint8Array;
  readonly #escapedToo: boolean;
  /** Whether a field without backslashes can be NULL. */
  readonly isPlain: boolean;

  constructor({ nullAs, escape }: { readonly nullAs: string; readonly escape: boolean }) {
    this.#text = new TextEncoder().encode(nullAs);
    // With ESCAPE, `\\N` is NULL as `\N` is, as long as NULL AS says nothing else.
    this.#escapedToo = escape && nullAs === "\\N";
    this.isPlain = !nullAs.includes("\\");
  }

  /** Whether a field as it stands in the file, without quotation marks around it, is NULL. */
  is(bytes: Uint8Array, start: number, end: number): boolean {
    const text = this.#text;
    if (end - start !== text.length) {
      return this.#escapedToo && end - start === 3 && bytes[start] === BACKSLASH &&
        this.is(bytes, start + 1, end);
    }
    for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
    return true;
  }
}
