/**
 * A value that must never be seen. Every way of printing it gives `[secret]`; only
 * {@linkcode Secret.reveal}, called where the value goes on the wire, gives the value.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it at the wire only. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [Symbol.for("Deno.customInspect")](): string {
    return "[secret]";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}

/** The URL as text with user's password and every query value that looks like a key removed. */
export function redactUrl(text: string): string {
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/[^:@/?#]*):[^@/?#]*@/i, "$1:[secret]@")
    .replace(
      /([?&](?:[^=&#]*(?:password|secret|token|key|credential|signature)[^=&#]*)=)[^&#]*/gi,
      "$1[secret]",
    );
}
