import { Buffer } from "node:buffer";

/** So much of a spool is in memory; what is longer goes to a file. */
const memoryBytesMost = 4 * 1024 * 1024;

/** The size of reads from the file. */
const windowBytes = 256 * 1024;

/**
 * Bytes that are written once and read once, in order, at whatever length with bounded memory. The
 * engine asks for them and gives them within one call, so all of this is synchronous.
 */
export class PgliteSpool {
  #parts: Buffer[] = [];
  #memoryBytes = 0;
  #file: Deno.FsFile | undefined;
  #length = 0;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;

  get length(): number {
    return this.#length;
  }

  /** Takes a copy of these bytes. */
  append(bytes: Uint8Array): void {
    this.#length += bytes.length;
    this.#parts.push(Buffer.from(bytes));
    this.#memoryBytes += bytes.length;
    if (this.#memoryBytes > memoryBytesMost) this.#moveToFile();
  }

  /** Up to `length` bytes from `at` on; they are good until the next call. */
  read(at: number, length: number): Buffer {
    if (at < this.#windowAt || at >= this.#windowAt + this.#window.length) this.#moveWindow(at);
    const from = at - this.#windowAt;
    return this.#window.subarray(from, from + length);
  }

  /** Forgets everything. */
  clear(): void {
    this.#parts = [];
    this.#memoryBytes = 0;
    this.#length = 0;
    this.#window = Buffer.alloc(0);
    this.#windowAt = 0;
    this.#file?.close();
    this.#file = undefined;
  }

  #moveToFile(): void {
    if (!this.#file) {
      const path = Deno.makeTempFileSync({ prefix: "sluice-pglite-" });
      this.#file = Deno.openSync(path, { read: true, write: true });
      // Nothing is left of it when this process ends, however it does.
      Deno.removeSync(path);
    }
    for (const part of this.#parts) {
      for (let at = 0; at < part.length;) at += this.#file.writeSync(part.subarray(at));
    }
    this.#parts = [];
    this.#memoryBytes = 0;
  }

  #moveWindow(at: number): void {
    if (!this.#file) {
      this.#window = Buffer.concat(this.#parts);
      this.#parts = [this.#window];
      this.#windowAt = 0;
      return;
    }
    if (this.#memoryBytes > 0) this.#moveToFile();
    const window = Buffer.allocUnsafe(windowBytes);
    this.#file.seekSync(at, Deno.SeekMode.Start);
    let have = 0;
    while (have < windowBytes) {
      const read = this.#file.readSync(window.subarray(have));
      if (read === null) break;
      have += read;
    }
    this.#window = window.subarray(0, have);
    this.#windowAt = at;
  }
}
