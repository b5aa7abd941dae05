import type { Store, StoredObject } from "../clients/store/store.ts";
import { Gathered } from "../formats/gathered.ts";
import { openedFile } from "./file_text.ts";
import type { Manifest } from "./manifest.ts";
import { readOptions } from "./redshift_options.ts";
import { type NumberedRow, RowNumbering } from "./redshift_numbering.ts";
import type { RedshiftRoom } from "./redshift_room.ts";

/** An object with numbered rows is not much longer than this: two of them are in memory. */
const objectBytes = 8 * 1024 * 1024;

/** A file whose rows were written anew with their numbers. */
export interface NumberedFile {
  readonly file: StoredObject;
  /** The numbers of its rows; none when `first` is behind `last`. */
  readonly first: number;
  readonly last: number;
  /** Where the rows are. */
  readonly urls: readonly string[];
}

/** Writes the rows of files into the room once more, each with a number in the order of files and lines. */
export class RedshiftNumbers {
  readonly #header: Uint8Array;

  /** @param column the name of the number's column, without quotation marks. */
  constructor(
    private readonly manifest: Pick<Manifest, "options" | "format">,
    private readonly store: Store,
    private readonly column: string,
  ) {
    // Options are passed to COPY as they are: it takes off as many header lines as in the files.
    const { ignoreHeader } = readOptions(manifest.options);
    this.#header = new TextEncoder().encode("-\n".repeat(ignoreHeader));
  }

  /** @throws {SluiceError} of the store; `corrupt` for damaged files. */
  async write(
    room: RedshiftRoom,
    files: readonly StoredObject[],
    signal: () => void,
  ): Promise<NumberedFile[]> {
    const numbered: NumberedFile[] = [];
    let next = 1;
    for (const [i, file] of files.entries()) {
      signal();
      const done = await this.#writeFile(room, file, `rows-${i}`, next);
      numbered.push(done);
      next = done.last + 1;
    }
    return numbered;
  }

  async #writeFile(
    room: RedshiftRoom,
    file: StoredObject,
    name: string,
    first: number,
  ): Promise<NumberedFile> {
    const urls: string[] = [];
    const rows = new Gathered();
    const put = async () => {
      if (rows.length <= this.#header.length) return;
      urls.push(await room.put(`${name}-${urls.length}`, rows.bytes.slice(), "text/plain"));
      rows.clear();
    };
    const numbering = this.#numbering(first);
    for await (const piece of this.#pieces(file, numbering)) {
      if (piece.length === 0) continue;
      if (rows.length === 0) rows.append(this.#header, 0, this.#header.length);
      rows.append(piece, 0, piece.length);
      if (rows.length >= objectBytes) await put();
    }
    await put();
    return { file, first, last: numbering.next - 1, urls };
  }

  /** Finds the row of a file by its number. @returns null when it cannot be read any more. */
  async find({ file, first }: NumberedFile, wanted: number): Promise<NumberedRow | null> {
    const numbering = this.#numbering(first, wanted);
    try {
      for await (const _ of this.#pieces(file, numbering)) if (numbering.found) break;
    } catch {
      // That the row is bad is known; only its line is missing then.
    }
    return numbering.found;
  }

  #numbering(first: number, wanted?: number): RowNumbering {
    const options = readOptions(this.manifest.options);
    const numbering = { options, column: this.column, first };
    return new RowNumbering(wanted === undefined ? numbering : { ...numbering, wanted });
  }

  async *#pieces({ key }: StoredObject, numbering: RowNumbering): AsyncGenerator<Uint8Array> {
    const { compression } = readOptions(this.manifest.options);
    const source = await openedFile(this.store, key, compression);
    try {
      for (let piece; (piece = await source.next()) !== undefined;) yield numbering.push(piece);
      yield numbering.finish();
    } finally {
      source.close();
    }
  }
}
