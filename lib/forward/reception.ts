import type { Log } from "../core/world.ts";
import type { Listener, Peer } from "../clients/listen/listen.ts";
import type { ListenUrl } from "../formats/listen_url.ts";
import type { RecordHeader } from "../formats/record_batch.ts";
import { Gate } from "../core/gate.ts";
import { header, headerNames } from "./record_headers.ts";
import { RelpSession } from "./relp_session.ts";
import { type Session, type SessionTools, SyslogSession } from "./session.ts";
import type { ForwardSettings } from "./settings.ts";

/**
 * How many looks in a row may find nothing from a sender that was asked to leave before the connection
 * is closed. One that has nothing to send does not look (rsyslog's omfwd looks before it writes), and
 * a stop would wait for all of --drain-timeout for it. It has our FIN: closing the other half, too,
 * changes nothing for what it writes next.
 */
const silentLooks = 8;
const silenceLookMs = 250;

/** Counts of connections, for the metrics. */
export interface ConnectionCounts {
  accepted: number;
  reset: number;
  refused: number;
  idle: number;
}

/**
 * Takes connections, as many as may be open at once, and runs a session for each. What comes above
 * the limit waits in the kernel's queue.
 */
export class Reception {
  readonly sessions = new Set<Session>();
  readonly counts: ConnectionCounts = { accepted: 0, reset: 0, refused: 0, idle: 0 };
  readonly #listeners: Listener[] = [];
  readonly #left = new Gate();
  #isStopping = false;
  #hasClosed = false;
  #isFull = false;

  constructor(
    private readonly settings: Pick<ForwardSettings, "connectionsMost" | "headers" | "idleMs">,
    private readonly tools: SessionTools,
  ) {}

  /** Takes connections of one listener until {@linkcode Reception.stop}, which stops it, too. */
  async serve(listener: Listener, url: ListenUrl): Promise<void> {
    this.#listeners.push(listener);
    for (;;) {
      // At a stop those who wait in the kernel's queue are taken, too: what they have written would
      // be lost with it.
      if (this.sessions.size >= this.settings.connectionsMost && !this.#isStopping) {
        this.#reportFull(this.tools.log);
        await this.#left.wait();
        continue;
      }
      const peer = await listener.accept();
      if (peer === null) return;
      this.counts.accepted++;
      this.#open(peer, url);
    }
  }

  /**
   * Asks every sender to leave and waits until all have, at most `drainMs`; then closes the rest.
   * Those that say nothing are not waited for that long.
   *
   * @returns how many were still sending when they were cut off.
   */
  async stop(drainMs: number): Promise<{ readonly cut: number }> {
    this.#isStopping = true;
    this.#left.wake();
    await Promise.all(this.#listeners.map((listener) => listener.lastCall()));
    this.#hasClosed = true;
    for (const session of this.sessions) session.leave();
    const silenceLook = setInterval(() => this.#closeSilent(), silenceLookMs);
    let cut = 0;
    const timer = setTimeout(() => {
      cut = this.sessions.size;
      for (const session of this.sessions) session.cut();
    }, drainMs);
    while (this.sessions.size > 0) await this.#left.wait();
    clearTimeout(timer);
    clearInterval(silenceLook);
    return { cut };
  }

  /** Closes connections on which nothing has come for a while since their senders were asked to leave. */
  #closeSilent(): void {
    for (const session of this.sessions) {
      if (session.look() >= silentLooks) session.cut();
    }
  }

  /**
   * Asks those to leave that have said nothing for longer than they may, so that they can finish the
   * line that is just on its way; who is still there after the same time again is cut off.
   */
  closeIdle(nowMs: number): void {
    const { idleMs } = this.settings;
    if (idleMs === 0) return;
    for (const session of this.sessions) {
      const silentMs = nowMs - session.lastReadMs;
      if (!session.isReading || silentMs <= idleMs) continue;
      if (session.isLeaving) {
        // Found so twice: after a standstill of ours what came meanwhile is read between two looks.
        if (silentMs > 2 * idleMs && session.look() >= 2) session.cut();
        continue;
      }
      this.counts.idle++;
      session.leave();
    }
  }

  #open(peer: Peer, url: ListenUrl): void {
    const headers = this.#headersOf(peer, url);
    const session = url.protocol === "relp"
      ? new RelpSession(peer, headers, this.tools)
      : new SyslogSession(peer, headers, this.tools);
    this.sessions.add(session);
    // Came in the moment after the last call: it must hear, too, that we go.
    if (this.#hasClosed) session.leave();
    session.run().then((end) => {
      if (end === "reset") this.counts.reset++;
      if (end === "refused") this.counts.refused++;
      this.sessions.delete(session);
      this.#left.wake();
    });
  }

  #headersOf(peer: Peer, url: ListenUrl): readonly RecordHeader[] {
    if (!this.settings.headers) return [];
    return [header(headerNames.peer, peer.address), header(headerNames.listener, url.text)];
  }

  #reportFull(log: Log): void {
    if (this.#isFull) return;
    this.#isFull = true;
    log("warn", "As many connections as allowed are open; others have to wait", {
      limit: this.settings.connectionsMost,
      hint: "raise --max-connections, or set --idle-timeout if dead senders hold them",
    });
  }
}
