import assert from "node:assert/strict";
import type { Listener, Peer } from "../../../lib/clients/listen/listen.ts";
import { SluiceError } from "../../../lib/core/errors.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The next connection of a listener that has not been stopped. */
export async function accepted(listener: Listener): Promise<Peer> {
  const peer = await listener.accept();
  assert.ok(peer, "the listener was stopped");
  return peer;
}

/** Reads until `bytes` bytes have come or the stream ends, through a small buffer. */
export async function readText(peer: Peer, bytes = Infinity): Promise<string> {
  const buffer = new Uint8Array(7);
  let text = "";
  while (text.length < bytes) {
    const read = await peer.read(buffer);
    if (read === null) break;
    assert.ok(read > 0 && read <= buffer.length);
    text += decoder.decode(buffer.subarray(0, read));
  }
  return text;
}

/** Writes a text to a peer or to the other end of one. */
export async function writeText(
  to: { write(bytes: Uint8Array): Promise<unknown> },
  text: string,
): Promise<void> {
  await to.write(encoder.encode(text));
}

/** Reads what comes from a connection of our own until its end. */
export async function readAllText(conn: Deno.Conn): Promise<string> {
  return await new Response(conn.readable).text();
}

/** Asserts that opening fails with a message in which all of the words are. */
export async function assertCannotListen(
  open: () => Promise<unknown>,
  fault: SluiceError["fault"],
  ...words: string[]
): Promise<void> {
  await assert.rejects(open, (thrown) => {
    assert.ok(thrown instanceof SluiceError, String(thrown));
    for (const word of words) assert.ok(thrown.message.includes(word), thrown.message);
    assert.equal(thrown.fault, fault);
    return true;
  });
}
