import { type SluiceError, usageError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { visible } from "../core/visible.ts";

/** The keys of a manifest with their values, told apart by kind. Null is the same as not given. */
export class ManifestValues {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #action: string;
  readonly #prefix: string;

  /**
   * @param prefix stands before keys in messages: `execute-opts `.
   * @throws {SluiceError} `usage` for a key that is not one of `known`, with the nearest that is.
   */
  constructor(action: string, value: unknown, known: readonly string[], prefix = "") {
    this.#action = action;
    this.#prefix = prefix;
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
      throw usageError(action, prefix ? `${prefix.trim()} is no map` : "it is no map of keys");
    }
    this.#values = value as Record<string, unknown>;
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      const meant = nearest(key.replace(/^:/, "").replaceAll("_", "-").toLowerCase(), known);
      const advice = meant ? `write ${meant}` : `the keys are ${known.join(", ")}`;
      throw usageError(action, `${prefix}key "${visible(key).slice(0, 60)}" is unknown: ${advice}`);
    }
  }

  has(key: string): boolean {
    return (this.#values[key] ?? null) !== null;
  }

  /** An error about one key, without its value. */
  wrong(key: string, detail: string, cause?: unknown): SluiceError {
    return usageError(this.#action, `${this.#prefix}${key} ${detail}`, cause);
  }

  /** The error of a value that is of the wrong kind, with the value. */
  wrongValue(key: string, advice: string): SluiceError {
    const shown = visible(JSON.stringify(this.#values[key]) ?? "undefined").slice(0, 80);
    return this.wrong(key, `is ${shown}: ${advice}`);
  }

  /** A text that is not blank; undefined when the key is not given. */
  text(key: string): string | undefined {
    if (!this.has(key)) return undefined;
    const value = this.#values[key];
    if (typeof value === "string" && value.trim() !== "") return value;
    throw this.wrongValue(key, "give a text");
  }

  /** Like {@linkcode text}, for what no message may show. */
  hiddenText(key: string): string | undefined {
    if (!this.has(key)) return undefined;
    const value = this.#values[key];
    if (typeof value === "string" && value.trim() !== "") return value;
    throw this.wrong(key, "is no text: give a URL, env:NAME or file:PATH");
  }

  /** A list of texts that are not blank; one text is a list of one. */
  texts(key: string): readonly string[] {
    if (!this.has(key)) return [];
    const list = [this.#values[key]].flat();
    const texts = list.filter((one) => typeof one === "string" && one.trim() !== "");
    if (texts.length < list.length) throw this.wrongValue(key, "give a list of texts");
    return texts as string[];
  }

  /** One of some words, the first when the key is not given. */
  word<W extends string>(key: string, words: readonly [W, ...W[]]): W {
    const text = this.text(key);
    if (text === undefined) return words[0];
    const word = words.find((one) => one === text.replace(/^:/, ""));
    if (word === undefined) {
      const meant = nearest(text, words);
      throw this.wrongValue(key, meant ? `write ${meant}` : `give ${words.join(" or ")}`);
    }
    return word;
  }

  /** A whole number of at least 1; undefined when the key is not given. */
  count(key: string, most: number): number | undefined {
    if (!this.has(key)) return undefined;
    const value = this.#values[key];
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= most) {
      return value;
    }
    throw this.wrongValue(key, `give a whole number from 1 to ${most}`);
  }

  /** The keys of a map inside. */
  inside(key: string, known: readonly string[]): ManifestValues | undefined {
    if (!this.has(key)) return undefined;
    return new ManifestValues(this.#action, this.#values[key], known, `${this.#prefix}${key} `);
  }
}
