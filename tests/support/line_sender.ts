/** Sends lines over one TCP connection; resolves when the other side has read all and closed. */
export async function sendLines(
  port: number,
  lines: Iterable<string> | AsyncIterable<string>,
): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const encoder = new TextEncoder();
  try {
    let pending: string[] = [];
    const flush = async () => {
      const bytes = encoder.encode(pending.join(""));
      pending = [];
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    };
    for await (const line of lines) {
      if (pending.push(`${line}\n`) >= 1000) await flush();
    }
    await flush();
    await conn.closeWrite();
    while (await conn.read(new Uint8Array(1024)) !== null);
  } finally {
    conn.close();
  }
}
