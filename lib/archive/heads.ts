/** Places in a record batch: length (from the next field on), version, last offset delta. */
const lengthAt = 8;
const magicAt = 16;
const lastOffsetDeltaAt = 23;
const headBytes = 61;
const beforeLength = 12;

/**
 * Where reading goes on after the batches of an answer: behind the last whole one; null when there is
 * none. Looks at the lengths only, so that the next fetch can be sent before these are taken in; what
 * is wrong with them is found then. What begins with something else than a batch is taken for one
 * offset, so that it is looked at.
 *
 * @param asked the offset that was asked for.
 */
export function nextOffsetIn(records: Uint8Array, asked: bigint): bigint | null {
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  let last = -1;
  for (let at = 0; at + magicAt < records.length;) {
    const sizeBytes = view.getInt32(at + lengthAt) + beforeLength;
    const isOurs = view.getInt8(at + magicAt) === 2 && sizeBytes >= headBytes;
    // What is no batch has to be looked at by those who can tell what is wrong with it.
    if (!isOurs && last < 0) return asked + 1n;
    if (!isOurs || at + sizeBytes > records.length) break;
    last = at;
    at += sizeBytes;
  }
  if (last < 0) return null;
  return view.getBigInt64(last) + BigInt(view.getInt32(last + lastOffsetDeltaAt)) + 1n;
}
