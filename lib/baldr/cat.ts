import type { ByteSink } from "../core/bytes.ts";
import { SluiceError } from "../core/errors.ts";
import { BaldrFramer, type RecordSink } from "../formats/baldr.ts";
import type { ArchivedDecoder } from "./archived.ts";
import { nameOf, type OpenSource } from "./inputs.ts";
import { Output } from "./output.ts";
import { complaintAbout, couldBeRead, decoderFor, readRecords, verifyEach } from "./reading.ts";
import { renderBaldr, renderHex, renderLines, renderRaw } from "./render.ts";
import { Selection } from "./selection.ts";

/** The forms that records can be printed in. */
export const catFormats = ["lines", "raw", "jsonl", "hex", "baldr"] as const;

/** What to print. */
export interface CatPlan {
  /** Files and `-`, as {@linkcode inputNames} gives them, and what `open` knows. */
  readonly inputs: readonly string[];
  /** Opens inputs that are no files. */
  readonly open?: OpenSource;
  readonly format: typeof catFormats[number] | "pretty";
  readonly colours: boolean;
  readonly skip: number;
  readonly limit: number | undefined;
  readonly recordBytesMost: number;
}

/** Where records go: a sink that may have nobody behind it any more. */
export interface CatSink extends ByteSink {
  readonly isClosed: boolean;
}

/**
 * Prints the records of all inputs, one input after the other. Of a damaged one every whole record
 * before the damage is printed; then, and when one cannot be read, the error is reported (all that
 * was printed before is out) and the next input follows.
 *
 * @throws {SluiceError} when the output cannot be written.
 */
export async function cat(
  plan: CatPlan,
  sink: CatSink,
  report: (error: SluiceError) => void,
): Promise<void> {
  // A re-framed record that were given in part would make damage of all that follows it.
  const output = new Output(sink, plan.format === "baldr" ? { holdBytes: Infinity } : {});
  const renderer = await rendererOf(plan, output);
  const selection = new Selection(renderer, plan);
  const settle = async () => {
    await output.flush();
    return !selection.isDone && !sink.isClosed;
  };
  for (const operand of plan.inputs) {
    if (selection.isDone || sink.isClosed) break;
    const decoder = await decoderFor(operand, selection);
    const framer = new BaldrFramer(decoder?.sink ?? selection, plan);
    decoder?.readFrom(framer);
    selection.readFrom(framer, await archivedRenderer(plan, output, decoder) ?? renderer);
    const read = await readRecords(operand, framer, settle, plan.open);
    const reading = decoder?.judge(read) ?? read;
    const error = complaintAbout(nameOf(operand), reading);
    if (error === undefined) continue;
    const given = endOpen(output, plan);
    await output.finish();
    report(given === 0 ? error : withGiven(error, given));
  }
  await output.finish();
}

async function rendererOf({ format, colours }: CatPlan, output: Output): Promise<RecordSink> {
  switch (format) {
    case "lines":
      return renderLines(output);
    case "raw":
      return renderRaw(output);
    case "hex":
      return renderHex(output);
    case "baldr":
      return renderBaldr(output);
    case "jsonl":
    case "pretty": {
      // Loaded when it is needed, so that the other forms start sooner.
      const { renderJsonLines, renderPretty } = await import("./render_json.ts");
      return format === "jsonl" ? renderJsonLines(output) : renderPretty(output, { colours });
    }
  }
}

/** How whole records are shown, where that is not by their values alone. */
async function archivedRenderer(
  { format, colours }: CatPlan,
  output: Output,
  decoder: ArchivedDecoder | undefined,
): Promise<RecordSink | undefined> {
  if (decoder === undefined || (format !== "jsonl" && format !== "pretty")) return undefined;
  const { renderArchived } = await import("./archived.ts");
  return renderArchived(output, decoder, { isPretty: format === "pretty", colours });
}

/** Ends what was printed of a record that will not come to its end; returns how many bytes it was. */
function endOpen(output: Output, { format }: CatPlan): number {
  const given = output.dropOpen();
  if (given > 0 && format !== "raw") {
    output.byte(10); // so that the next input begins on a line of its own
    output.endRecord();
  }
  return given;
}

function withGiven({ action, fault, detail }: SluiceError, given: number): SluiceError {
  const said = `${detail}; ${given} bytes of what is damaged had been printed before that showed`;
  return new SluiceError(action, fault, said);
}

/** Counts the records of each input, and tells each count; errors are reported as by {@linkcode cat}. */
export async function count(
  plan: Pick<CatPlan, "inputs" | "recordBytesMost" | "open">,
  tell: (operand: string, records: number) => Promise<void>,
  report: (error: SluiceError) => void,
): Promise<void> {
  await verifyEach(plan, async (verdict) => {
    if (couldBeRead(verdict)) await tell(verdict.operand, verdict.reading.records);
  }, report);
}
