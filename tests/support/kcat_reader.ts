import { type ReadOptions, type ReadRecord, waitForRecords } from "./kafka_reader.ts";

/**
 * Reads a topic from its beginning by kcat, which knows every compression and checks the CRC of every
 * batch; quick with large numbers. Keys and values are binary safe; header values must have no line
 * feed.
 *
 * @throws {Error} when `expect` records are not there within `timeoutMs`, or kcat fails.
 */
export async function readAllKcat(
  bootstrap: string,
  topic: string,
  options: ReadOptions = {},
): Promise<ReadRecord[]> {
  const timeoutMs = options.timeoutMs ?? 60_000;
  if (options.expect) await waitForRecords(bootstrap, topic, options.expect, timeoutMs);
  const child = new Deno.Command("kcat", {
    args: [
      ...["-C", "-e", "-q", "-o", "beginning", "-b", bootstrap, "-t", topic],
      ...["-X", "check.crcs=true", "-f", "%p %o %T %K %S %h\\n%k%s"],
    ],
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(timeoutMs),
  });
  const { success, stdout, stderr } = await child.output();
  if (!success) {
    throw new Error(`Cannot read ${topic} with kcat: ${new TextDecoder().decode(stderr).trim()}`);
  }
  return takeApart(stdout)
    .sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
}

/** Records from `PARTITION OFFSET TIMESTAMP KEY_BYTES VALUE_BYTES HEADERS\n`, key and value after it. */
export function takeApart(bytes: Uint8Array): ReadRecord[] {
  const decoder = new TextDecoder();
  const records: ReadRecord[] = [];
  let at = 0;
  while (at < bytes.length) {
    const lineEnd = bytes.indexOf(10, at);
    if (lineEnd < 0) throw new Error(`Cannot understand kcat: no end of line after byte ${at}`);
    const [partition, offset, timestamp, keyBytes, valueBytes, ...headers] = decoder
      .decode(bytes.subarray(at, lineEnd)).split(" ");
    // kcat tells -1 for a key or a value that is null.
    const keyEnd = lineEnd + 1 + Math.max(0, Number(keyBytes));
    const valueEnd = keyEnd + Math.max(0, Number(valueBytes));
    if (!(valueEnd <= bytes.length)) {
      throw new Error(`Cannot understand kcat: no whole record at byte ${at}`);
    }
    records.push({
      partition: Number(partition),
      offset: BigInt(offset ?? ""),
      timestamp: Number(timestamp),
      key: Number(keyBytes) < 0 ? null : bytes.subarray(lineEnd + 1, keyEnd),
      value: bytes.subarray(keyEnd, valueEnd),
      headers: headersOf(headers.join(" ")),
    });
    at = valueEnd;
  }
  return records;
}

function headersOf(text: string): Record<string, string> {
  if (text === "") return {};
  return Object.fromEntries(
    text.split(",").map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
