import { reasonOf, SluiceError } from "../../core/errors.ts";
import { visible } from "../../core/visible.ts";
import type { Outlet } from "./outlet.ts";
import type { Place } from "./place.ts";
import type { Report } from "./report.ts";
import { eventsOf, type RiemannIdentity } from "./riemann_events.ts";
import { decodeAnswer, encodeEvents, type RiemannEvent } from "./riemann_schema.ts";

/** Events in a message: some 30 KB, encoded in less than a millisecond. */
const eventsMost = 200;
/** Riemann answers with two bytes, or with an error's text. */
const answerBytesMost = 1024 * 1024;
/** How long a connection or an answer may take. */
const patienceMs = 5_000;

/**
 * Reports to Riemann by TCP: each message is its length (four bytes, big-endian) and itself, and
 * Riemann acknowledges each. The connection is kept from report to report.
 */
export class RiemannTcp implements Outlet {
  readonly name = "riemann";
  #conn: Deno.TcpConn | null = null;

  constructor(
    private readonly place: Place,
    private readonly identity: RiemannIdentity,
    private readonly waitMs = patienceMs,
  ) {}

  async send(report: Report, signal: AbortSignal): Promise<void> {
    const wasOpen = this.#conn !== null;
    try {
      await this.#sendOnce(report, signal);
    } catch (thrown) {
      // A server that was restarted has closed the old connection: that alone is no trouble.
      if (!wasOpen || signal.aborted) throw thrown;
      await this.#sendOnce(report, signal);
    }
  }

  async check(): Promise<void> {
    try {
      await this.#exchange([], new AbortController().signal);
    } finally {
      this.close();
    }
  }

  close(): void {
    const conn = this.#conn;
    this.#conn = null;
    try {
      conn?.close();
    } catch {
      // The other side was faster.
    }
  }

  async #sendOnce(report: Report, signal: AbortSignal): Promise<void> {
    let events: RiemannEvent[] = [];
    for (const event of eventsOf(report, this.identity)) {
      events.push(event);
      if (events.length < eventsMost) continue;
      await this.#exchange(events, signal);
      events = [];
    }
    if (events.length > 0) await this.#exchange(events, signal);
  }

  /** One message and its answer; the connection is closed when anything goes wrong. */
  async #exchange(events: readonly RiemannEvent[], signal: AbortSignal): Promise<void> {
    const limit = new AbortController();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      limit.abort();
    }, this.waitMs);
    const cancel = AbortSignal.any([signal, limit.signal]);
    const end = () => this.close();
    try {
      this.#conn ??= await this.#connect(cancel);
      const conn = this.#conn;
      cancel.addEventListener("abort", end);
      await writeMessage(conn, encodeEvents(events));
      const { ok, error } = decodeAnswer(await readMessage(conn));
      if (!ok) throw new Error(`it refuses the events: ${visible(error).slice(0, 200)}`);
    } catch (thrown) {
      this.close();
      const detail = isLate ? `no answer for ${this.waitMs} ms` : reasonOf(thrown);
      throw new SluiceError(`report to Riemann at ${this.place.text}`, "transient", detail, {
        cause: thrown,
      });
    } finally {
      clearTimeout(timer);
      cancel.removeEventListener("abort", end);
    }
  }

  async #connect(signal: AbortSignal): Promise<Deno.TcpConn> {
    const { host: hostname, port } = this.place;
    return await Deno.connect({ hostname, port, signal });
  }
}

async function writeMessage(conn: Deno.TcpConn, message: Uint8Array): Promise<void> {
  const framed = new Uint8Array(4 + message.length);
  new DataView(framed.buffer).setUint32(0, message.length);
  framed.set(message, 4);
  for (let at = 0; at < framed.length;) at += await conn.write(framed.subarray(at));
}

async function readMessage(conn: Deno.TcpConn): Promise<Uint8Array> {
  const head = await readExactly(conn, 4);
  const length = new DataView(head.buffer).getUint32(0);
  if (length > answerBytesMost) {
    throw new Error(`its answer claims ${length} bytes: that is no Riemann`);
  }
  return await readExactly(conn, length);
}

async function readExactly(conn: Deno.TcpConn, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await conn.read(bytes.subarray(at));
    if (count === null) throw new Error("it closed the connection without an answer");
    at += count;
  }
  return bytes;
}
