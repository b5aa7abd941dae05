import type { ByteSink } from "../core/bytes.ts";
import { SluiceError } from "../core/errors.ts";
import { BaldrFramer, type RecordFramer, type RecordSink } from "../formats/baldr.ts";
import { SeparatedFramer } from "../formats/separated.ts";
import { nameOf } from "./inputs.ts";
import { Output } from "./output.ts";
import { describeDamage, readRecords } from "./reading.ts";
import { renderBaldr } from "./render.ts";

/** How records are told apart in what is packed: by LF, by NUL, or by lengths as in Baldr itself. */
export const packInputs = ["lines", "nul", "length"] as const;

/** What to pack. */
export interface PackPlan {
  /** Files and `-`, as {@linkcode inputNames} gives them. */
  readonly inputs: readonly string[];
  readonly input: typeof packInputs[number];
  readonly recordBytesMost: number;
}

/**
 * Writes the records of all inputs to `sink` as one Baldr stream; returns how many there were.
 *
 * @param isWanted asked now and then: false when nobody takes what is written any more.
 * @throws {SluiceError} at the first input that is damaged (`corrupt`) or cannot be read: what was
 * written is then not to be used.
 */
export async function pack(
  plan: PackPlan,
  sink: ByteSink,
  isWanted: () => boolean = () => true,
): Promise<number> {
  const output = new Output(sink, { holdBytes: 0 });
  let records = 0;
  for (const operand of plan.inputs) {
    const framer = framerOf(plan, renderBaldr(output));
    const reading = await readRecords(operand, framer, async () => {
      await output.flush();
      return isWanted();
    });
    const { error } = reading;
    if (error !== undefined) {
      const detail = error.fault === "corrupt" ? describeDamage(reading) : error.detail;
      throw new SluiceError(`pack ${nameOf(operand)}`, error.fault, detail, { cause: error });
    }
    records += reading.records;
    if (!isWanted()) break;
  }
  await output.finish();
  return records;
}

function framerOf({ input, recordBytesMost }: PackPlan, sink: RecordSink): RecordFramer {
  if (input === "length") return new BaldrFramer(sink, { recordBytesMost });
  return new SeparatedFramer(sink, { separator: input === "nul" ? 0 : 10, recordBytesMost });
}
