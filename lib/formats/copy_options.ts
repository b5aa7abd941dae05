import { type SluiceError, usageError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { type CopyWord, copyWordsOf } from "./copy_option_words.ts";
import { readTimePattern } from "./time_pattern.ts";

/** Which server the options are for: PGlite is `postgres`. */
export type CopyTarget = "postgres" | "redshift";

export type Compression = "none" | "gzip" | "zstd" | "bzip2" | "lzop";

/**
 * What the options of Redshift's COPY say of the files, defaults filled in. The defaults and meanings
 * are those of "Data format parameters", "Data conversion parameters" and "Data load operations" in
 * Amazon's Redshift Database Developer Guide (copy-parameters-data-format, -conversion, -load).
 */
export interface CopyOptions {
  /** `columnar` is what only Redshift reads: AVRO, ORC, PARQUET, SHAPEFILE, FIXEDWIDTH. */
  readonly format: "delimited" | "csv" | "json" | "columnar";
  /** `|`, with CSV `,`. */
  readonly delimiter: string;
  /** The quotation mark of CSV (`"`); null without CSV. */
  readonly quote: string | null;
  /** Whether a backslash makes an ordinary character of the next. */
  readonly escape: boolean;
  /** Whether quotation marks around a field are taken away (without CSV). */
  readonly removeQuotes: boolean;
  /** The text that means NULL: `\N` unless given. */
  readonly nullAs: string;
  /** Lines to leave out at the beginning of each file. */
  readonly ignoreHeader: number;
  readonly ignoreBlankLines: boolean;
  readonly compression: Compression;
  /** A pattern such as `DD.MM.YYYY`, `auto`, or null for the default `YYYY-MM-DD`. */
  readonly dateFormat: string | null;
  /** A pattern, `auto`, `epochsecs`, `epochmillisecs`, or null for `YYYY-MM-DD HH:MI:SS`. */
  readonly timeFormat: string | null;
  readonly truncateColumns: boolean;
  readonly blanksAsNull: boolean;
  readonly emptyAsNull: boolean;
  readonly trimBlanks: boolean;
  readonly fillRecord: boolean;
  /** Whether digits too many are rounded; without it they are cut off. */
  readonly roundDecimals: boolean;
  /** What stands for each byte that is not UTF-8; null refuses such bytes. */
  readonly acceptInvChars: string | null;
  /** Whether the keys of JSON match columns in any case. */
  readonly jsonIgnoresCase: boolean;
  /** Rows that may be left out for their errors before the load fails. */
  readonly maxError: number;
}

type Draft = { -readonly [K in keyof CopyOptions]: CopyOptions[K] };

/**
 * Reads COPY options as a person writes them into a manifest, each text holding one option or more:
 * `["DELIMITER '\\t'", "IGNOREHEADER 1", "ESCAPE TRIMBLANKS"]`. Options that change no row (COMPUPDATE,
 * REGION and the like) are taken and mean nothing.
 *
 * @throws {SluiceError} `usage` naming the option that is unknown, wrong, given twice, at odds with
 * another, kept for sluice itself (MANIFEST, credentials), or cannot be honoured on `target`.
 */
export function parseCopyOptions(
  options: readonly string[],
  target: CopyTarget = "postgres",
): CopyOptions {
  const reading = new OptionReading(copyWordsOf(options.join(" ")), target);
  return reading.all();
}

type Taker = (reading: OptionReading, draft: Draft, name: string) => void;

const toggle = (key: keyof CopyOptions): Taker => (_, draft) =>
  void (Object.assign(draft, { [key]: true }));

/** An option that tells a server how to work, not what the rows are. */
const withoutEffect = (kind: "switch" | "value"): Taker => (reading) => {
  if (kind === "value" || reading.isNext("ON", "OFF", "TRUE", "FALSE", "PRESET")) reading.word();
};

/** An option that only Redshift honours. */
const onlyRedshift = (values: 0 | 1, format?: "columnar"): Taker => (reading, _, name) => {
  reading.refuseOnPostgres(name);
  if (values === 1) reading.word();
  if (format) reading.setFormat(format, name);
};

const compressed = (compression: Compression): Taker => (reading, draft, name) => {
  if (draft.compression !== "none") {
    throw reading.wrong(
      name,
      `with ${draft.compression.toUpperCase()}: a file has one compression`,
    );
  }
  if (compression === "lzop") reading.refuseOnPostgres(name);
  draft.compression = compression;
};

const ours = (why: string): Taker => (reading, _, name) => {
  throw reading.wrong(name, `in a manifest: ${why}`);
};

const credentials = ours("sluice says by itself how Redshift may read the files");

const takers: Readonly<Record<string, Taker>> = {
  CSV: (reading) => reading.setFormat("csv", "CSV"),
  JSON: takeJson,
  FORMAT: takeFormat,
  AVRO: onlyRedshift(1, "columnar"),
  PARQUET: onlyRedshift(0, "columnar"),
  ORC: onlyRedshift(0, "columnar"),
  SHAPEFILE: onlyRedshift(0, "columnar"),
  FIXEDWIDTH: onlyRedshift(1, "columnar"),
  DELIMITER: (reading, draft, name) => {
    draft.delimiter = reading.oneCharacter(name);
    reading.hasDelimiter = true;
  },
  QUOTE: (reading, draft, name) => void (draft.quote = reading.oneCharacter(name)),
  ESCAPE: toggle("escape"),
  REMOVEQUOTES: toggle("removeQuotes"),
  NULL: (reading, draft, name) => void (draft.nullAs = reading.literal(name)),
  IGNOREHEADER: (reading, draft, name) => void (draft.ignoreHeader = reading.count(name, 1e9)),
  IGNOREBLANKLINES: toggle("ignoreBlankLines"),
  GZIP: compressed("gzip"),
  ZSTD: compressed("zstd"),
  BZIP2: compressed("bzip2"),
  LZOP: compressed("lzop"),
  DATEFORMAT: (reading, draft, name) => void (draft.dateFormat = reading.pattern(name)),
  TIMEFORMAT: (reading, draft, name) => void (draft.timeFormat = reading.pattern(name)),
  TRUNCATECOLUMNS: toggle("truncateColumns"),
  BLANKSASNULL: toggle("blanksAsNull"),
  EMPTYASNULL: toggle("emptyAsNull"),
  TRIMBLANKS: toggle("trimBlanks"),
  FILLRECORD: toggle("fillRecord"),
  ROUNDEC: toggle("roundDecimals"),
  ACCEPTINVCHARS: takeAcceptInvChars,
  ENCODING: takeEncoding,
  MAXERROR: (reading, draft, name) => void (draft.maxError = reading.count(name, 100_000)),
  ACCEPTANYDATE: onlyRedshift(0),
  EXPLICIT_IDS: onlyRedshift(0),
  IGNOREALLERRORS: onlyRedshift(0),
  ENCRYPTED: onlyRedshift(0),
  MASTER_SYMMETRIC_KEY: onlyRedshift(1),
  COMPUPDATE: withoutEffect("switch"),
  STATUPDATE: withoutEffect("switch"),
  COMPROWS: withoutEffect("value"),
  REGION: withoutEffect("value"),
  READRATIO: withoutEffect("value"),
  MANIFEST: ours("sluice lists the files of a load by itself"),
  NOLOAD: ours("run sluice ingest --dry-run"),
  SSH: ours("the files of a load come from the store"),
  CREDENTIALS: credentials,
  IAM_ROLE: credentials,
  ACCESS_KEY_ID: credentials,
  SECRET_ACCESS_KEY: credentials,
  SESSION_TOKEN: credentials,
};

function takeJson(reading: OptionReading, draft: Draft, name: string): void {
  reading.setFormat("json", name);
  const how = reading.hasLiteral() ? reading.literal(name) : "auto";
  if (how === "auto ignorecase") draft.jsonIgnoresCase = true;
  else if (how !== "auto") {
    const what = how === "noshred" ? "noshred" : "a jsonpaths file";
    reading.refuseOnPostgres(`JSON with ${what}`, `give JSON 'auto' or 'auto ignorecase'`);
  }
}

function takeFormat(reading: OptionReading, draft: Draft): void {
  const format = reading.word().toUpperCase();
  const taker = /^(CSV|JSON|AVRO|PARQUET|ORC|SHAPEFILE)$/.test(format) && takers[format];
  if (!taker) throw reading.wrong("FORMAT", `${format}: give CSV, JSON, PARQUET, ORC or AVRO`);
  taker(reading, draft, format);
}

function takeAcceptInvChars(reading: OptionReading, draft: Draft, name: string): void {
  draft.acceptInvChars = reading.hasLiteral() ? reading.oneCharacter(name) : "?";
}

function takeEncoding(reading: OptionReading, _: Draft, name: string): void {
  const encoding = reading.word().toUpperCase();
  if (!/^UTF-?8$/.test(encoding)) {
    reading.refuseOnPostgres(`${name} ${encoding}`, "give files in UTF-8");
  }
}

/** One reading of options: the words left, and what they said so far. */
class OptionReading {
  hasDelimiter = false;
  readonly #words: CopyWord[];
  readonly #target: CopyTarget;
  readonly #seen = new Set<string>();
  #formatName: string | undefined;
  readonly #draft: Draft = {
    format: "delimited",
    delimiter: "|",
    quote: null,
    escape: false,
    removeQuotes: false,
    nullAs: "\\N",
    ignoreHeader: 0,
    ignoreBlankLines: false,
    compression: "none",
    dateFormat: null,
    timeFormat: null,
    truncateColumns: false,
    blanksAsNull: false,
    emptyAsNull: false,
    trimBlanks: false,
    fillRecord: false,
    roundDecimals: false,
    acceptInvChars: null,
    jsonIgnoresCase: false,
    maxError: 0,
  };

  constructor(words: readonly CopyWord[], target: CopyTarget) {
    this.#words = [...words];
    this.#target = target;
  }

  all(): CopyOptions {
    for (let word = this.#words.shift(); word; word = this.#words.shift()) {
      // A literal that no option asked for may be a key: it is not told.
      if (word.isLiteral) {
        throw usageError("read COPY options", "a literal stands behind no option");
      }
      const name = word.text.toUpperCase();
      const taker = Object.hasOwn(takers, name) ? takers[name] : undefined;
      if (!taker) throw unknownOption(name);
      if (this.#seen.has(name)) throw this.wrong(name, "twice");
      this.#seen.add(name);
      if (this.isNext("AS")) this.#words.shift();
      taker(this, this.#draft, name);
    }
    return this.#settled();
  }

  /** Whether the next word is one of these. */
  isNext(...words: string[]): boolean {
    const next = this.#words[0];
    return next !== undefined && !next.isLiteral && words.includes(next.text.toUpperCase());
  }

  hasLiteral(): boolean {
    if (this.isNext("AS")) this.#words.shift();
    return this.#words[0]?.isLiteral ?? false;
  }

  word(): string {
    return this.#words.shift()?.text ?? "";
  }

  literal(name: string): string {
    if (!this.#words[0]?.isLiteral) {
      throw this.wrong(name, `without a value: write it between ' ' behind ${name}`);
    }
    return this.word();
  }

  /** A literal of one character, which must be ASCII. */
  oneCharacter(name: string): string {
    const text = this.literal(name);
    const isOne = text.length === 1 && text > "\0" && text < "\x80";
    if (isOne && text !== "\n" && text !== "\r") return text;
    if (this.#target === "redshift" && name === "DELIMITER" && text.length > 1) return text;
    throw this.wrong(name, `'${text}': give one ASCII character, no line feed and no NUL`);
  }

  count(name: string, most: number): number {
    const text = this.word();
    if (/^\d{1,10}$/.test(text) && Number(text) <= most) return Number(text);
    throw this.wrong(name, `"${text}": give a whole number from 0 to ${most}`);
  }

  /** The pattern of dates or times, one that can be read here. */
  pattern(name: string): string {
    const text = this.literal(name);
    const named = name === "TIMEFORMAT" ? ["auto", "epochsecs", "epochmillisecs"] : ["auto"];
    if (named.includes(text) || this.#target === "redshift") return text;
    const pattern = readTimePattern(text);
    if (typeof pattern === "string") throw this.wrong(name, `'${text}': ${pattern}`);
    return text;
  }

  setFormat(format: CopyOptions["format"], name: string): void {
    if (this.#formatName !== undefined) {
      throw this.wrong(name, `with ${this.#formatName}: a file has one format`);
    }
    this.#formatName = name;
    this.#draft.format = format;
  }

  refuseOnPostgres(name: string, advice = "leave it out, or load into Redshift"): void {
    if (this.#target === "redshift") return;
    throw this.wrong(name, `on PostgreSQL: only Redshift honours it; ${advice}`);
  }

  wrong(name: string, detail: string): SluiceError {
    return usageError("read COPY options", `cannot use ${name} ${detail}`);
  }

  #settled(): CopyOptions {
    const draft = this.#draft;
    const odd = (["ESCAPE", "REMOVEQUOTES"] as const).find((name) => this.#seen.has(name));
    if (draft.format === "csv") {
      if (odd) throw this.wrong(odd, "with CSV: the quotation marks of CSV do its work");
      if (!this.hasDelimiter) draft.delimiter = ",";
      draft.quote ??= '"';
      if (draft.quote === draft.delimiter) throw this.wrong("QUOTE", "that is the delimiter too");
    } else if (draft.quote !== null) {
      throw this.wrong("QUOTE", "without CSV: add CSV");
    }
    if (draft.format === "json" || draft.format === "columnar") {
      const wrong = odd ?? (this.hasDelimiter ? "DELIMITER" : undefined);
      if (wrong) throw this.wrong(wrong, `with ${this.#formatName}`);
    }
    if (draft.escape && draft.delimiter === "\\") {
      throw this.wrong("DELIMITER", "'\\' with ESCAPE: give another one");
    }
    return draft;
  }
}

function unknownOption(name: string): SluiceError {
  const meant = nearest(name, Object.keys(takers));
  const advice = meant ? `: write ${meant}` : ": see the options of Redshift's COPY";
  // What is far from every option may be the rest of a key.
  const shown = /^[A-Z_]{1,24}$/.test(name) ? name : "(a word that is no option)";
  return usageError("read COPY options", `unknown option ${shown}${advice}`);
}
