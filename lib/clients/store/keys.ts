import { SluiceError } from "../../core/errors.ts";

/** What S3 allows, in bytes of UTF-8, with the prefix of the store. */
const mostKeyBytes = 1024;

const encoder = new TextEncoder();

/**
 * Refuses a key that would not come back from a listing as it was put, or lead out of a folder.
 *
 * @param prefix stands before the key in S3, where both together are to be short enough.
 * @throws {SluiceError} `permanent`, with the key's faulty part.
 */
export function checkKey(action: string, key: string, prefix = ""): void {
  const wrong = wrongWith(key, prefix);
  if (wrong) throw new SluiceError(action, "permanent", `a key cannot ${wrong}`);
}

function wrongWith(key: string, prefix: string): string | undefined {
  if (key === "") return "be empty";
  // deno-lint-ignore no-control-regex -- these it is that XML, in which S3 answers, cannot bear
  if (/[\u0000-\u001f\u007f]/.test(key)) return "hold control characters; encode them";
  if (!key.isWellFormed()) return "hold half a character";
  if (encoder.encode(prefix + key).length > mostKeyBytes) {
    return `be longer than ${mostKeyBytes} bytes`;
  }
  for (const segment of key.split("/")) {
    if (segment === "") return 'begin or end with "/" or hold two of them in a row';
    if (segment === "." || segment === "..") return `have a segment "${segment}"`;
  }
  return undefined;
}

/** Compares texts by their UTF-8 bytes, the order in which S3 lists keys. */
export function byUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const one = a.charCodeAt(i);
    const other = b.charCodeAt(i);
    if (one !== other) return inUtf8(one) - inUtf8(other);
  }
  return a.length - b.length;
}

/**
 * UTF-16 puts characters behind U+FFFF, which are pairs of 0xD800..0xDFFF, before U+E000..U+FFFF;
 * UTF-8 puts them behind.
 */
function inUtf8(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
