/** Bytes of each line, its line feed included. */
export const lineBytes = 164;

const filling = "GET /index.html HTTP/1.1 200 512 ";

/** Everything of a line before the filling; `date` and `time` are its stamp. */
export type HeadOf = (n: number, date: string, time: string) => string;

/** The lines that `deno task bench forward` sends. */
export const rfc3164: HeadOf = (n, _date, time) =>
  `<134>Nov 23 ${time} web-17 nginx[4711]: request ${n} `;

export const rfc5424: HeadOf = (n, date, time) =>
  `<134>1 ${date}T${time}.${String(n % 1_000_000).padStart(6, "0")}Z web-17 nginx 4711 - ` +
  `[request@32473 number="${n}"] `;

export const notAscii: HeadOf = (n, date, time) => `${rfc3164(n, date, time)}Größe 17 € déjà `;

/** Numbered lines of {@linkcode lineBytes} bytes each, one behind the other. */
export function standardLines(count: number, headOf: HeadOf = rfc3164): Uint8Array {
  const encoder = new TextEncoder();
  const bytes = new Uint8Array(count * lineBytes);
  const start = Date.UTC(2026, 10, 23, 20, 30, 0);
  for (let n = 0; n < count; n++) {
    const iso = new Date(start + Math.floor(n / 5_000) * 1_000).toISOString();
    const at = n * lineBytes;
    const line = headOf(n, iso.slice(0, 10), iso.slice(11, 19)).padEnd(lineBytes, filling);
    encoder.encodeInto(line, bytes.subarray(at, at + lineBytes - 1));
    bytes[at + lineBytes - 1] = 10;
  }
  return bytes;
}
