import { pipeline, Readable } from "node:stream";
import { createZstdDecompress } from "node:zlib";
import type { ByteSource } from "../core/bytes.ts";
import { reasonOf, SluiceError } from "../core/errors.ts";

/** Decompresses a zstd stream. What the source throws goes through; damage is `corrupt`. */
export class Unzstd implements ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #stop: () => void;
  #sourceError: unknown;

  constructor(private readonly from: ByteSource) {
    const readable = Readable.from(this.#read());
    const stream = createZstdDecompress();
    // The iteration below throws what goes wrong.
    pipeline(readable, stream, () => {});
    this.#pieces = stream[Symbol.asyncIterator]();
    this.#stop = () => {
      readable.destroy();
      stream.destroy();
    };
  }

  async next(): Promise<Uint8Array | undefined> {
    try {
      const { done, value } = await this.#pieces.next();
      return done ? undefined : value;
    } catch (thrown) {
      if (this.#sourceError !== undefined) throw this.#sourceError;
      throw new SluiceError("decompress zstd", "corrupt", reasonOf(thrown), { cause: thrown });
    }
  }

  close(): void {
    this.#stop();
    this.from.close();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    try {
      // A copy: the stream keeps pieces for longer than they are lent.
      for (let one; (one = await this.from.next()) !== undefined;) yield one.slice();
    } catch (thrown) {
      this.#sourceError = thrown;
      throw thrown;
    }
  }
}
