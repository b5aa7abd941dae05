import { Buffer } from "node:buffer";
import unbzip2 from "unbzip2-stream";
import type { ByteSource } from "../core/bytes.ts";
import { reasonOf, SluiceError } from "../core/errors.ts";

/** What the library gives: a stream of the old kind, which is fed and read by hand here. */
interface OldStream {
  write(bytes: Buffer): boolean;
  end(): void;
  on(event: "data", take: (bytes: Uint8Array) => void): void;
  on(event: "end", take: () => void): void;
  on(event: "error", take: (thrown: unknown) => void): void;
}

/**
 * Decompresses bzip2, also several streams behind each other, as `pbzip2` makes them. The checksums of
 * the blocks are verified. A block has 900 kB at most, which become 45 MB in the worst case of bytes
 * that repeat; one block at a time is in memory. What the source throws goes through; damage is
 * `corrupt`.
 */
export class Unbzip2 implements ByteSource {
  readonly #stream: OldStream = unbzip2();
  readonly #ready: Uint8Array[] = [];
  #isFed = false;
  #isEmpty = true;
  #damage: unknown;

  constructor(private readonly from: ByteSource) {
    this.#stream.on("data", (bytes) => this.#ready.push(bytes));
    this.#stream.on("error", (thrown) => this.#damage ??= thrown);
  }

  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const piece = this.#ready.shift();
      if (piece !== undefined) return piece;
      if (this.#damage !== undefined) throw damaged(this.#damage);
      if (this.#isFed) return undefined;
      const bytes = await this.from.next();
      this.#feed(bytes);
    }
  }

  close(): void {
    this.from.close();
  }

  /** What can be decompressed with these bytes is ready when this returns: the library works at once. */
  #feed(bytes: Uint8Array | undefined): void {
    try {
      if (bytes !== undefined) {
        this.#isEmpty &&= bytes.length === 0;
        // A copy: the library keeps pieces for longer than they are lent.
        if (bytes.length > 0) this.#stream.write(Buffer.from(bytes));
        return;
      }
      this.#isFed = true;
      if (this.#isEmpty) throw new Error("there is nothing in it");
      this.#stream.end();
    } catch (thrown) {
      this.#damage ??= thrown;
    }
  }
}

function damaged(thrown: unknown): SluiceError {
  return new SluiceError("decompress bzip2", "corrupt", reasonOf(thrown), { cause: thrown });
}
