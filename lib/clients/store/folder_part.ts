import type { Readable } from "../../core/bytes.ts";
import { SluiceError } from "../../core/errors.ts";
import type { ByteRange } from "./store.ts";

/** Opens a part of a file; the whole of it as it is now without a range. */
export async function openPart(path: string, range: ByteRange = { from: 0 }): Promise<Readable> {
  const file = await Deno.open(path);
  try {
    const { size } = await file.stat();
    const from = Math.min(range.from, size);
    const length = Math.min(range.length ?? size, size - from);
    if (from > 0) await file.seek(from, Deno.SeekMode.Start);
    return new FilePart(path, file, length);
  } catch (thrown) {
    file.close();
    throw thrown;
  }
}

class FilePart implements Readable {
  constructor(
    private readonly path: string,
    private readonly file: Deno.FsFile,
    private left: number,
  ) {}

  async read(into: Uint8Array): Promise<number | null> {
    if (this.left === 0) return null;
    const length = await this.file.read(into.subarray(0, Math.min(into.length, this.left)));
    if (length === null) {
      const detail = `it ends ${this.left} bytes early: somebody has cut it meanwhile`;
      throw new SluiceError(`read ${this.path}`, "transient", detail);
    }
    this.left -= length;
    return length;
  }

  close(): void {
    this.file.close();
  }
}
