import type { Log } from "../core/world.ts";
import type { Listener, Peer } from "../clients/listen/listen.ts";
import type { ListenUrl } from "../formats/listen_url.ts";
import type { RecordHeader } from "../formats/record_batch.ts";
import { Gate } from "./gate.ts";
import { header, headerNames } from "./record_headers.ts";
import { RelpSession } from "./relp_session.ts";
import { type Session, type SessionTools, SyslogSession } from "./session.ts";
import type { ForwardSettings } from "./settings.ts";

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
  readonly #left = new Gate();
  #isStopping = false;
  #isFull = false;

  constructor(
    private readonly settings: Pick<ForwardSettings, "connectionsMost" | "headers" | "idleMs">,
    private readonly tools: SessionTools,
  ) {}

  /** Takes connections of one listener until it is stopped. */
  async serve(listener: Listener, url: ListenUrl): Promise<void> {
    while (!this.#isStopping) {
      if (this.sessions.size >= this.settings.connectionsMost) {
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

  /** Asks every sender to leave and waits until all have, at most `drainMs`; then closes the rest. */
  async stop(drainMs: number): Promise<{ readonly cut: number }> {
    this.#isStopping = true;
    this.#left.wake();
    for (const session of this.sessions) session.stop().catch(() => session.cut());
    let cut = 0;
    const timer = setTimeout(() => {
      cut = this.sessions.size;
      for (const session of this.sessions) session.cut();
    }, drainMs);
    while (this.sessions.size > 0) await this.#left.wait();
    clearTimeout(timer);
    return { cut };
  }

  /** Closes connections that have said nothing for longer than they may. */
  closeIdle(nowMs: number): void {
    if (this.settings.idleMs === 0) return;
    for (const session of this.sessions) {
      if (session.isReading && nowMs - session.lastReadMs > this.settings.idleMs) {
        this.counts.idle++;
        session.cut();
      }
    }
  }

  #open(peer: Peer, url: ListenUrl): void {
    const headers = this.#headersOf(peer, url);
    const session = url.protocol === "relp"
      ? new RelpSession(peer, headers, this.tools)
      : new SyslogSession(peer, headers, this.tools);
    this.sessions.add(session);
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
