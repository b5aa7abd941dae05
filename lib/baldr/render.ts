import type { RecordSink } from "../formats/baldr.ts";
import { LENGTH_BYTES, putLength } from "../formats/baldr.ts";
import type { Output } from "./output.ts";

const LF = 10;
const hexDigits = new TextEncoder().encode("0123456789abcdef");

/** Each record and a line feed. */
export function renderLines(output: Output): RecordSink {
  return {
    record: (bytes, start, end, _part, more) => {
      output.append(bytes, start, end);
      if (more) return;
      output.byte(LF);
      output.endRecord();
    },
  };
}

/** The records' bytes, one after the other. */
export function renderRaw(output: Output): RecordSink {
  return {
    record: (bytes, start, end, _part, more) => {
      output.append(bytes, start, end);
      if (!more) output.endRecord();
    },
  };
}

/** Each record as hexadecimal digits and a line feed. */
export function renderHex(output: Output): RecordSink {
  return {
    record: (bytes, start, end, _part, more) => {
      let at = output.reserve(2 * (end - start) + 1);
      const { block } = output;
      for (let i = start; i < end; i++) {
        const byte = bytes[i] as number;
        block[at++] = hexDigits[byte >> 4] as number;
        block[at++] = hexDigits[byte & 15] as number;
      }
      if (!more) block[at++] = LF;
      output.advanceTo(at);
      if (!more) output.endRecord();
    },
  };
}

/** Each record behind its length: Baldr again. */
export function renderBaldr(output: Output): RecordSink {
  return {
    record: (bytes, start, end, part, more, length) => {
      if (part === 0) {
        const at = output.reserve(LENGTH_BYTES);
        putLength(output.block, at, length);
        output.advanceTo(at + LENGTH_BYTES);
      }
      output.append(bytes, start, end);
      if (!more) output.endRecord();
    },
  };
}
