import { gzipSync } from "node:zlib";

/** What is dropped for a benchmark of ingest. */
export interface DropPlan {
  readonly rows: number;
  readonly files: number;
}

const statuses = ["new", "paid", "packed", "sent", "returned"];
const words = ["leave at the door", 'call before, "twice"', "gift, no invoice", "", "second floor"];

/** Chance that is the same in every run (xorshift, Marsaglia 2003), in [0, limit). */
function seeded(seed: number): (limit: number) => number {
  return (limit) => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return Math.floor((seed >>> 0) / 2 ** 32 * limit);
  };
}

/**
 * One of the files, gzip: orders of about 60 bytes, the keys in no order, a hundredth of them twice,
 * some notes in quotes.
 */
export function dropRows({ rows, files }: DropPlan, file: number): Uint8Array {
  const whole = seeded(42 + file);
  const count = Math.floor(rows / files);
  const lines: string[] = [];
  for (let n = 0; n < count; n++) {
    // A walk over all keys with a step that has no factor in common with their number.
    const at = n % 100 === 99 ? n - 50 : n;
    const id = ((file * count + at) * 7_368_787) % (files * count);
    const day = String(1 + whole(28)).padStart(2, "0");
    const stamp = `2026-${String(1 + whole(12)).padStart(2, "0")}-${day} 12:34:${10 + whole(50)}`;
    const note = words[whole(words.length)] ?? "";
    const quoted = /[",]/.test(note) ? `"${note.replaceAll('"', '""')}"` : note;
    lines.push(
      `${id},${whole(100_000)},${stamp},${whole(1_000)}.${10 + whole(90)},` +
        `${statuses[whole(statuses.length)]},${quoted}\n`,
    );
  }
  return new Uint8Array(gzipSync(lines.join(""), { level: 6 }));
}
