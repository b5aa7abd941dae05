/** The text as one line in which nothing commands the terminal: control characters as `\u001b`. */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Control characters that a terminal would take for commands; not the line feed and the tab. */
// deno-lint-ignore no-control-regex -- they are what it is about
const commanding = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/**
 * The text with its lines and tabs, in which nothing else commands the terminal. JSON stays the same
 * JSON: of these characters its strings hold none but U+007F to U+009F, and `\u009b` means the same.
 */
export function visibleLines(text: string): string {
  return text.replace(commanding, visible);
}

/**
 * {@linkcode visibleLines} of UTF-8 that comes in pieces, cut anywhere. What is not UTF-8 becomes
 * U+FFFD: some terminals take the bytes 0x80 to 0x9f for commands, too.
 */
export class VisibleBytes {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #encoder = new TextEncoder();

  /** What can be shown of this piece; the beginning of a character waits for its end. */
  take(bytes: Uint8Array): Uint8Array {
    const text = this.#decoder.decode(bytes, { stream: true });
    return this.#encoder.encode(visibleLines(text));
  }

  /** Nothing more comes: what stands for a character that was cut. */
  end(): Uint8Array {
    return this.#encoder.encode(this.#decoder.decode());
  }
}
