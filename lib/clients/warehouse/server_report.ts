/** Where in the input of COPY a server found something wrong. */
export interface CopyContext {
  /** As the server names it: without its schema. */
  readonly table: string;
  /** Of the bytes that COPY was given, from 1; a header counts. */
  readonly line: number;
  /** The column whose value was wrong; without it the line as such was. */
  readonly column?: string;
  /** The value as it came, or the beginning of the line (100 characters); undefined for a null. */
  readonly value?: string;
}

/** What a server said of a failure. */
export interface ServerReport {
  /** Five characters: "23505" is a duplicate key. Redshift says "XX000" of most things. */
  readonly sqlState: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  /** The circumstances, innermost first, a line each. */
  readonly where?: string;
  /** In the statement, from 1, in characters. */
  readonly position?: number;
  /** "ERROR" undoes the transaction; "FATAL" and "PANIC" end the connection, too. */
  readonly severity: string;
  readonly copy?: CopyContext;
}

/** The error that carries a report, as the cause of the error that callers see. */
export class ReportedError extends Error {
  override readonly name = "ReportedError";

  constructor(readonly report: ServerReport) {
    super(report.message);
  }
}

/** What the server said of a failure; null when it is not from a server. Looks through the causes. */
export function serverReportOf(thrown: unknown): ServerReport | null {
  for (let one = thrown; one instanceof Error; one = one.cause) {
    if (one instanceof ReportedError) return one.report;
  }
  return null;
}

/** The fields of an ErrorResponse as the libraries give them. */
interface Said {
  readonly code?: unknown;
  readonly severity?: unknown;
  readonly message?: unknown;
  readonly detail?: unknown;
  readonly hint?: unknown;
  readonly where?: unknown;
  readonly position?: unknown;
}

/** Reads the error that a library made of an ErrorResponse; undefined for any other value. */
export function reportFrom(thrown: unknown): ServerReport | undefined {
  if (typeof thrown !== "object" || thrown === null) return undefined;
  const { code, severity, message, detail, hint, where, position } = thrown as Said;
  // System errors have a code, too, as "ECONNRESET"; a server always tells how severe it is.
  if (typeof code !== "string" || typeof severity !== "string") return undefined;
  const copy = copyContextOf(where);
  return {
    sqlState: code,
    severity,
    message: String(message ?? ""),
    ...(typeof detail === "string" ? { detail } : {}),
    ...(typeof hint === "string" ? { hint } : {}),
    ...(typeof where === "string" ? { where } : {}),
    ...(typeof position === "string" && position !== "" ? { position: Number(position) } : {}),
    ...(copy ? { copy } : {}),
  };
}

// "COPY t, line 2, column id: "bad"", ", column id: null input", ": "a whole line"", or only the
// line; after it may stand the outer circumstances, each on a line of its own. A server that speaks
// another language has other words and quotes at the same places.
const context =
  /^COPY (?<table>.+?), \p{L}+ (?<line>\d+)(?:, \p{L}+ (?<column>.+?))??(?: ?: (?:["»«„“] ?(?<value>.*?) ?["»«“”]|[^"\n]*))?(?=$|\n(?:SQL|PL|COPY ))/su;

/** Reads the circumstances that the server tells of an error within COPY. */
export function copyContextOf(where: unknown): CopyContext | undefined {
  const { table, line, column, value } = context.exec(String(where ?? ""))?.groups ?? {};
  if (table === undefined || line === undefined) return undefined;
  return {
    table,
    line: Number(line),
    ...(column === undefined ? {} : { column }),
    ...(value === undefined ? {} : { value }),
  };
}
