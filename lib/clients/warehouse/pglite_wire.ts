import { Buffer } from "node:buffer";
import type { PGlite } from "@electric-sql/pglite";
import { queryMessage } from "./messages.ts";
import { PgliteSpool } from "./pglite_spool.ts";
import type { Wire } from "./wire.ts";

/** How much of an answer is given at once. */
const chunkBytes = 64 * 1024;

/**
 * The wire to the engine in this process. It runs when its answer is asked for, to its end: what goes
 * in and what comes out lies in spools, so that memory is bounded. Nothing else runs in the meantime.
 */
export class PgliteWire implements Wire {
  readonly isDuplex = false;
  #isClosed = false;
  #hasFailed = false;
  readonly #input = new PgliteSpool();
  readonly #output = new PgliteSpool();
  #readAt = 0;

  constructor(private readonly engine: PGlite) {}

  /** True: the engine itself has failed, not a statement, and is of no use any more. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Error("Connection closed"));
    this.#input.append(bytes);
    return Promise.resolve();
  }

  async read(): Promise<Buffer> {
    if (this.#readAt >= this.#output.length) {
      this.#output.clear();
      this.#readAt = 0;
      if (this.#isClosed || this.#input.length === 0) throw new Error("Connection closed");
      await this.#runEngine();
      if (this.#output.length === 0) throw new Error("Connection closed");
    }
    // A copy: who reads may move bytes about.
    const bytes = Buffer.from(this.#output.read(this.#readAt, chunkBytes));
    this.#readAt += bytes.length;
    return bytes;
  }

  /** There is nothing to cancel by the time that anybody can ask for it. */
  cancel(): Promise<void> {
    return Promise.resolve();
  }

  /** Undoes what was not committed, and what the session has set; the engine lives on. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#output.clear();
    this.#input.clear();
    for (const sql of ["ROLLBACK", "DISCARD ALL"]) {
      this.#input.append(queryMessage(sql));
      await this.#runEngine();
      this.#output.clear();
    }
    this.#isClosed = true;
  }

  async #runEngine(): Promise<void> {
    try {
      await this.engine.execProtocolRawStream(asMessage(this.#input), {
        onRawData: (bytes) => this.#output.append(bytes),
      });
    } catch (thrown) {
      this.#hasFailed = true;
      this.#isClosed = true;
      throw new Error("the engine has failed", { cause: thrown });
    } finally {
      this.#input.clear();
    }
  }
}

/**
 * The spool as what the engine takes for bytes: of these it asks for the first one, for the length,
 * and for parts in order.
 */
function asMessage(spool: PgliteSpool): Uint8Array {
  return {
    0: spool.read(0, 1)[0],
    length: spool.length,
    subarray(from: number, to: number): Uint8Array {
      const part = spool.read(from, to - from);
      if (part.length === to - from) return part;
      // Over the edge of what lies in memory.
      return Buffer.concat([
        Buffer.from(part),
        spool.read(from + part.length, to - from - part.length),
      ]);
    },
  } as unknown as Uint8Array;
}
