/** Bytes of one numbered line, without its line feed: the length of an ordinary log line. */
export const numberedLineBytes = 164;

/**
 * Line `n` of a source, 164 bytes, an RFC 3164 message that is unlike every other line:
 * `<13>Nov 23 20:30:00 SOURCE tag: line 000001 of SOURCE ...`
 */
export function numberedLine(n: number, source = "host"): string {
  const start = `<13>Nov 23 20:30:00 ${source} ${numberedTag}: ${numberedContent(n, source)}`;
  return start.padEnd(numberedLineBytes, padding);
}

/** Lines 1 to `count` of a source. */
export function* numberedLines(count: number, source = "host"): Generator<string> {
  for (let n = 1; n <= count; n++) yield numberedLine(n, source);
}

const numberedTag = "tag";
const padding = " abcdefghijklmnopqrstuvwxyz 0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ";

function numberedContent(n: number, source: string): string {
  return `line ${String(n).padStart(6, "0")} of ${source}`;
}

/** What tells a numbered line from the others, in the line or in any field of it: `000001 of host`. */
export function numberedKey(text: string): string | undefined {
  return /line (\d+ of \S+)/.exec(text)?.[1];
}
