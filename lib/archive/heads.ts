/** Places in a record batch: length (from the next field on), last offset delta. */
const lengthAt = 8;
const lastOffsetDeltaAt = 23;
const headBytes = 61;
const beforeLength = 12;

/**
 * Where reading goes on after the batches of an answer: behind the last whole one; null when there is
 * none. Looks at the lengths only, so that the next fetch can be sent before these are taken in; what
 * is wrong with them is found then.
 */
export function nextOffsetIn(records: Uint8Array): bigint | null {
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  let last = -1;
  for (let at = 0; at + headBytes <= records.length;) {
    const sizeBytes = view.getInt32(at + lengthAt) + beforeLength;
    if (sizeBytes < headBytes || at + sizeBytes > records.length) break;
    last = at;
    at += sizeBytes;
  }
  if (last < 0) return null;
  return view.getBigInt64(last) + BigInt(view.getInt32(last + lastOffsetDeltaAt)) + 1n;
}
