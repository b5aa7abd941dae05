import type { Session } from "../clients/warehouse/warehouse.ts";
import { serverReportOf } from "../clients/warehouse/warehouse.ts";
import { faultOf, SluiceError } from "../core/errors.ts";
import { visible } from "../core/visible.ts";
import { isPlainQuery, readOnly, refuseWriting } from "./read_only.ts";
import type { Ending, RowWriter, TextOutput } from "./row_writer.ts";

/** What a statement came to. */
export interface Outcome extends Ending {
  readonly hasColumns: boolean;
}

/** Where results go, and what may be done. */
export interface RunContext {
  readonly session: Session;
  readonly output: TextOutput;
  readonly writer: RowWriter;
  readonly mayWrite: boolean;
  /** True from when a person has asked for the statement to be given up. */
  readonly isStopped: () => boolean;
}

/**
 * Runs one statement and prints what it gives, as it comes. What was printed when the statement is
 * given up is brought to its end.
 *
 * @throws {SluiceError} of the server; `transient` only when the connection is lost.
 */
export async function runStatement(sql: string, context: RunContext): Promise<Outcome> {
  const { session, mayWrite, isStopped } = context;
  if (mayWrite) return await printed(sql, context);
  refuseWriting(sql, session.kind);
  try {
    return await readOnly(session, sql, (sent) => printed(sent, context));
  } catch (thrown) {
    // Given up before it had begun.
    if (isStopped() && serverReportOf(thrown)?.sqlState === cancelled) return nothing;
    throw thrown;
  }
}

/** The SQLSTATE of what was given up. */
const cancelled = "57014";

const nothing: Outcome = { rows: 0, tag: "", isWhole: false, hasColumns: false };

async function printed(sql: string, context: RunContext): Promise<Outcome> {
  const { session, output, writer, isStopped } = context;
  // Alone, so that nothing that writes can hide behind it.
  const how = { isSingle: !context.mayWrite };
  let rows = 0;
  let hasColumns = false;
  const copy = isCopyOut(sql) ? ["", sql, ""] : copyOf(sql, session, writer);
  try {
    if (copy !== null) {
      for await (const bytes of session.copyOut(copy.join(""), how)) {
        await output.bytes(bytes);
        if (output.isClosed) break;
      }
      return { rows, tag: "", isWhole: !isStopped(), hasColumns: true };
    }
    const stream = await session.stream(sql, how);
    hasColumns = stream.columns.length > 0;
    const batches = stream[Symbol.asyncIterator]();
    try {
      if (hasColumns) await writer.begin(stream.columns);
      for (let next; !(next = await batches.next()).done;) {
        rows += next.value.length;
        await writer.rows(next.value);
        if (output.isClosed) break;
      }
    } finally {
      // Before the last batch it is cancelled.
      await batches.return?.();
    }
    const ending = { rows, tag: stream.tag, isWhole: stream.tag !== "" };
    if (hasColumns) await writer.end(ending);
    return { ...ending, hasColumns };
  } catch (thrown) {
    if (!isStopped()) throw statementFailure(thrown, sql, session, copy?.[0]?.length ?? 0);
    const ending = { rows, tag: "", isWhole: false };
    // Of a result without a row there is nothing to end.
    if (rows > 0) await writer.end(ending);
    return { ...ending, hasColumns };
  }
}

function isCopyOut(sql: string): boolean {
  return /^copy\b[^]*\bto\s+stdout\b/i.test(sql);
}

/**
 * A query as the COPY that gives what the writer would make of it, with what stands before and behind
 * it: the server makes CSV with a third of the work that we would have. Null where that does not go.
 */
function copyOf(sql: string, session: Session, writer: RowWriter): readonly string[] | null {
  if (writer.copyOptions === undefined || session.kind === "redshift") return null;
  // The line feed ends a comment behind the query.
  return isPlainQuery(sql) ? ["COPY (", sql, `\n) TO STDOUT WITH (${writer.copyOptions})`] : null;
}

/** The SQLSTATE of a statement that writes where nothing may. */
const readOnlyViolation = "25006";

/**
 * The error of a statement, with the place in it that the server means. Nobody runs a statement again
 * for us: what only could be tried again has failed, unless the connection is lost.
 */
function statementFailure(
  thrown: unknown,
  sql: string,
  session: Session,
  before: number,
): unknown {
  const report = serverReportOf(thrown);
  if (!(thrown instanceof SluiceError) || report === null) return thrown;
  const fault = faultOf(thrown) === "transient" && !session.isBroken ? "permanent" : thrown.fault;
  const place = report.position === undefined
    ? ""
    : `; at ${placeText(sql, report.position - before)}`;
  const advice = report.sqlState === readOnlyViolation ? "; give --write if it is meant" : "";
  return new SluiceError("run the statement", fault, thrown.detail + place + advice, {
    cause: thrown,
  });
}

/** `line 2: "FROM tabel"`: where a server says that something is wrong. */
function placeText(sql: string, position: number): string {
  const characters = [...sql];
  const before = characters.slice(0, position - 1).join("");
  const line = before.split("\n").length;
  const rest = characters.slice(position - 1, position + 29).join("").split("\n")[0] ?? "";
  return `line ${line}: ${visible(rest === "" ? "the end" : rest)}`;
}
