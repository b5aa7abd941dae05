/**
 * A value that must never be seen. Every way of printing it gives `[secret]`; only
 * {@linkcode Secret.reveal}, called where the value goes on the wire, gives the value.
 */
export class Secret {
  readonly #value: string;
  #source: (() => Promise<Secret>) | undefined;

  constructor(value: string) {
    this.#value = value;
  }

  /** Tells how to read the secret anew: one that expires is renewed where it came from. */
  renewedBy(source: () => Promise<Secret>): this {
    this.#source = source;
    return this;
  }

  /**
   * The secret as it is now in its file; the same one when it came from elsewhere.
   *
   * @throws {SluiceError} `usage` when the file cannot be read any more.
   */
  fresh(): Promise<Secret> {
    return this.#source?.() ?? Promise.resolve(this);
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

/**
 * A URL, or HOST:PORT as people mistype it with a user, as text for messages: without the password
 * and without the value of every query field that looks like a key. When it is not clear where a
 * password ends, more is taken away rather than less.
 */
export function redactUrl(text: string): string {
  return text
    // A colon before a number and a slash is a port: what comes behind it is a path.
    .replace(
      /^((?:[a-z][a-z0-9+.-]*:\/\/)?[^:@\/?#]*):(?!\/\/)(?!\d+[\/?#]).*@/is,
      "$1:[secret]@",
    )
    .replace(
      /([?&#][^=&#]*(?:pass|pwd|secret|token|key|credential|sig)[^=&#]*=)[^&#]*/gi,
      "$1[secret]",
    );
}

// Bounded, so that no text can make them slow. A colon before a number is a port.
const login =
  /([a-z][a-z0-9+.-]{0,20}:\/\/[^\s:@\/?#"'`,]{0,100}):(?!\d{1,5}(?:[\/?#,\s"'`]|$))([^\s"'`]{1,300})@/gi;
const field =
  /([\w-]{0,40}(?:pass|pwd|secret|token|signature|credential|api[_-]?key|access[_-]?key)[\w-]{0,20})=([^\s&;,"'`)\]}]{1,1000})/gi;
/** What hints of ours write in the place of a secret. */
const isHint = (value: string) => /^(?:PASSWORD|SECRET|TOKEN|VALUE|\[secret\]?)$/.test(value);

/**
 * The last line of defence, for text on its way to people, whatever it is: without the passwords of
 * URLs in it, nor the values of `NAME=VALUE` whose name is that of a secret. Whoever knows that a text
 * is a URL takes {@linkcode redactUrl}, which leaves less.
 */
export function redactText(text: string): string {
  if (!/[=@]/.test(text)) return text;
  return text
    .replace(
      login,
      (all, before: string, value: string) => isHint(value) ? all : `${before}:[secret]@`,
    )
    .replace(
      field,
      (all, name: string, value: string) =>
        isHint(value) || /file$/i.test(name) ? all : `${name}=[secret]`,
    );
}
