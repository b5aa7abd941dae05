import { crc32 } from "node:zlib";
import type { DeflatedBlock, Deflater } from "../../lib/clients/deflate/deflate.ts";
import type { SpoolFile } from "../../lib/clients/spool.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import type { Fields, LogLevel, World } from "../../lib/core/world.ts";
import { crc32c } from "../../lib/formats/crc32c.ts";

/** Somebody to whom things happen: frozen, it is told later; dead, never. */
export interface Owner {
  isDead: boolean;
  isFrozen: boolean;
}

interface Event {
  readonly atMs: number;
  readonly act: () => void;
  readonly owner: Owner | null;
}

/** Time that passes when the test says so: what is due happens in order. */
export class VirtualTime {
  nowMs = 1_000_000;
  readonly #events: Event[] = [];
  readonly #late = new Map<Owner, (() => void)[]>();

  /** @param turns see {@linkcode turn}. */
  constructor(private readonly turns?: number) {}

  /** What is still to come. */
  get waiting(): number {
    return this.#events.length;
  }

  after(ms: number, act: () => void, owner: Owner | null = null): void {
    const atMs = this.nowMs + ms;
    let at = this.#events.length;
    while (at > 0 && (this.#events[at - 1]?.atMs ?? 0) > atMs) at--;
    this.#events.splice(at, 0, { atMs, act, owner });
  }

  /** Goes to the next event and lets it happen; false when there is none up to then. */
  next(untilMs = Infinity): boolean {
    const event = this.#events[0];
    if (event === undefined || event.atMs > untilMs) return false;
    this.#events.shift();
    this.nowMs = Math.max(this.nowMs, event.atMs);
    const { owner, act } = event;
    if (owner?.isDead) return true;
    if (owner?.isFrozen) this.#late.set(owner, [...this.#late.get(owner) ?? [], act]);
    else act();
    return true;
  }

  /** Lets somebody go on, to whom everything happens now that was due meanwhile. */
  thaw(owner: Owner): void {
    owner.isFrozen = false;
    const late = this.#late.get(owner) ?? [];
    this.#late.delete(owner);
    for (const act of late) if (!owner.isDead) act();
  }

  /** Lets everything happen that is due in the next `ms`, and what follows from it. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    await turn(this.turns);
    while (this.next(untilMs)) await turn(this.turns);
    this.nowMs = untilMs;
    await turn(this.turns);
  }
}

/** The world of somebody in virtual time. */
export class VirtualWorld implements World {
  readonly lines: { level: LogLevel; message: string; fields: Fields }[] = [];

  constructor(
    readonly time = new VirtualTime(),
    readonly random: () => number = () => 0.5,
    private readonly owner: Owner | null = null,
  ) {}

  nowMs = (): number => this.time.nowMs;
  monotonicMs = (): number => this.time.nowMs;
  log = (level: LogLevel, message: string, fields: Fields = {}): void => {
    this.lines.push({ level, message, fields });
  };
  sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      signal?.addEventListener("abort", () => resolve(), { once: true });
      this.time.after(ms, resolve, this.owner);
    });
  };

  /** Messages of the log at this level. */
  said(level: LogLevel): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }
}

/** Lets promises go on, each so many times; usually that is all that can go on. */
export async function turn(times = 25): Promise<void> {
  for (let i = 0; i < times; i++) await null;
}

/** One behind the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A deflater on this thread that stores blocks as they are; its work takes no time. */
export class StoringDeflater {
  /** Asked before each block: what it throws becomes of the block. */
  before: () => void = () => {};
  /** Resolves when the work may go on. */
  gate: () => Promise<void> = () => Promise.resolve();

  /** As the flows know it. */
  get asDeflater(): Deflater {
    return this as unknown as Deflater;
  }

  async deflate(raw: ArrayBuffer, length: number): Promise<DeflatedBlock> {
    const spare = raw.transfer();
    await this.gate();
    this.before();
    const plain = new Uint8Array(spare, 0, length);
    const parts: Uint8Array[] = [];
    for (let at = 0; at < length; at += 0xffff) {
      const part = plain.slice(at, at + 0xffff);
      const { length: size } = part;
      parts.push(Uint8Array.of(0, size & 255, size >> 8, ~size & 255, (~size >> 8) & 255), part);
    }
    const sums = { crc32: crc32(plain), crc32c: crc32c(plain, 0, length) };
    return { bytes: concat(parts), rawBytes: length, ...sums, spare };
  }
}

/** A spool file in memory. */
export class MemoryFile implements SpoolFile {
  bytes = new Uint8Array(0);
  isRemoved = false;
  /** Asked before each act: what it throws, the act throws. */
  before: (act: "append" | "read") => void | Promise<void> = () => {};

  get sizeBytes(): number {
    return this.bytes.length;
  }

  async append(parts: readonly Uint8Array[]): Promise<void> {
    await this.before("append");
    this.bytes = concat([this.bytes, ...parts]);
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    await this.before("read");
    if (this.isRemoved) throw new SluiceError("read the spool", "permanent", "it is gone");
    into.set(this.bytes.subarray(at, at + into.length));
  }

  remove(): Promise<void> {
    this.isRemoved = true;
    return Promise.resolve();
  }
}
