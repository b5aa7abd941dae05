import type { Store } from "../../clients/store/store.ts";
import { faultOf, reasonOf, SluiceError } from "../../core/errors.ts";
import { backoffMs, networkRetry } from "../../core/retry.ts";
import type { World } from "../../core/world.ts";
import { gzipHeadBytes } from "../../formats/gzip_parts.ts";
import { notesFromMetadata } from "../../formats/object_notes.ts";
import type { ListedObject } from "../listing.ts";
import type { Finding, ObjectFacts } from "./facts.ts";
import { type FoundNotes, judgeObject } from "./judge_object.ts";
import { notesIn, readContent } from "./read_content.ts";

/** How often a store that is overloaded or away is asked for an object; its client tries thrice each time. */
const triesMost = 4;

/** What looking at objects takes. */
export interface LookTools {
  readonly store: Store;
  readonly world: World;
  /** By metadata and gzip header only. */
  readonly shallow: boolean;
}

/**
 * Looks at one object and judges it. Never throws for the store's faults: an object that the store does not
 * give is a finding, and the others are looked at.
 */
export async function lookAtObject(tools: LookTools, object: ListedObject): Promise<ObjectFacts> {
  const { world } = tools;
  for (let attempt = 1;; attempt++) {
    try {
      return await lookOnce(tools, object);
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      if (faultOf(thrown) !== "transient" || attempt === triesMost) {
        return unreadable(object, thrown);
      }
      await world.sleep(backoffMs(networkRetry, attempt, world.random()));
    }
  }
}

async function lookOnce(tools: LookTools, object: ListedObject): Promise<ObjectFacts> {
  const { store, shallow } = tools;
  const metadata = await metadataNotes(store, object.key);
  if (shallow) {
    // A file says what it is in its header only; a bucket's metadata is cheaper to ask for.
    const isTold = metadata !== undefined && metadata !== null;
    const header = isTold ? undefined : notesIn(await firstBytes(store, object.key));
    return judgeObject(object, { metadata, header, content: undefined });
  }
  const read = await readContent(await store.get(object.key), object.kind);
  return judgeObject(object, { metadata, ...read });
}

async function metadataNotes(store: Store, key: string): Promise<FoundNotes | undefined> {
  // A folder keeps no metadata.
  if (/^file:/i.test(store.url)) return undefined;
  const head = await store.head(key);
  if (head === undefined) {
    throw new SluiceError(`read ${key}`, "permanent", "it was listed, and is not there any more");
  }
  try {
    return notesFromMetadata(head.metadata);
  } catch (thrown) {
    if (thrown instanceof SluiceError && thrown.fault === "corrupt") return thrown;
    throw thrown;
  }
}

async function firstBytes(store: Store, key: string): Promise<Uint8Array> {
  const source = await store.get(key, { from: 0, length: gzipHeadBytes });
  try {
    const bytes = new Uint8Array(gzipHeadBytes);
    let length = 0;
    for (;;) {
      const piece = await source.next();
      if (piece === undefined) return bytes.subarray(0, length);
      bytes.set(piece.subarray(0, bytes.length - length), length);
      length = Math.min(bytes.length, length + piece.length);
    }
  } finally {
    source.close();
  }
}

function unreadable(object: ListedObject, thrown: SluiceError): ObjectFacts {
  const finding: Finding = {
    kind: "unreadable",
    what: reasonOf(thrown),
    key: object.key,
    fault: thrown.fault,
  };
  return { ...object, notes: null, content: undefined, findings: [finding] };
}
