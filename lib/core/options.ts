import { SluiceError, usageError } from "./errors.ts";
import { Secret } from "./secret.ts";
import { formatDuration, formatSize, parseDurationMs, parseSizeBytes } from "./units.ts";

/**
 * One option of a command. This one declaration gives the flag, the environment variable, the key in
 * the configuration file, the default, the range, the help text and the row in the README.
 */
export interface Option<T> {
  readonly kind: "value" | "toggle" | "list" | "secret";
  /** What stands for the value in help: `HOST:PORT`. Empty for a toggle. */
  readonly placeholder: string;
  /** A flag of one letter besides, without its dash. */
  readonly letter?: string;
  readonly help: string;
  readonly fallback: T;
  /** The default as a person would write it; empty when there is none. */
  readonly fallbackText: string;
  /** Reads what a person wrote. Throws a SluiceError `usage` whose detail says what is right. */
  read(text: string): T;
}

// A table of options holds all value types; only `ValuesOf` looks inside.
// deno-lint-ignore no-explicit-any
export type OptionSpecs = Readonly<Record<string, Option<any>>>;

/** The values of a table of options, by flag name without the dashes. */
export type ValuesOf<S extends OptionSpecs> = {
  readonly [K in keyof S]: S[K] extends Option<infer T> ? T : never;
};

interface Given<T> {
  readonly help: string;
  readonly placeholder?: string;
  readonly letter?: string;
  readonly fallback?: T;
}

interface Ranged extends Given<number> {
  readonly least?: number;
  readonly most?: number;
}

/** A text; absent without a fallback. */
export function text(given: Given<string> & { fallback: string }): Option<string>;
export function text(given: Given<string>): Option<string | undefined>;
export function text(given: Given<string>): Option<string | undefined> {
  return {
    kind: "value",
    placeholder: given.placeholder ?? "TEXT",
    ...given.letter === undefined ? {} : { letter: given.letter },
    help: given.help,
    fallback: given.fallback,
    fallbackText: given.fallback ?? "",
    read: (written) => {
      if (written === "") throw usageError("use an empty text", "give a value or leave it out");
      return written;
    },
  };
}

/** A whole number. */
export function number(given: Ranged & { fallback: number }): Option<number> {
  return ranged(given, "N", String, (written) => {
    if (!/^-?\d+$/.test(written)) {
      throw usageError(`read number "${written}"`, "give a whole number");
    }
    return Number(written);
  });
}

/** A duration, milliseconds. */
export function duration(given: Ranged & { fallback: number }): Option<number> {
  return ranged(given, "DURATION", formatDuration, parseDurationMs);
}

/** A size, bytes. */
export function size(given: Ranged & { fallback: number }): Option<number> {
  return ranged(given, "SIZE", formatSize, parseSizeBytes);
}

function ranged(
  given: Ranged & { fallback: number },
  placeholder: string,
  write: (value: number) => string,
  read: (written: string) => number,
): Option<number> {
  const least = given.least ?? 0;
  const most = given.most ?? Number.MAX_SAFE_INTEGER;
  return {
    kind: "value",
    placeholder: given.placeholder ?? placeholder,
    help: given.help,
    fallback: given.fallback,
    fallbackText: write(given.fallback),
    read: (written) => {
      const value = read(written);
      if (value >= least && value <= most) return value;
      const range = given.most === undefined && value < least
        ? `at least ${write(least)}`
        : `between ${write(least)} and ${write(most)}`;
      throw usageError(`use ${written}`, `it must be ${range}`);
    },
  };
}

/** One of a few words. */
export function choice<const W extends string>(
  words: readonly W[],
  given: { readonly help: string; readonly fallback: W },
): Option<W>;
export function choice<const W extends string>(
  words: readonly W[],
  given: { readonly help: string },
): Option<W | undefined>;
export function choice<const W extends string>(
  words: readonly W[],
  given: { readonly help: string; readonly fallback?: W },
): Option<W | undefined> {
  return {
    kind: "value",
    placeholder: words.join("|"),
    help: given.help,
    fallback: given.fallback,
    fallbackText: given.fallback ?? "",
    read: (written) => {
      const word = words.find((candidate) => candidate === written);
      if (word === undefined) {
        throw usageError(`use "${written}"`, `give one of ${words.join(", ")}`);
      }
      return word;
    },
  };
}

/** On or off; off unless given. */
export function toggle(given: { readonly help: string }): Option<boolean> {
  return {
    kind: "toggle",
    placeholder: "",
    help: given.help,
    fallback: false,
    fallbackText: "",
    read: (written) => {
      if (/^(true|yes|on|1)$/i.test(written)) return true;
      if (/^(false|no|off|0)$/i.test(written)) return false;
      throw usageError(`use "${written}"`, "give true or false");
    },
  };
}

/** Several regular expressions: the flag may be repeated. Commas belong to the expression. */
export function patterns(given: { readonly help: string }): Option<readonly string[]> {
  return {
    kind: "list",
    placeholder: "REGEX",
    help: given.help,
    fallback: [],
    fallbackText: "",
    read: (written) => {
      if (written === "") throw usageError("use an empty pattern", "give one or leave it out");
      try {
        new RegExp(written, "u");
      } catch (thrown) {
        throw usageError(`read pattern "${written}"`, "give a regular expression", thrown);
      }
      return [written];
    },
  };
}

/** Several texts: the flag may be repeated, and each may hold several, separated by commas. */
export function list(given: Given<readonly string[]>): Option<readonly string[]> {
  const fallback = given.fallback ?? [];
  return {
    kind: "list",
    placeholder: given.placeholder ?? "TEXT,...",
    help: given.help,
    fallback,
    fallbackText: fallback.join(","),
    read: (written) => {
      const parts = written.split(",").map((part) => part.trim());
      if (parts.includes("")) throw usageError(`use "${written}"`, "one part of the list is empty");
      return parts;
    },
  };
}

/**
 * A secret named `x`: given as a file (`--x-file`, key `x-file`), in the environment (`.._X` or
 * `.._X_FILE`) or as the systemd credential `x`, and never in an argument, where any user of the
 * machine could read it.
 */
export function secret(given: { readonly help: string }): Option<Secret | undefined> {
  return {
    kind: "secret",
    placeholder: "FILE",
    help: given.help,
    fallback: undefined,
    fallbackText: "",
    read: (written) => {
      const value = written.replace(/\r?\n$/, "");
      if (value === "") {
        throw usageError("use an empty secret", "the file or variable holds nothing");
      }
      return new Secret(value);
    },
  };
}

/** The flag of an option, with dashes: a secret is given as the file that holds it. */
export function flagOf(name: string, option: Option<unknown>): string {
  return option.kind === "secret" ? `--${name}-file` : `--${name}`;
}

/** The environment variable of an option: `SLUICE_FORWARD_SYSLOG_MAX_LINE`. */
export function envOf(command: string, name: string): string {
  return `SLUICE_${command}_${name}`.toUpperCase().replace(/[^A-Z0-9]+/g, "_");
}

/** The error of a value that came from somewhere, told with where it came from. */
export function valueError(origin: string, thrown: unknown): SluiceError {
  if (!(thrown instanceof SluiceError)) throw thrown;
  return new SluiceError(
    `use ${origin}`,
    thrown.fault,
    `cannot ${thrown.action}; ${thrown.detail}`,
    {
      cause: thrown,
    },
  );
}
