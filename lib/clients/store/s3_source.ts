import type { ByteSource } from "../../core/bytes.ts";
import { SluiceError } from "../../core/errors.ts";
import { s3Error } from "./s3_failures.ts";

/** The body of an answer. */
export interface AnswerBody extends AsyncIterable<Uint8Array> {
  destroy(): void;
}

/** An answer's bytes, as many as it has announced. */
export class AnswerSource implements ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #left: number;

  constructor(
    private readonly action: string,
    private readonly body: AnswerBody,
    sizeBytes: number,
  ) {
    this.#pieces = body[Symbol.asyncIterator]();
    this.#left = sizeBytes;
  }

  async next(): Promise<Uint8Array | undefined> {
    while (true) {
      const { done, value } = await this.#pieces.next().catch((thrown) => {
        throw s3Error(this.action, thrown);
      });
      if (done) break;
      this.#left -= value.length;
      if (value.length > 0) return new Uint8Array(value.buffer, value.byteOffset, value.length);
    }
    if (this.#left > 0) {
      const detail = `the connection was cut ${this.#left} bytes before the end`;
      throw new SluiceError(this.action, "transient", detail);
    }
    return undefined;
  }

  close(): void {
    this.body.destroy();
  }
}

/** No bytes at all. */
export const emptySource: ByteSource = {
  next: () => Promise.resolve(undefined),
  close: () => {},
};
