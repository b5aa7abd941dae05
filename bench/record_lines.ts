/** Bytes of each record's value. */
export const recordBytes = 280;

const programs = ["nginx", "sshd", "kernel", "payments", "checkout", "search-api"] as const;
const paths = [
  "/v1/orders",
  "/v1/users",
  "/search",
  "/health",
  "/v2/cart/items",
  "/login",
] as const;

/**
 * Log records as JSON, a line each, with as much that differs from one to the next as real ones have:
 * gzip makes a tenth of them. The same for the same count.
 */
export function recordLines(count: number): Uint8Array {
  const encoder = new TextEncoder();
  const bytes = new Uint8Array(count * (recordBytes + 1)).fill(32);
  const random = seeded(1);
  for (let n = 0; n < count; n++) {
    const at = n * (recordBytes + 1);
    const time = new Date(Date.UTC(2026, 10, 24) + n * 3).toISOString();
    encoder.encodeInto(
      `{"timestamp":"${time}","hostname":"web-${random(20)}.prod",` +
        `"program":"${programs[random(6)]}","pid":${random(30_000)},"severity":"info",` +
        `"facility":"local0","message":"GET ${paths[random(6)]}?id=${random(1e7)} ` +
        `status=${random(5) === 0 ? 404 : 200} took=${random(900)}ms ` +
        `client=10.${random(256)}.${random(256)}.${random(256)} agent=Mozilla/5.0"}`,
      bytes.subarray(at, at + recordBytes),
    );
    bytes[at + recordBytes] = 10;
  }
  return bytes;
}

/** Numbers below a limit, always the same ones (xorshift32). */
function seeded(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}
