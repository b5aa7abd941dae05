import type { Session } from "../clients/warehouse/warehouse.ts";
import { serverReportOf } from "../clients/warehouse/warehouse.ts";
import { Gathered } from "../formats/gathered.ts";
import { type BadRow, BadRowError, badRowOf, isDataFailure } from "./bad_file.ts";

/** So much text is copied by one statement; what the server refuses is sent once more without a row. */
const chunkBytes = 256 * 1024;

const LINE_FEED = 10;

// Not the name of the savepoint around the file: going back to that one has to undo all chunks.
const savepoint = "SAVEPOINT sluice_chunk";
const undo = "ROLLBACK TO SAVEPOINT sluice_chunk";
const release = "RELEASE SAVEPOINT sluice_chunk";

/** A row that the server would not take. */
export interface RefusedRow {
  /** Its number among the rows of the file, from 1. */
  readonly number: number;
  readonly row: BadRow;
}

/** What a lenient copy works with. */
export interface LenientTools {
  readonly session: Session;
  readonly copySql: string;
  /** The statement behind which rows are numbered anew, when so many of the file are copied. */
  readonly renumberSql: (copied: number) => string;
  /** Counts one more row that is left out. False: that is one too many. */
  readonly leaveOut: () => boolean;
}

/**
 * Copies COPY text on PostgreSQL in chunks, each behind a savepoint, and leaves out rows that the server
 * refuses, as Redshift's MAXERROR does: the server names the line, and the chunk is sent again without
 * it. At most a chunk is in memory.
 */
export class LenientCopy {
  readonly refused: RefusedRow[] = [];
  #copied = 0;
  /** Rows of the file so far, refused ones with them. */
  #seen = 0;

  constructor(private readonly tools: LenientTools) {}

  /**
   * @returns the rows copied.
   * @throws {SluiceError} what `pieces` throws; the server's failure when it names no row; a
   *   {@linkcode RefusedRowError} when too many rows are refused.
   */
  async copy(pieces: AsyncIterable<Uint8Array>): Promise<number> {
    const chunk = new Gathered();
    for await (const piece of pieces) {
      // Pieces hold whole rows.
      chunk.append(piece, 0, piece.length);
      if (chunk.length >= chunkBytes) await this.#copyChunk(chunk);
    }
    if (chunk.length > 0) await this.#copyChunk(chunk);
    return this.#copied;
  }

  async #copyChunk(chunk: Gathered): Promise<void> {
    const { session, copySql, renumberSql } = this.tools;
    let text = chunk.bytes.slice();
    chunk.clear();
    let numbers = Array.from({ length: countLines(text) }, (_, i) => this.#seen + i + 1);
    this.#seen += numbers.length;
    await session.execute(savepoint);
    while (text.length > 0) {
      try {
        this.#copied += await session.copyIn(copySql, once(text));
        break;
      } catch (thrown) {
        if (session.isBroken || !isDataFailure(thrown)) throw thrown;
        const line = serverReportOf(thrown)?.copy?.line;
        const number = line === undefined ? undefined : numbers[line - 1];
        if (line === undefined || number === undefined) throw thrown;
        const row = badRowOf(thrown);
        if (!this.tools.leaveOut()) throw new RefusedRowError(number, row);
        this.refused.push({ number, row });
        text = withoutLine(text, line);
        numbers = numbers.toSpliced(line - 1, 1);
        await session.execute(`${undo}; ${renumberSql(this.#copied)}`);
      }
    }
    await session.execute(release);
  }
}

/** One refused row too many. */
export class RefusedRowError extends BadRowError {
  /** @param number of the row within its file, from 1. */
  constructor(readonly number: number, row: BadRow) {
    super(row);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

function countLines(text: Uint8Array): number {
  let count = 0;
  for (let at = text.indexOf(LINE_FEED); at >= 0; at = text.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}

/** The text without its line of this number, from 1. */
function withoutLine(text: Uint8Array, line: number): Uint8Array<ArrayBuffer> {
  let start = 0;
  for (let i = 1; i < line; i++) start = text.indexOf(LINE_FEED, start) + 1;
  const end = text.indexOf(LINE_FEED, start) + 1;
  const rest = new Uint8Array(text.length - (end - start));
  rest.set(text.subarray(0, start));
  rest.set(text.subarray(end), start);
  return rest;
}
