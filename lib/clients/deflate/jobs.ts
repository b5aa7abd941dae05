/** What a worker is started with. */
export interface WorkerPlan {
  /** 0 (store) to 9 (smallest). */
  readonly level: number;
}

/** A block to be deflated; its buffer is handed over. */
export interface Job {
  readonly raw: ArrayBuffer;
  /** So many bytes of the buffer, from its start, are the block. */
  readonly length: number;
}

/** What a worker answers; jobs are answered in the order in which they came. */
export type Answer = DeflatedBlock | { readonly problem: string };

/** A block, deflated. */
export interface DeflatedBlock {
  /** Raw deflate that ends on a byte and does not end the stream: blocks may follow each other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of the block before. */
  readonly rawBytes: number;
  /** Of the block before, unsigned. */
  readonly crc32: number;
  /** CRC-32C of the same. */
  readonly crc32c: number;
  /** The block's buffer, to be used again; its content means nothing any more. */
  readonly spare: ArrayBuffer;
}
