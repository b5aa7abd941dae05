/**
 * The 32-bit hash that Kafka's own clients choose partitions by (org.apache.kafka.common.utils.Utils
 * murmur2), signed. A partition is `(murmur2(key) & 0x7fffffff) % partitions`.
 */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  const multiplier = 0x5bd1e995;
  let hash = 0x9747b28c ^ length;
  let at = 0;
  for (const last = length - 4; at <= last; at += 4) {
    let word = (bytes[at] as number) | (bytes[at + 1] as number) << 8 |
      (bytes[at + 2] as number) << 16 | (bytes[at + 3] as number) << 24;
    word = Math.imul(word, multiplier);
    word ^= word >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier);
  }
  const rest = length - at;
  if (rest >= 3) hash ^= (bytes[at + 2] as number) << 16;
  if (rest >= 2) hash ^= (bytes[at + 1] as number) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ (bytes[at] as number), multiplier);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return hash ^ hash >>> 15;
}
