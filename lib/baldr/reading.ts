import { SluiceError } from "../core/errors.ts";
import { BaldrFramer, type RecordFramer, type RecordSink } from "../formats/baldr.ts";
import type { ArchivedDecoder } from "./archived.ts";
import { type Input, nameOf, openInput, type OpenSource } from "./inputs.ts";

/** What one input held, up to its end or to where something is wrong. */
export interface Reading {
  /** Whole records; the last one has the index `records - 1`. */
  readonly records: number;
  /** Where the last whole record ends; what is damaged begins here. Inflated bytes. */
  readonly wholeBytes: number;
  /** Bytes that came, inflated. */
  readonly bytes: number;
  /** How far the compressed file was read: a damage lies here or before. Undefined without gzip. */
  readonly compressedBytes: number | undefined;
  /** `corrupt` at damage, another fault when it could not be read; undefined when all is sound. */
  readonly error: SluiceError | undefined;
}

/**
 * Opens an input and reads it through a framer to its end, or to where it is damaged: then every
 * whole record before has been handed on. Never throws what is wrong with the input.
 *
 * @param settle called when a piece has been handed on; false: no more is wanted. What it throws is
 * thrown.
 * @param open opens what is no file.
 */
export async function readRecords(
  operand: string,
  framer: RecordFramer,
  settle: () => Promise<boolean>,
  open?: OpenSource,
): Promise<Reading> {
  const opened = await unlessWrong(() => openInput(operand, open));
  if (opened instanceof SluiceError) return readingOf(framer, undefined, opened);
  try {
    for (;;) {
      const hasMore = await unlessWrong(() => readPiece(opened, framer));
      if (hasMore instanceof SluiceError) return readingOf(framer, opened, hasMore);
      if (!hasMore || !await settle()) return readingOf(framer, opened, undefined);
    }
  } finally {
    opened.close();
  }
}

/** Hands one piece on; false at the end of the input. */
async function readPiece(input: Input, framer: RecordFramer): Promise<boolean> {
  const bytes = await input.next();
  if (bytes === undefined) framer.finish();
  else framer.push(bytes);
  return bytes !== undefined;
}

async function unlessWrong<T>(act: () => Promise<T>): Promise<T | SluiceError> {
  try {
    return await act();
  } catch (thrown) {
    if (thrown instanceof SluiceError) return thrown;
    throw thrown;
  }
}

function readingOf(
  { records, wholeBytes, bytes }: RecordFramer,
  input: Input | undefined,
  error: SluiceError | undefined,
): Reading {
  return { records, wholeBytes, bytes, compressedBytes: input?.compressedBytes, error };
}

/**
 * What is wrong with an input, in words: `damaged at byte 1200 (byte 340 of the gzip): …; 5 whole
 * records before it, the last has index 4`.
 */
export function describeDamage({ records, wholeBytes, compressedBytes, error }: Reading): string {
  const compressed = compressedBytes === undefined ? "" : ` (byte ${compressedBytes} of the gzip)`;
  const noun = records === 1 ? "record" : "records";
  const whole = records === 0
    ? "no whole record before it"
    : `${records} whole ${noun} before it, the last has index ${records - 1}`;
  return `damaged at byte ${wholeBytes}${compressed}: ${error?.detail}; ${whole}`;
}

/** The complaint about an input; undefined when nothing is wrong with it. */
export function complaintAbout(name: string, reading: Reading): SluiceError | undefined {
  const { error } = reading;
  if (error?.fault !== "corrupt") return error;
  return new SluiceError(`read all of ${name}`, "corrupt", describeDamage(reading));
}

/** What {@linkcode verifyEach} came to for one input, with the complaint about it if there is one. */
export interface Verdict {
  readonly operand: string;
  readonly reading: Reading;
  readonly error: SluiceError | undefined;
}

/**
 * Reads each input to its end, as Baldr, and keeps nothing of it but what {@linkcode Reading} tells;
 * `report` gets the complaints, each after its verdict.
 */
export async function verifyEach(
  { inputs, recordBytesMost, open }: {
    readonly inputs: readonly string[];
    readonly recordBytesMost: number;
    readonly open?: OpenSource;
  },
  tell: (verdict: Verdict) => Promise<void>,
  report: (error: SluiceError) => void,
): Promise<void> {
  for (const operand of inputs) {
    const nobody = { record: () => {} };
    const decoder = await decoderFor(operand, nobody);
    const framer = new BaldrFramer(decoder?.sink ?? nobody, { recordBytesMost });
    decoder?.readFrom(framer);
    const read = await readRecords(operand, framer, () => Promise.resolve(true), open);
    const reading = decoder?.judge(read) ?? read;
    const error = complaintAbout(nameOf(operand), reading);
    await tell({ operand, reading, error });
    if (error !== undefined) report(error);
  }
}

/** What takes an input of whole records apart; loaded when there is one. */
export async function decoderFor(
  operand: string,
  sink: RecordSink,
): Promise<ArchivedDecoder | undefined> {
  if (!/\.records(\.gz)?$/.test(operand)) return undefined;
  const { ArchivedDecoder } = await import("./archived.ts");
  return new ArchivedDecoder(sink);
}

/** Whether the input could be read, to its end or to where it is damaged. */
export function couldBeRead({ error }: Verdict): boolean {
  return error === undefined || error.fault === "corrupt";
}
