import type { Session } from "../clients/warehouse/warehouse.ts";
import { SluiceError } from "../core/errors.ts";
import { Exit, type ExitCode } from "../core/exit.ts";
import type { RowWriter, TextOutput } from "./row_writer.ts";
import { refuseWriting } from "./read_only.ts";
import { type Outcome, runStatement } from "./run_statement.ts";
import type { Statement } from "./statements.ts";

/** What a script is run with. */
export interface ScriptContext {
  readonly session: Session;
  readonly output: TextOutput;
  readonly writer: RowWriter;
  readonly mayWrite: boolean;
  /** Aborted when the statement under way is to be given up, and nothing else to be begun. */
  readonly stop: AbortSignal;
  /** Told after each statement. */
  readonly onDone: (outcome: Outcome) => Promise<void>;
}

/**
 * Runs statements one after the other, each in a transaction of its own unless they say BEGIN.
 *
 * @throws {SluiceError} at the first one that fails; those behind it are not run. `usage` before any
 *   is run when one writes and may not.
 */
export async function runScript(
  statements: readonly Statement[],
  context: ScriptContext,
): Promise<ExitCode> {
  const { session, output, stop } = context;
  const failureOf = (thrown: unknown, i: number, statement: Statement) =>
    statements.length > 1 ? numbered(thrown, i, statement, statements.length) : thrown;
  if (!context.mayWrite) {
    // All of them first: of a script that writes nothing is run.
    for (const [i, statement] of statements.entries()) {
      try {
        refuseWriting(statement.text, session.kind);
      } catch (thrown) {
        throw failureOf(thrown, i, statement);
      }
    }
  }
  const cancel = () => void session.cancel().catch(() => {});
  stop.addEventListener("abort", cancel);
  try {
    for (const [i, statement] of statements.entries()) {
      if (stop.aborted) return Exit.interrupted;
      if (output.isClosed) return Exit.ok;
      const outcome = await runStatement(statement.text, {
        ...context,
        isStopped: () => stop.aborted,
      }).catch((thrown) => {
        throw failureOf(thrown, i, statement);
      });
      if (stop.aborted && !outcome.isWhole) return Exit.interrupted;
      await context.onDone(outcome);
    }
    return Exit.ok;
  } finally {
    stop.removeEventListener("abort", cancel);
  }
}

function numbered(thrown: unknown, index: number, { line }: Statement, count: number): unknown {
  if (!(thrown instanceof SluiceError)) return thrown;
  const action = `run statement ${index + 1} of ${count}, which begins in line ${line}`;
  return new SluiceError(action, thrown.fault, thrown.detail, { cause: thrown });
}
