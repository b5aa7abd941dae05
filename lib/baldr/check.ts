import { reasonOf, type SluiceError } from "../core/errors.ts";
import { visible } from "../core/visible.ts";
import { nameOf, type OpenSource } from "./inputs.ts";
import { couldBeRead, describeDamage, type Reading, verifyEach } from "./reading.ts";

/** What to check. */
export interface CheckPlan {
  /** Files and `-`, as {@linkcode inputNames} gives them, and what `open` knows. */
  readonly inputs: readonly string[];
  /** Opens inputs that are no files. */
  readonly open?: OpenSource;
  readonly recordBytesMost: number;
  /** Results as JSON, one object a line. */
  readonly json: boolean;
}

/**
 * Verifies every input to its end: lengths, gzip checksums and sizes, that nothing is missing and
 * nothing follows. Tells a line for each that could be read (as JSON: for each); `report` gets all
 * that is wrong.
 */
export async function check(
  plan: CheckPlan,
  tell: (line: string) => Promise<void>,
  report: (error: SluiceError) => void,
): Promise<void> {
  await verifyEach(plan, async (verdict) => {
    const { operand, reading } = verdict;
    if (plan.json) await tell(jsonOf(operand, reading));
    else if (couldBeRead(verdict)) await tell(textOf(operand, reading));
  }, report);
}

function textOf(operand: string, reading: Reading): string {
  const { records, bytes, compressedBytes, error } = reading;
  const name = visible(nameOf(operand));
  if (error !== undefined) return `${name}: ${describeDamage(reading)}`;
  const size = compressedBytes === undefined
    ? `${bytes} bytes`
    : `${bytes} bytes, ${compressedBytes} compressed`;
  return `${name}: ok, ${records} ${records === 1 ? "record" : "records"}, ${size}`;
}

function jsonOf(operand: string, reading: Reading): string {
  const { records, bytes, compressedBytes, wholeBytes, error } = reading;
  const said = { file: operand, ok: error === undefined };
  if (error !== undefined && error.fault !== "corrupt") {
    return JSON.stringify({ ...said, error: reasonOf(error) });
  }
  return JSON.stringify({
    ...said,
    records,
    bytes,
    compressed_bytes: compressedBytes ?? null,
    ...(error === undefined ? {} : {
      damage: {
        what: error.detail,
        offset: wholeBytes,
        compressed_offset: compressedBytes ?? null,
        last_whole_record: records === 0 ? null : records - 1,
      },
    }),
  });
}
