import { constants, createGunzip, createGzip } from "node:zlib";
import type { ByteSink, ByteSource } from "../core/bytes.ts";
import { SluiceError } from "../core/errors.ts";

/** Bytes inflated or deflated at a time. */
const BLOCK_BYTES = 256 * 1024;

/**
 * The synchronous core below node:zlib's streams. It is used directly because the streams lose what
 * was inflated before a damage, do not say where a member ends, and allocate every block: 120 MB
 * instead of 50 and a fifth more time for an archive of 1 GB.
 */
interface Zlib {
  /** Leaves in the state how much room and how much input are left over. */
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputBytes: number,
    output: Uint8Array,
    outputAt: number,
    outputBytes: number,
  ): void;
  reset(): void;
  close(): void;
  onerror: (message: string) => void;
}

/** Opens the core of a gzip stream, with its state: [room left, input left]. */
function coreOf(stream: unknown): { zlib: Zlib; state: Uint32Array } {
  // Private in node:zlib, and kept as it is by both runtimes for packages that do the same.
  // deno-lint-ignore no-explicit-any
  const { _handle: zlib, _writeState: state } = stream as any;
  if (typeof zlib?.writeSync !== "function" || !(state instanceof Uint32Array)) {
    throw new TypeError("node:zlib of this runtime is built differently: use the pinned Deno");
  }
  return { zlib, state };
}

const noBytes = new Uint8Array(0);
const oneByte = new Uint8Array(1);

/** The first two bytes of every gzip member (RFC 1952, 2.3.1). */
const MAGIC = [0x1f, 0x8b] as const;

/** Whether a stream that begins like this is gzip. */
export function isGzip(beginning: Uint8Array): boolean {
  return beginning[0] === MAGIC[0] && beginning[1] === MAGIC[1];
}

/**
 * Inflates a gzip stream of one or more members, zeros behind the last one allowed (tapes and block
 * devices pad so). Everything is verified: headers, checksums, sizes, that it ends where it may.
 */
export class Gunzip implements ByteSource {
  readonly #from: ByteSource;
  readonly #zlib: Zlib;
  readonly #state: Uint32Array;
  readonly #out = new Uint8Array(BLOCK_BYTES);
  #in: Uint8Array = noBytes;
  #inAt = 0;
  /** Bytes of the source before {@linkcode #in}. */
  #bytesBefore = 0;
  #members = 0;
  /** Where we stand: in a member; between two (the next byte begins one, or is padding); in padding. */
  #place: "member" | "between" | "padding" = "member";
  /** Inflated bytes may wait inside zlib for room. */
  #isFull = false;
  #problem: string | undefined;

  constructor(from: ByteSource) {
    this.#from = from;
    const { zlib, state } = coreOf(createGunzip({ rejectGarbageAfterEnd: true } as object));
    this.#zlib = zlib;
    this.#state = state;
    zlib.onerror = (message) => this.#problem = message;
  }

  /** How far the gzip stream has been read: a damage that was just met lies here or before. */
  get compressedBytes(): number {
    return this.#bytesBefore + this.#inAt;
  }

  /** @throws {SluiceError} `corrupt` at damage; what was inflated before it has been given. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#problem !== undefined) this.#refuse(this.#problem);
      if (this.#inAt === this.#in.length && !this.#isFull) {
        this.#bytesBefore += this.#in.length;
        this.#inAt = 0;
        this.#in = noBytes; // so that an error of the source leaves the count right
        const piece = await this.#from.next();
        if (piece === undefined) {
          this.#finish();
          return undefined;
        }
        this.#in = piece;
      }
      if (this.#place !== "member") this.#skipPadding();
      if (this.#place !== "member") continue;
      const bytes = this.#inflate(this.#in, this.#inAt);
      if (bytes > 0) return this.#out.subarray(0, bytes);
    }
  }

  close(): void {
    this.#zlib.close();
    this.#from.close();
  }

  /** Inflates from `input` on; returns how many bytes there are now. */
  #inflate(input: Uint8Array, at: number): number {
    const out = this.#out;
    const available = input.length - at;
    this.#zlib.writeSync(constants.Z_NO_FLUSH, input, at, available, out, 0, out.length);
    const [roomLeft = 0, inputLeft = 0] = this.#state;
    this.#inAt = input.length - inputLeft;
    this.#isFull = roomLeft === 0;
    if (this.#problem === undefined && roomLeft > 0 && inputLeft > 0) {
      // Room and input, and zlib took no more: the member has ended, and its checksum was right.
      this.#place = "between";
      this.#members++;
      this.#zlib.reset();
    }
    return out.length - roomLeft;
  }

  #skipPadding(): void {
    if (this.#place === "between" && this.#in[this.#inAt] === MAGIC[0]) {
      this.#place = "member";
      return;
    }
    this.#place = "padding";
    while (this.#inAt < this.#in.length && this.#in[this.#inAt] === 0) this.#inAt++;
    if (this.#inAt < this.#in.length) this.#refuse(behindTheEnd);
  }

  /** The source has ended: so must have the member. */
  #finish(): void {
    if (this.#place !== "member") return;
    // Whether zlib has seen the end of the member shows in whether it takes one more byte.
    this.#inflate(oneByte, 0);
    const hasEnded = (this.#place as string) === "between" && this.#inAt === 0;
    this.#inAt = 0;
    if (!hasEnded) this.#refuse("the gzip data is cut: its end is missing");
  }

  #refuse(problem: string): never {
    const what = problem === "incorrect header check" && this.#members > 0
      ? behindTheEnd
      : problems[problem] ?? problem;
    throw new SluiceError(`inflate byte ${this.compressedBytes}`, "corrupt", what);
  }
}

const behindTheEnd = "behind the gzip data is something that is neither gzip nor zeros";

/** What zlib says, for people. */
const problems: Readonly<Record<string, string>> = {
  "incorrect data check":
    "the gzip checksum is wrong: something before it was altered, perhaps inside records",
  "incorrect length check": "the gzip length is wrong: something before it is missing or altered",
};

/** Deflates what is written into one gzip member (no name, no time: the same input, the same file). */
export class Gzip implements ByteSink {
  readonly #to: ByteSink;
  readonly #zlib: Zlib;
  readonly #state: Uint32Array;
  readonly #out = new Uint8Array(BLOCK_BYTES);
  #outAt = 0;
  #problem: string | undefined;

  /** @param level 0 (store) to 9 (smallest). */
  constructor(to: ByteSink, level: number) {
    this.#to = to;
    const { zlib, state } = coreOf(createGzip({ level }));
    this.#zlib = zlib;
    this.#state = state;
    zlib.onerror = (message) => this.#problem = message;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#deflate(bytes, constants.Z_NO_FLUSH);
  }

  /** Writes what is left and the trailer. Without it the file is a cut one. */
  async finish(): Promise<void> {
    await this.#deflate(noBytes, constants.Z_FINISH);
    await this.#to.write(this.#out.subarray(0, this.#outAt));
    this.#outAt = 0;
  }

  close(): void {
    this.#zlib.close();
  }

  async #deflate(bytes: Uint8Array, flush: number): Promise<void> {
    const out = this.#out;
    for (let at = 0;;) {
      const room = out.length - this.#outAt;
      this.#zlib.writeSync(flush, bytes, at, bytes.length - at, out, this.#outAt, room);
      const [roomLeft = 0, inputLeft = 0] = this.#state;
      if (this.#problem !== undefined) {
        throw new SluiceError("compress with gzip", "permanent", this.#problem);
      }
      at = bytes.length - inputLeft;
      this.#outAt = out.length - roomLeft;
      if (roomLeft > 0) return;
      await this.#to.write(out);
      this.#outAt = 0;
    }
  }
}
