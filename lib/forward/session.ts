import { faultOf, reasonOf } from "../core/errors.ts";
import type { Log } from "../core/world.ts";
import type { Peer } from "../clients/listen/listen.ts";
import type { RecordHeader } from "../formats/record_batch.ts";
import { SyslogFramer } from "../formats/syslog_frame.ts";
import type { Pipeline } from "./pipeline.ts";
import type { ReadBuffers } from "./read_buffers.ts";
import { Source } from "./source.ts";

/** What all sessions share. */
export interface SessionTools {
  readonly pipeline: Pipeline;
  readonly buffers: ReadBuffers;
  readonly log: Log;
  readonly lineBytesMost: number;
  readonly monotonicMs: () => number;
}

/** Bytes of a connection taken apart: a syslog or a RELP framer. */
export interface Framer {
  push(bytes: Uint8Array, length: number): void;
  finish(): void;
}

/** How a session ended. */
export type SessionEnd = "closed" | "reset" | "refused";

/**
 * One connection, read as long as there is room for what it brings. Back-pressure is not reading:
 * the kernel's buffers fill, and the sender's queue holds the rest.
 */
export abstract class Session extends Source {
  /** When the last bytes came, monotonic milliseconds. */
  lastReadMs: number;
  /** Whether it is the sender that we wait for, not room. */
  isReading = false;
  /** Set when what still comes is not taken any more: the sender will send it again. */
  protected isDiscarding = false;
  #looks = 0;
  #isLeaving = false;
  #isCut = false;

  constructor(
    readonly peer: Peer,
    headers: readonly RecordHeader[],
    protected readonly tools: SessionTools,
  ) {
    super(peer.id, peer.address, headers);
    this.lastReadMs = tools.monotonicMs();
  }

  protected abstract readonly framer: Framer;

  /** Asks the sender to leave; nothing that it has to believe safe is lost. */
  protected abstract stop(): Promise<void>;

  /** Whether the sender was asked to leave. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** Asks the sender to leave, once; when even that cannot be said, the connection is closed. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#looks = 0;
    this.stop().catch(() => this.cut());
  }

  /**
   * How many looks in a row, this one included, have found that we wait for the sender and that
   * nothing has come since the look before. It is looked from timers: between two of them the event
   * loop has handed on what waited in the kernel. The time alone does not tell that: when this process
   * has stood still, or there was no room for long, it is over while there is something to read, and
   * to close a connection with unread bytes resets it, and they are lost.
   */
  look(): number {
    this.#looks = this.isReading ? this.#looks + 1 : 0;
    return this.#looks;
  }

  /** Closes the connection although the sender has not left. */
  cut(): void {
    this.#isCut = true;
    this.peer.close();
  }

  /** Called after each read has been taken apart. */
  protected async afterRead(): Promise<void> {}

  /** Reads to the end of the connection and closes it. Does not throw. */
  async run(): Promise<SessionEnd> {
    const { pipeline, buffers, log } = this.tools;
    let buffer = buffers.first();
    let end: SessionEnd = "closed";
    try {
      while (!this.isOver) {
        while (!this.isDiscarding && !pipeline.hasRoom(this)) await pipeline.room(this);
        this.isReading = true;
        const length = await this.peer.read(buffer);
        this.isReading = false;
        if (length === null) break;
        // Others may have filled what room there was while this connection waited for its bytes.
        while (!this.isDiscarding && !pipeline.hasRoom(this)) await pipeline.room(this);
        if (this.isDiscarding) continue;
        this.lastReadMs = this.tools.monotonicMs();
        this.#looks = 0;
        pipeline.tick();
        this.framer.push(buffer, length);
        await this.afterRead();
        buffer = buffers.next(buffer, length);
      }
      pipeline.tick();
      this.framer.finish();
    } catch (thrown) {
      end = this.failed(thrown);
      log(end === "refused" ? "warn" : "debug", "A connection failed", {
        peer: this.peerText,
        reason: reasonOf(thrown),
      });
    }
    buffers.release(buffer);
    await this.beforeClose();
    // A TLS sender takes an end without a farewell for an attack, and logs it.
    if (end === "closed" && !this.#isCut) await this.peer.closeWrite();
    this.peer.close();
    return end;
  }

  /** Whether nothing more is to be read although the sender has not left. */
  protected get isOver(): boolean {
    return false;
  }

  /** The connection broke or brought what no protocol knows; what came before it is kept. */
  protected failed(thrown: unknown): SessionEnd {
    this.isReading = false;
    try {
      this.framer.finish();
    } catch {
      // The same damage once more: the first report is enough.
    }
    if (this.#isCut) return "closed";
    return faultOf(thrown) === "transient" ? "reset" : "refused";
  }

  protected async beforeClose(): Promise<void> {}
}

/** Plain syslog over TCP, TLS or a Unix socket. */
export class SyslogSession extends Session {
  protected readonly framer: SyslogFramer;

  constructor(peer: Peer, headers: readonly RecordHeader[], tools: SessionTools) {
    super(peer, headers, tools);
    const frame = (bytes: Uint8Array, start: number, end: number, part: number, more: boolean) =>
      tools.pipeline.accept(this, bytes, start, end, part, more);
    this.framer = new SyslogFramer({ frame }, { maxLineBytes: tools.lineBytesMost });
  }

  /**
   * Half-closes the connection. A sender that looks for a closed peer before it writes (rsyslog's
   * omfwd does) sees it and goes away; all it wrote before is read up to its end.
   */
  protected async stop(): Promise<void> {
    await this.peer.closeWrite();
  }
}
