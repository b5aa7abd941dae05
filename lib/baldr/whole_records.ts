import type { RecordSink } from "../formats/baldr.ts";
import { Gathered } from "../formats/gathered.ts";

/** Puts records together that come in parts; each is valid during the call alone. */
export function wholeRecords(take: (record: Uint8Array) => void): RecordSink {
  const open = new Gathered();
  return {
    record: (bytes, start, end, part, more) => {
      if (part === 0) {
        if (!more) return take(bytes.subarray(start, end));
        open.clear();
      }
      open.append(bytes, start, end);
      if (!more) take(open.bytes);
    },
  };
}
