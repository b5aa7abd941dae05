import type { RecentLine } from "../../core/recent_log.ts";
import { cut } from "../../core/cut.ts";
import { type Cell, type StatusView, tableRowsMost } from "../../core/status_view.ts";
import { pageDocument } from "./document.ts";
import { Followers } from "./followers.ts";

/** What the page shows besides what its view reads. */
export interface PageSource {
  /** "forward-syslog" */
  readonly command: string;
  readonly version: string;
  readonly commit: string;
  readonly host: string;
  readonly view: StatusView;
  /** Options and their values, without secrets. */
  readonly configuration: readonly (readonly [string, string])[];
  readonly recent: { readonly lines: readonly RecentLine[]; readonly version: number };
  /** Why the daemon does not do its work; empty when all is well. */
  readonly notReady: () => readonly string[];
  /** Milliseconds since 1970-01-01 UTC. */
  readonly nowMs: () => number;
  /** Milliseconds that only go forward. */
  readonly monotonicMs: () => number;
}

/** The values of all plots at one moment: by plot, by line; null is not known. */
interface Point {
  readonly atMs: number;
  readonly values: readonly (readonly (number | null)[])[];
}

const everyMs = 1_000;
const pointsMost = 300;
const reasonsMost = 20;
/** Of a reason or a cell, UTF-16 units. */
const textMost = 500;

/**
 * The page at `/`, the same for all daemons, and `/events`, which keeps it up to date (server-sent
 * events): `hello` with what does not change and the last minutes, then a `tick` each second. The
 * plots are read each second in any case, so that a page that is opened has a past.
 */
export class StatusPage {
  readonly #startedMs: number;
  readonly #followers = new Followers();
  readonly #history: Point[] = [];
  readonly #timer: ReturnType<typeof setInterval>;
  /** Of each line of each plot: what was read the last time, and when. */
  #before: (number | null)[][] = [];
  #beforeMs: number;
  #toldErrors = -1;

  constructor(private readonly source: PageSource) {
    this.#startedMs = source.nowMs();
    this.#beforeMs = source.monotonicMs();
    // Nothing is read yet: what is watched may be made only after its page.
    this.#timer = setInterval(() => this.tick(), everyMs);
  }

  /** The answer to a GET or HEAD; null when the path is none of ours. */
  answer({ method }: { readonly method: string }, path: string): Response | null {
    if (path === "/") {
      const { html, headers } = pageDocument();
      return new Response(html, { headers });
    }
    if (path !== "/events") return null;
    if (method === "HEAD") return new Response(null, { headers: { ...eventHeaders } });
    const hello = eventOf("hello", this.#hello());
    const body = this.#followers.add(hello + eventOf("tick", this.#told(true)));
    if (body === null) {
      return new Response("as many status pages as allowed are open\n", {
        status: 503,
        headers: { "retry-after": "5" },
      });
    }
    return new Response(body, { headers: { ...eventHeaders } });
  }

  /** Reads everything once and tells all who look; called each second. */
  tick(): void {
    this.#take();
    if (this.#followers.size === 0) return;
    const { version } = this.source.recent;
    this.#followers.tell(eventOf("tick", this.#told(version !== this.#toldErrors)));
    this.#toldErrors = version;
  }

  /** Ends all streams: an open one would keep the server from stopping. */
  close(): void {
    clearInterval(this.#timer);
    this.#followers.close();
  }

  #readLines(): (number | null)[][] {
    return this.source.view.plots.map(({ lines }) => lines.map(({ read }) => safely(read)));
  }

  #take(): void {
    const { view, nowMs, monotonicMs } = this.source;
    const takenMs = monotonicMs();
    const seconds = Math.max(takenMs - this.#beforeMs, 1) / 1_000;
    const now = this.#readLines();
    const values = view.plots.map(({ kind }, plot) =>
      (now[plot] ?? []).map((value, line) => {
        if (kind === "level" || value === null) return value;
        const before = this.#before[plot]?.[line] ?? null;
        return before === null ? null : Math.max(0, value - before) / seconds;
      })
    );
    this.#before = now;
    this.#beforeMs = takenMs;
    this.#history.push({ atMs: nowMs(), values });
    if (this.#history.length > pointsMost) this.#history.shift();
  }

  #hello() {
    const { command, version, commit, host, view, configuration } = this.source;
    return {
      ...{ command, version, commit, host, configuration, startedMs: this.#startedMs },
      plots: view.plots.map(({ title, kind, unit, lines }) => ({
        ...{ title, kind, unit },
        labels: lines.map(({ label }) => label),
      })),
      figures: view.figures.map(({ label, unit, isBadUnlessZero = false }) => ({
        ...{ label, unit, isBadUnlessZero },
      })),
      tables: view.tables.map(({ title, columns, none }) => ({ title, columns, none })),
      // The newest point comes with the tick that follows.
      history: this.#history.slice(0, -1),
    };
  }

  #told(withErrors: boolean) {
    const { view, notReady, recent, nowMs } = this.source;
    const point = this.#history.at(-1) ?? { atMs: nowMs(), values: view.plots.map(() => []) };
    return {
      ...point,
      figures: view.figures.map(({ read }) => safely(read)),
      tables: view.tables.map(({ rows: read }) => {
        const rows = safely(read) ?? [];
        return {
          rows: rows.slice(0, tableRowsMost).map((row) => row.map(cutCell)),
          more: Math.max(0, rows.length - tableRowsMost),
        };
      }),
      notReady: (safely(notReady) ?? ["it cannot be told"]).slice(0, reasonsMost)
        .map((reason) => cut(reason, textMost)),
      ...(withErrors ? { errors: recent.lines } : {}),
    };
  }
}

const eventHeaders = {
  "content-type": "text/event-stream",
  // Nobody in between may keep it, pack it or hold it back.
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
  "x-content-type-options": "nosniff",
} as const;

function cutCell(cell: Cell): Cell {
  return typeof cell === "string" ? cut(cell, textMost) : cell;
}

function eventOf(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A figure that cannot be read must not end the daemon. */
function safely<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
