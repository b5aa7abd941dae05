import type { BaldrFramer, RecordSink } from "../formats/baldr.ts";

/** Lets some records through, counted over all inputs: those behind the first `skip`, `limit` at most. */
export class Selection implements RecordSink {
  #sink: RecordSink;
  readonly #first: number;
  readonly #end: number;
  #record = 0;
  #framer: BaldrFramer | undefined;

  constructor(
    sink: RecordSink,
    { skip, limit }: { readonly skip: number; readonly limit: number | undefined },
  ) {
    this.#sink = sink;
    this.#first = skip;
    this.#end = limit === undefined ? Infinity : skip + limit;
  }

  /** Whether there will be no more, whatever follows. */
  get isDone(): boolean {
    return this.#record >= this.#end;
  }

  /**
   * The framer that brings the records, to be stopped at the limit: what follows is not looked at;
   * and where those go that are let through.
   */
  readFrom(framer: BaldrFramer, sink: RecordSink): void {
    this.#framer = framer;
    this.#sink = sink;
  }

  record(
    bytes: Uint8Array,
    start: number,
    end: number,
    part: number,
    more: boolean,
    length: number,
  ): void {
    if (this.#record >= this.#first && this.#record < this.#end) {
      this.#sink.record(bytes, start, end, part, more, length);
    }
    if (more) return;
    this.#record++;
    if (this.isDone) this.#framer?.stop();
  }
}
