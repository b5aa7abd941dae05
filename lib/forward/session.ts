import { reasonOf } from "../core/errors.ts";
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
  protected isStopping = false;

  constructor(
    readonly peer: Peer,
    headers: readonly RecordHeader[],
    protected readonly tools: SessionTools,
  ) {
    super(peer.id, peer.address, headers);
    this.lastReadMs = tools.monotonicMs();
  }

  protected abstract readonly framer: Framer;

  /** The sender is asked to leave; what it has sent is still taken. */
  abstract stop(): Promise<void>;

  /** Called after each read has been taken apart. */
  protected async afterRead(): Promise<void> {}

  /** Reads to the end of the connection and closes it. Does not throw. */
  async run(): Promise<SessionEnd> {
    const { pipeline, buffers, log } = this.tools;
    let buffer = buffers.first();
    let end: SessionEnd = "closed";
    try {
      while (!this.isOver) {
        while (!pipeline.hasRoom(this)) await pipeline.room(this);
        const length = await this.peer.read(buffer);
        if (length === null) break;
        // Others may have filled what room there was while this connection waited for its bytes.
        while (!pipeline.hasRoom(this)) await pipeline.room(this);
        this.lastReadMs = this.tools.monotonicMs();
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
    this.peer.close();
    return end;
  }

  /** Whether nothing more is to be read although the sender has not left. */
  protected get isOver(): boolean {
    return false;
  }

  /** The connection broke or brought what no protocol knows; what came before it is kept. */
  protected failed(thrown: unknown): SessionEnd {
    try {
      this.framer.finish();
    } catch {
      // The same damage once more: the first report is enough.
    }
    return isReset(thrown) ? "reset" : "refused";
  }

  protected async beforeClose(): Promise<void> {}
}

function isReset(thrown: unknown): boolean {
  return (thrown as { fault?: string }).fault === "transient";
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
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.peer.closeWrite();
  }
}
