import { Unbzip2 } from "../clients/bzip2.ts";
import { Gunzip, isGzip } from "../clients/gzip.ts";
import type { Store } from "../clients/store/store.ts";
import { Unzstd } from "../clients/zstd.ts";
import type { ByteSource } from "../core/bytes.ts";
import { usageError } from "../core/errors.ts";
import { BaldrFramer } from "../formats/baldr.ts";
import { decodeArchivedRecord } from "../formats/archived_record.ts";
import type { CopyOptions } from "../formats/copy_options.ts";
import { type CopyRewriter, openRewriter } from "../formats/copy_rewriter.ts";
import { Gathered } from "../formats/gathered.ts";
import type { TargetColumn } from "../formats/target_column.ts";

/** How the files of a directory are read. */
export interface Reading {
  readonly format: "csv" | "json" | "baldr";
  readonly options: CopyOptions;
  readonly columns: readonly TargetColumn[];
}

/** A longer record of an archive is taken for damage. */
const recordBytesMost = 256 * 1024 * 1024;

/**
 * Refuses what files cannot be read from here.
 *
 * @throws {SluiceError} `usage` naming the option.
 */
export function refuseUnreadable({ compression }: Pick<CopyOptions, "compression">): void {
  if (compression !== "lzop") return;
  throw usageError("use LZOP", "only Redshift reads it; compress with gzip, zstd or bzip2");
}

/** One file of the store as COPY text. */
export class FileText {
  readonly rewriter: CopyRewriter;
  /** Bytes of the file as it is in the store. */
  bytes = 0;

  /**
   * @param leftOutMost how many rows may be left out.
   * @param findRows the numbers of rows whose lines are wanted, ascending.
   */
  constructor(
    private readonly reading: Reading,
    leftOutMost: number,
    findRows: readonly number[] = [],
  ) {
    const { options, columns } = reading;
    this.rewriter = openRewriter({ options, columns, leftOutMost, findRows });
  }

  /**
   * The text, piece by piece, whole rows each; a piece is lent until the next one is asked for. When
   * rows are looked for, no further than to the last of them.
   *
   * @throws {SluiceError} of the store; `corrupt` for damaged files; {@linkcode DataError} for a row.
   */
  async *pieces(store: Store, key: string): AsyncGenerator<Uint8Array> {
    const { format } = this.reading;
    const source = await this.#opened(store, key);
    try {
      const lines = format === "baldr" ? new RecordLines() : null;
      for (let piece; (piece = await source.next()) !== undefined;) {
        const text = this.rewriter.push(lines === null ? piece : lines.push(piece));
        if (text.length > 0) yield text;
        if (this.rewriter.faults.hasFoundAll) return;
      }
      lines?.finish();
      const last = this.rewriter.finish();
      if (last.length > 0) yield last;
    } finally {
      source.close();
    }
  }

  async #opened(store: Store, key: string): Promise<ByteSource> {
    const { format, options: { compression } } = this.reading;
    const raw = counted(await store.get(key), (bytes) => this.bytes += bytes);
    return format === "baldr" ? await gunzippedIfSo(raw) : unpacked(raw, compression);
  }
}

/** Tells how long each piece is that is read from a source. */
function counted(source: ByteSource, count: (bytes: number) => void): ByteSource {
  return {
    next: async () => {
      const piece = await source.next();
      count(piece?.length ?? 0);
      return piece;
    },
    close: () => source.close(),
  };
}

/**
 * The bytes of a file without its compression.
 *
 * @param count is told how many bytes are read of it, as it is in the store.
 * @throws {SluiceError} of the store; `usage` for a compression that cannot be read here.
 */
export async function openedFile(
  store: Store,
  key: string,
  compression: CopyOptions["compression"],
  count: (bytes: number) => void = () => {},
): Promise<ByteSource> {
  refuseUnreadable({ compression });
  return unpacked(counted(await store.get(key), count), compression);
}

function unpacked(raw: ByteSource, compression: CopyOptions["compression"]): ByteSource {
  if (compression === "gzip") return new Gunzip(raw);
  if (compression === "zstd") return new Unzstd(raw);
  return compression === "bzip2" ? new Unbzip2(raw) : raw;
}

/** Archives are compressed or not: their beginning tells. */
async function gunzippedIfSo(source: ByteSource): Promise<ByteSource> {
  let first = await source.next();
  const beginning = first?.slice(0, 2) ?? new Uint8Array(0);
  const again: ByteSource = {
    next: () => {
      if (first === undefined) return source.next();
      const piece = first;
      first = undefined;
      return Promise.resolve(piece);
    },
    close: () => source.close(),
  };
  return isGzip(beginning) ? new Gunzip(again) : again;
}

/**
 * The values of an archive as lines of JSON: of its records, or of whole records of Kafka, which begin
 * with a 1, as no JSON does. A record without a value gives no row.
 */
class RecordLines {
  readonly #lines = new Gathered();
  readonly #part = new Gathered();
  readonly #framer = new BaldrFramer({
    record: (bytes, start, end, part, more) => {
      if (part === 0) this.#part.clear();
      this.#part.append(bytes, start, end);
      if (!more) this.#take(this.#part.bytes);
    },
  }, { recordBytesMost });

  push(bytes: Uint8Array): Uint8Array {
    this.#lines.clear();
    this.#framer.push(bytes);
    return this.#lines.bytes;
  }

  finish(): void {
    this.#framer.finish();
  }

  #take(record: Uint8Array): void {
    const value = record[0] === 1 ? decodeArchivedRecord(record).value : record;
    if (value === null || value.length === 0) return;
    this.#lines.append(value, 0, value.length);
    this.#lines.append(lineFeed, 0, 1);
  }
}

const lineFeed = new Uint8Array([10]);
