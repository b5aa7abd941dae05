import { LENGTH_BYTES, putLength } from "../lib/formats/baldr.ts";

/** Chance that is the same in every run (xorshift, Marsaglia 2003), in [0, 1). */
function seeded(seed: number): () => number {
  return () => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed >>> 0) / 2 ** 32;
  };
}

const paths = [
  "/",
  "/search",
  "/api/v1/quotes",
  "/api/v1/energy/compare",
  "/static/app.js",
  "/broadband/deals",
  "/account/login",
  "/health",
];
const agents = [
  "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X)",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
  "curl/8.5.0",
];

/** Log records as forward-syslog writes them, about 270 bytes each, which gzip makes a seventh of. */
function* records(): Generator<string> {
  const random = seeded(42);
  const whole = (limit: number) => Math.floor(random() * limit);
  const pick = (words: readonly string[]) => words[whole(words.length)];
  for (let ms = Date.UTC(2026, 10, 23, 20, 30);; ms += whole(3)) {
    const address = `${whole(223)}.${whole(256)}.${whole(256)}.${whole(256)}`;
    const content = `${address} GET ${pick(paths)}?id=${whole(1e9)} HTTP/1.1 ` +
      `${random() < 0.9 ? 200 : 404} ${whole(50_000)} ${pick(agents)} ${random().toFixed(3)}`;
    yield `{"timestamp":"${new Date(ms).toISOString()}","hostname":"web-${whole(24)}",` +
      `"tag":"nginx","content":"${content}","priority":134,"facility":16,"severity":6,` +
      `"pid":"${1_000 + whole(40)}"}`;
  }
}

/** Writes an archive of at least so many bytes (before gzip -6); returns how many records it has. */
export async function makeArchive(path: string, bytes: number): Promise<number> {
  const gzip = new Deno.Command("sh", {
    args: ["-c", 'exec gzip -6 -n >"$0"', path],
    stdin: "piped",
  }).spawn();
  const writer = gzip.stdin.getWriter();
  const encoder = new TextEncoder();
  const block = new Uint8Array(1024 * 1024);
  let at = 0;
  let written = 0;
  let count = 0;
  for (const record of records()) {
    if (written + at >= bytes || at + LENGTH_BYTES + 1_000 > block.length) {
      await writer.write(block.slice(0, at));
      written += at;
      at = 0;
      if (written >= bytes) break;
    }
    const { written: length } = encoder.encodeInto(record, block.subarray(at + LENGTH_BYTES));
    putLength(block, at, length);
    at += LENGTH_BYTES + length;
    count++;
  }
  await writer.close();
  if (!(await gzip.status).success) throw new Error("gzip failed");
  return count;
}
