import { jsonBytesMost, SyslogJson } from "../lib/formats/syslog_json.ts";
import { type FrameSink, SyslogFramer } from "../lib/formats/syslog_frame.ts";
import { SyslogMessage, SyslogParser } from "../lib/formats/syslog_message.ts";
import { notAscii, rfc3164, rfc5424, standardLines } from "./standard_lines.ts";

const CHUNK_BYTES = 256 * 1024;
const LINES = 400_000;
const RUNS = 7;

/** Frames, parses and encodes; keeps count so that nothing can be left out. */
class Pipeline implements FrameSink {
  frames = 0;
  jsonBytes = 0;
  readonly #parser = new SyslogParser({ timeZone: "Europe/London" });
  readonly #message = new SyslogMessage();
  readonly #json = new SyslogJson();
  readonly #peer = new TextEncoder().encode("127.0.0.1");
  readonly #out = new Uint8Array(512 * 1024);
  readonly #nowMs = Date.UTC(2026, 10, 23, 20, 31);
  #at = 0;

  frame(bytes: Uint8Array, start: number, end: number): void {
    this.frames++;
    if (this.#at + jsonBytesMost(end - start, this.#peer.length) > this.#out.length) this.#at = 0;
    this.#parser.parse(bytes, start, end, this.#nowMs, this.#message);
    const at = this.#at;
    this.#at = this.#json.encode(
      this.#message,
      bytes,
      start,
      end,
      this.#nowMs,
      this.#peer,
      this.#out,
      at,
    );
    this.jsonBytes += this.#at - at;
  }
}

function pushAll(lines: Uint8Array, sink: FrameSink): number {
  const framer = new SyslogFramer(sink, { maxLineBytes: 65_536 });
  const started = performance.now();
  for (let at = 0; at < lines.length; at += CHUNK_BYTES) {
    const chunk = lines.subarray(at, Math.min(lines.length, at + CHUNK_BYTES));
    framer.push(chunk, chunk.length);
  }
  framer.finish();
  return performance.now() - started;
}

function report(name: string, lines: Uint8Array, makeSink: () => FrameSink): void {
  const nanoseconds: number[] = [];
  for (let run = 0; run < RUNS + 2; run++) {
    const ms = pushAll(lines, makeSink());
    if (run >= 2) nanoseconds.push(ms * 1e6 / LINES);
  }
  nanoseconds.sort((a, b) => a - b);
  const median = nanoseconds[nanoseconds.length >> 1] ?? NaN;
  const least = nanoseconds[0] ?? NaN;
  const most = nanoseconds[nanoseconds.length - 1] ?? NaN;
  // deno-lint-ignore no-console
  console.log(
    `${name.padEnd(22)} ${median.toFixed(0).padStart(5)} ns/line ` +
      `(${least.toFixed(0)}..${most.toFixed(0)}) ${Math.round(1e9 / median)} lines/s`,
  );
}

/** Prints what framing alone, and framing, parsing and encoding cost for lines of 164 bytes. */
export function run(_args: string[]): Promise<void> {
  const lines = standardLines(LINES, rfc3164);
  report("frame", lines, () => ({ frame: () => {} }));
  report("frame, parse, JSON", lines, () => new Pipeline());
  report("the same, RFC 5424", standardLines(LINES, rfc5424), () => new Pipeline());
  report("the same, not ASCII", standardLines(LINES, notAscii), () => new Pipeline());
  return Promise.resolve();
}

if (import.meta.main) await run(Deno.args);
