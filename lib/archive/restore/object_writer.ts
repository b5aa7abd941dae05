import { SluiceError } from "../../core/errors.ts";
import type { World } from "../../core/world.ts";
import type { ObjectBytes } from "./object_bytes.ts";
import type { Cover, RestoreRange } from "./range.ts";
import { RecordBlocks } from "./record_blocks.ts";
import { RecordReader } from "./record_reader.ts";
import type { RecordTaker } from "./target_writer.ts";
import type { Throttle } from "./throttle.ts";

/** What a writer works with. */
export interface WriterTools {
  readonly world: World;
  readonly range: RestoreRange;
  readonly throttle: Throttle;
  readonly signal: AbortSignal;
}

/**
 * Hands the wanted records of one proven object on. May be called again after a `transient` error:
 * it goes on behind the last record that was handed on.
 */
export class ObjectWriter {
  /** Wanted records that were handed on or skipped. */
  wanted = 0;
  readonly #reader = new RecordReader();
  /** Records of the object that have been dealt with. */
  #done = 0;

  constructor(
    private readonly tools: WriterTools,
    private readonly bytes: ObjectBytes,
    /** How many of the wanted records are not to be handed on, as they have been before. */
    public toSkip: number,
  ) {}

  /**
   * @param records how many the object has, and `end` the offset behind them.
   * @throws {SluiceError} of store and taker; `corrupt` for what is no archived record, `permanent`
   * when the range cuts values whose offsets are not known.
   */
  async write(
    taker: RecordTaker,
    cover: Cover,
    records: number,
    end: bigint,
  ): Promise<void> {
    const { kind, key } = this.bytes.object;
    const isWanted = kind === "values"
      ? this.#valueFilter(cover, records, end)
      : this.#recordFilter(cover);
    const source = await this.bytes.inflated();
    try {
      const blocks = new RecordBlocks(source);
      for (let before = 0; await blocks.next(); before += blocks.count) {
        await this.#writeBlock(blocks, before, taker, isWanted);
      }
    } catch (thrown) {
      if (!(thrown instanceof SluiceError) || thrown.fault !== "corrupt") throw thrown;
      const detail = `record ${this.#done} of it, counted from 0: ${thrown.message}`;
      throw new SluiceError(`restore ${key}`, "corrupt", detail, { cause: thrown });
    } finally {
      source.close();
    }
  }

  /** @param before how many records the blocks before had. */
  async #writeBlock(
    blocks: RecordBlocks,
    before: number,
    taker: RecordTaker,
    isWanted: Filter | null,
  ): Promise<void> {
    const reader = this.bytes.object.kind === "records" ? this.#reader : null;
    // Values have lost their times: they get that of their restore.
    const nowMs = this.tools.world.nowMs();
    for (let i = Math.max(0, this.#done - before); i < blocks.count; i++) {
      const bytes = blocks.bytesOf(i);
      const start = blocks.startOf(i);
      const end = blocks.endOf(i);
      reader?.read(bytes, start, end);
      if (isWanted === null || isWanted(before + i)) {
        if (this.toSkip > 0) this.toSkip--;
        else {
          if (!taker.hasRoom || !this.tools.throttle.take()) await this.#mayWrite(taker);
          if (reader === null) taker.value(bytes, start, end, nowMs);
          else {
            const { tailStart, timestampMs, exactTimestampMs } = reader;
            taker.tail(bytes, tailStart, end, exactTimestampMs ?? timestampMs);
          }
        }
        this.wanted++;
      }
      this.#done = before + i + 1;
    }
  }

  /** Waits until one more record may be written. */
  async #mayWrite(taker: RecordTaker): Promise<void> {
    const { throttle, signal } = this.tools;
    for (;;) {
      await taker.room();
      if (throttle.take()) return;
      taker.flush(); // it would wait for as long as we do
      await throttle.wait(signal);
    }
  }

  #recordFilter(cover: Cover): Filter | null {
    if (cover === "all") return null;
    const { fromOffset, toOffset, fromTimeMs = -Infinity, toTimeMs = Infinity } = this.tools.range;
    const from = fromOffset === undefined ? -Infinity : Number(fromOffset);
    const to = toOffset === undefined ? Infinity : Number(toOffset);
    const reader = this.#reader;
    return () =>
      reader.offset >= from && reader.offset < to &&
      reader.timestampMs >= fromTimeMs && reader.timestampMs < toTimeMs;
  }

  /** Values have no offsets of their own; they can be counted where none is missing. */
  #valueFilter(cover: Cover, records: number, end: bigint): Filter | null {
    if (cover === "all") return null;
    const { key, first } = this.bytes.object;
    if (end - first !== BigInt(records)) {
      throw new SluiceError(
        `restore a part of ${key}`,
        "permanent",
        `it holds ${records} values of the offsets ${first} to ${
          end - 1n
        } and does not say which ` +
          `are missing; begin and end at ${first} or ${end}`,
      );
    }
    const { fromOffset = first, toOffset = end } = this.tools.range;
    const from = Number(fromOffset - first);
    const to = Number(toOffset - first);
    return (index) => index >= from && index < to;
  }
}

/** Whether the record of this index in its object is wanted; whole records have just been read. */
type Filter = (index: number) => boolean;
