import type { Datagrams } from "../clients/listen/listen.ts";
import type { ListenUrl } from "../formats/listen_url.ts";
import type { RecordHeader } from "../formats/record_batch.ts";
import type { Pipeline } from "./pipeline.ts";
import { header, headerNames } from "./record_headers.ts";
import { Source } from "./source.ts";

/** The largest datagram there can be. */
const datagramBytesMost = 65_535;
const LF = 10;
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
  for (;;) {
    while (!pipeline.hasRoom(source)) await pipeline.room(source);
    const received = await socket.receive(buffer);
    if (received === null) return;
    source = sourceOf(sources, received.address, home, withHeaders ? url : null);
    let end = received.length;
    while (end > 0 && (buffer[end - 1] === LF || buffer[end - 1] === NUL)) end--;
    if (end === 0) continue;
    pipeline.tick();
    for (let start = 0, part = 0; start < end; start += lineBytesMost, part++) {
      const partEnd = Math.min(end, start + lineBytesMost);
      pipeline.accept(source, buffer, start, partEnd, part, partEnd < end);
    }
  }
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
