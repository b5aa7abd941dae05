import { RedshiftError } from "./redshift_wire.ts";
import { sqlName, type SqlToken, sqlTokens } from "./redshift_sql.ts";
import { closing } from "./redshift_tables.ts";

/** A COPY from S3 as it is written (COPY, r_COPY, and the pages of its parameters). */
export interface CopyClause {
  /** As SQL. */
  readonly table: string;
  /** The last part of its name, for messages. */
  readonly tableName: string;
  readonly columns: readonly string[] | undefined;
  readonly bucket: string;
  readonly key: string;
  readonly options: CopySwitches;
}

/** Options with Redshift's defaults (copy-parameters-data-format, -conversion, -load). */
export interface CopySwitches {
  isManifest: boolean;
  format: "delimited" | "csv" | "json";
  isCaseIgnored: boolean;
  delimiter: string | undefined;
  quote: string;
  isEscaped: boolean;
  removesQuotes: boolean;
  nullAs: string;
  ignoreHeader: number;
  ignoresBlankLines: boolean;
  compression: "none" | "gzip" | "zstd" | "bzip2";
  dateFormat: string;
  timeFormat: string;
  truncatesColumns: boolean;
  blanksAsNull: boolean;
  emptyAsNull: boolean;
  trimsBlanks: boolean;
  fillsRecord: boolean;
  rounds: boolean;
  invalidChars: string | undefined;
  maxError: number;
  isNoLoad: boolean;
  region: string | undefined;
  accessKey: string | undefined;
  secretKey: string | undefined;
  sessionToken: string | undefined;
  role: string | undefined;
}

/** Whether a statement is a COPY from S3. */
export function isCopyFromS3(shape: string): boolean {
  return /^COPY \S.* FROM \?/.test(shape);
}

/** Reads one. @throws {RedshiftError} a syntax error. */
export function readCopy(sql: string): CopyClause {
  const tokens = sqlTokens(sql);
  const from = tokens.findIndex(({ kind, value }) => kind === "word" && value === "FROM");
  const open = tokens.findIndex(({ text }) => text === "(");
  const hasColumns = open > 0 && open < from;
  const close = hasColumns ? closing(tokens, open) : from;
  const named = tokens.slice(1, hasColumns ? open : from);
  const columns = tokens.slice(open + 1, close).filter(({ text }) => text !== ",").map(nameOf);
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.*)$/.exec(tokens[from + 1]?.value ?? "") ?? [];
  if (bucket === undefined || key === undefined) {
    throw new RedshiftError("COPY: the stand-in reads s3://BUCKET/KEY only", "0A000");
  }
  const last = named.at(-1);
  return {
    table: named.map((token) => token.text === "." ? "." : sqlName(nameOf(token))).join(""),
    tableName: last ? nameOf(last) : "",
    columns: hasColumns ? columns : undefined,
    ...{ bucket, key },
    options: new Reading(tokens.slice(from + 2)).all(),
  };
}

function nameOf({ kind, value, text }: SqlToken): string {
  return kind === "name" ? value : text.toLowerCase();
}

class Reading {
  readonly #seen = new Set<string>();
  readonly #draft: CopySwitches = {
    ...{ isManifest: false, format: "delimited", isCaseIgnored: false, delimiter: undefined },
    ...{ quote: '"', isEscaped: false, removesQuotes: false, nullAs: "\\N", ignoreHeader: 0 },
    ...{ ignoresBlankLines: false, compression: "none", dateFormat: "YYYY-MM-DD" },
    ...{ timeFormat: "YYYY-MM-DD HH:MI:SS", truncatesColumns: false, blanksAsNull: false },
    ...{ emptyAsNull: false, trimsBlanks: false, fillsRecord: false, rounds: false },
    ...{ invalidChars: undefined, maxError: 0, isNoLoad: false, region: undefined },
    ...{ accessKey: undefined, secretKey: undefined, sessionToken: undefined, role: undefined },
  };
  readonly #tokens: SqlToken[];

  constructor(tokens: readonly SqlToken[]) {
    this.#tokens = [...tokens];
  }

  all(): CopySwitches {
    for (let token = this.#tokens.shift(); token; token = this.#tokens.shift()) {
      if (["WITH", "FORMAT", "AS"].includes(token.value)) continue;
      if (token.kind !== "word") throw syntax(token);
      if (this.#seen.has(token.value)) {
        throw new RedshiftError("conflicting or redundant options", "42601");
      }
      this.#seen.add(token.value);
      if (!this.#switch(token.value) && !this.#valued(token.value)) throw syntax(token);
    }
    const { format, isEscaped, removesQuotes } = this.#draft;
    // "You can't use CSV with FIXEDWIDTH, REMOVEQUOTES, or ESCAPE" (copy-parameters-data-format).
    if (format === "csv" && (isEscaped || removesQuotes)) {
      throw new RedshiftError("CSV is not compatible with REMOVEQUOTES or ESCAPE", "42601");
    }
    return this.#draft;
  }

  #switch(name: string): boolean {
    const draft = this.#draft;
    const acts: Readonly<Record<string, () => void>> = {
      MANIFEST: () => draft.isManifest = true,
      CSV: () => draft.format = "csv",
      ESCAPE: () => draft.isEscaped = true,
      REMOVEQUOTES: () => draft.removesQuotes = true,
      IGNOREBLANKLINES: () => draft.ignoresBlankLines = true,
      GZIP: () => draft.compression = "gzip",
      ZSTD: () => draft.compression = "zstd",
      BZIP2: () => draft.compression = "bzip2",
      TRUNCATECOLUMNS: () => draft.truncatesColumns = true,
      BLANKSASNULL: () => draft.blanksAsNull = true,
      EMPTYASNULL: () => draft.emptyAsNull = true,
      TRIMBLANKS: () => draft.trimsBlanks = true,
      FILLRECORD: () => draft.fillsRecord = true,
      ROUNDEC: () => draft.rounds = true,
      NOLOAD: () => draft.isNoLoad = true,
      // These tell how to load, not what (copy-parameters-data-load).
      COMPUPDATE: () => this.#onOff(),
      STATUPDATE: () => this.#onOff(),
    };
    acts[name]?.();
    return Object.hasOwn(acts, name);
  }

  #valued(name: string): boolean {
    const draft = this.#draft;
    const acts: Readonly<Record<string, () => void>> = {
      JSON: () => {
        draft.format = "json";
        const how = this.#tokens[0]?.kind === "literal" || this.#tokens[0]?.value === "AS"
          ? this.#value()
          : "auto";
        draft.isCaseIgnored = how === "auto ignorecase";
        if (!/^auto( ignorecase)?$/.test(how)) {
          throw new RedshiftError(`the stand-in does not do JSON '${how}'`, "0A000");
        }
      },
      DELIMITER: () => draft.delimiter = this.#value(),
      QUOTE: () => draft.quote = this.#value(),
      NULL: () => draft.nullAs = this.#value(),
      IGNOREHEADER: () => draft.ignoreHeader = Number(this.#value()),
      MAXERROR: () => draft.maxError = Number(this.#value()),
      DATEFORMAT: () => draft.dateFormat = this.#value(),
      TIMEFORMAT: () => draft.timeFormat = this.#value(),
      ACCEPTINVCHARS: () => draft.invalidChars = this.#optional() ?? "?",
      REGION: () => draft.region = this.#value(),
      ENCODING: () => void this.#value(),
      COMPROWS: () => void this.#value(),
      READRATIO: () => void this.#value(),
      IAM_ROLE: () => draft.role = this.#value(),
      ACCESS_KEY_ID: () => draft.accessKey = this.#value(),
      SECRET_ACCESS_KEY: () => draft.secretKey = this.#value(),
      SESSION_TOKEN: () => draft.sessionToken = this.#value(),
      CREDENTIALS: () => this.#credentials(this.#value()),
    };
    acts[name]?.();
    return Object.hasOwn(acts, name);
  }

  /** `aws_access_key_id=..;aws_secret_access_key=..` (copy-parameters-authorization). */
  #credentials(text: string): void {
    const fields = new Map(
      text.split(";").map((one) => [one.split("=")[0], one.slice(one.indexOf("=") + 1)]),
    );
    this.#draft.accessKey = fields.get("aws_access_key_id");
    this.#draft.secretKey = fields.get("aws_secret_access_key");
    this.#draft.sessionToken = fields.get("token");
    this.#draft.role = fields.get("aws_iam_role");
  }

  #onOff(): void {
    if (/^(ON|OFF|TRUE|FALSE|PRESET)$/.test(this.#tokens[0]?.value ?? "")) this.#tokens.shift();
  }

  #optional(): string | undefined {
    if (this.#tokens[0]?.value === "AS") this.#tokens.shift();
    return this.#tokens[0]?.kind === "literal" ? this.#tokens.shift()?.value : undefined;
  }

  #value(): string {
    if (this.#tokens[0]?.value === "AS") this.#tokens.shift();
    const token = this.#tokens.shift();
    if (!token) throw new RedshiftError("syntax error at end of input", "42601");
    return token.kind === "word" ? token.text : token.value;
  }
}

function syntax({ text }: SqlToken): RedshiftError {
  return new RedshiftError(`syntax error at or near "${text}"`, "42601");
}
