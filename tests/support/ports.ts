import { delay } from "./waiting.ts";

/**
 * A TCP port on 127.0.0.1 that nobody listens on. It lies below the range that the kernel takes for
 * outgoing connections, so a server that is down for a moment finds its port free when it comes back.
 */
export function freePort(): number {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = rangeStart + 1 + Math.floor(Math.random() * (rangePorts - 1));
    if (taken.has(port) || !isFree(port)) continue;
    taken.add(port);
    return port;
  }
  throw new Error("Cannot find a free port: 200 tried between 12000 and 32000");
}

// Test files that run at once draw from ranges of their own, for a port is free, too, while the server
// that it was drawn for is on its way. A range belongs to whoever listens on its first port; the
// listener lives as long as the test file, and is opened before its tests, which may not leave any.
const rangePorts = 500;
const ranges = 40;
const rangeStart = takeRange();

function takeRange(): number {
  const first = Math.floor(Math.random() * ranges);
  for (let n = 0; n < ranges; n++) {
    const start = 12_000 + rangePorts * ((first + n) % ranges);
    try {
      Deno.listen({ hostname: "127.0.0.1", port: start }).unref();
      return start;
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.AddrInUse)) throw thrown;
    }
  }
  throw new Error(`Cannot find a free range of ports: ${ranges} tried from 12000 on`);
}

// Ports handed out here: two servers that start at once must not get the same one.
const taken = new Set<number>();

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.AddrInUse) return false;
    throw thrown;
  }
}

/** Waits until somebody accepts connections on the port. Throws after `timeoutMs`. */
export async function waitForPort(port: number, timeoutMs = 90_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.ConnectionRefused)) throw thrown;
      await delay(50);
    }
  }
  throw new Error(`Cannot connect to 127.0.0.1:${port}: nobody listened for ${timeoutMs} ms`);
}
