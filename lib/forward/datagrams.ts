import type { Datagrams } from "../clients/listen/listen.ts";
import type { ListenUrl } from "../formats/listen_url.ts";
import { Ending, PartBuffer } from "../formats/parts.ts";
import type { RecordHeader } from "../formats/record_batch.ts";
import type { Pipeline } from "./pipeline.ts";
import { header, headerNames } from "./record_headers.ts";
import { Source } from "./source.ts";

/** The largest datagram there can be. */
const datagramBytesMost = 65_535;
const LF = 10;
const CR = 13;
const NUL = 0;

/**
 * Takes messages from a datagram socket until it is stopped, one a datagram (RFC 5426). Lossy by
 * nature: while there is no room nothing is read, and the kernel drops what its buffer cannot hold.
 */
export async function receiveDatagrams(
  socket: Datagrams,
  url: ListenUrl,
  pipeline: Pipeline,
  { home, withHeaders, lineBytesMost }: {
    readonly home: number;
    readonly withHeaders: boolean;
    readonly lineBytesMost: number;
  },
): Promise<void> {
  const buffer = new Uint8Array(datagramBytesMost);
  const sources = new Map<string, Source>();
  let source = new Source(home, "", []);
  const parts = new PartBuffer({
    part: (bytes, start, end, part, more) => pipeline.accept(source, bytes, start, end, part, more),
  }, lineBytesMost);
  for (;;) {
    while (!pipeline.hasRoom(source)) await pipeline.room(source);
    const received = await socket.receive(buffer);
    if (received === null) return;
    source = sourceOf(sources, received.address, home, withHeaders ? url : null);
    const end = endOfMessage(buffer, received.length);
    if (end === 0) continue;
    pipeline.tick();
    parts.take(buffer, 0, end, Ending.complete);
  }
}

/** Where the message ends before the LF, CRLF or NUL that many senders add. */
function endOfMessage(bytes: Uint8Array, length: number): number {
  let end = length;
  while (end > 0 && (bytes[end - 1] === LF || bytes[end - 1] === NUL)) {
    end--;
    if (bytes[end] === LF && bytes[end - 1] === CR) end--;
  }
  return end;
}

/** How many senders are remembered; beyond that they are forgotten and met anew. */
const sourcesMost = 1024;

function sourceOf(
  known: Map<string, Source>,
  address: string,
  home: number,
  url: ListenUrl | null,
): Source {
  let source = known.get(address);
  if (source === undefined) {
    if (known.size >= sourcesMost) known.clear();
    const headers: RecordHeader[] = url === null
      ? []
      : [header(headerNames.peer, address), header(headerNames.listener, url.text)];
    source = new Source(home, address, headers);
    known.set(address, source);
  }
  return source;
}
