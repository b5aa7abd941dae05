import { releaseBytes, reserveBytes } from "../formats/kernel.ts";

/** The smallest and the largest read buffer of one connection. */
export const readBytesLeast = 4 * 1024;
export const readBytesMost = 256 * 1024;

/**
 * Sizes the read buffers of all connections: ten thousand idle ones need little, a few busy ones may
 * have much, and all of them together keep within one limit.
 */
export class ReadBuffers {
  #totalBytes = 0;

  constructor(private readonly limitBytes: number) {}

  get totalBytes(): number {
    return this.#totalBytes;
  }

  first(): Uint8Array<ArrayBuffer> {
    return this.#make(readBytesLeast);
  }

  /** The buffer for the next read after one that brought `length` bytes: grown when it was full. */
  next(buffer: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
    const size = buffer.length;
    if (length === size && size < readBytesMost && this.#totalBytes + size * 3 <= this.limitBytes) {
      this.release(buffer);
      return this.#make(size * 4);
    }
    if (size > readBytesLeast && this.#totalBytes > this.limitBytes && length < size / 2) {
      this.release(buffer);
      return this.#make(readBytesLeast);
    }
    return buffer;
  }

  release(buffer: Uint8Array<ArrayBuffer>): void {
    this.#totalBytes -= buffer.length;
    releaseBytes(buffer);
  }

  #make(size: number): Uint8Array<ArrayBuffer> {
    this.#totalBytes += size;
    // Idle connections, perhaps thousands, keep the least: the kernel's memory is for the busy ones.
    return size > readBytesLeast ? reserveBytes(size) : new Uint8Array(size);
  }
}
