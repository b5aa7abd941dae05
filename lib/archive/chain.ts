import { type Fault, SluiceError } from "../core/errors.ts";
import type { Store } from "../clients/store/store.ts";
import {
  gapKey,
  objectKey,
  parseKey,
  partitionFolder,
  recordSuffix,
  valueSuffix,
} from "../formats/archive_key.ts";
import {
  notesFromGzip,
  notesFromMetadata,
  notesToMetadata,
  type ObjectNotes,
} from "../formats/object_notes.ts";
import { notesByContent } from "./foreign_object.ts";
import type { CutObject } from "./cut_object.ts";

/** Enough of a file to hold its gzip header with our notes. */
const headBytes = 8 * 1024;

/** What became of an object that was to be put. */
export type PutResult =
  /** It is in the store, by this put or by an earlier one whose answer was lost. */
  | { readonly kind: "put" }
  /** Another writer was first; the chain goes on after what it wrote. */
  | { readonly kind: "taken"; readonly notes: ObjectNotes };

/**
 * The objects of one partition in the store. They form a chain: each begins where the one before it
 * ends, and has the offset of its beginning as its key. An object is only ever written at the end of
 * the chain as its writer knows it, and only if nothing has that key; so of two writers, one of them
 * perhaps a process that was frozen and knows nothing of its successor, one is refused, and learns
 * from the other's notes where the chain goes on. No lock is needed and no offset is in two objects.
 */
export class Chain {
  constructor(
    private readonly store: Store,
    private readonly group: string,
    private readonly topic: string,
    private readonly partition: number,
    private readonly format: "value" | "record",
  ) {}

  keyOf(offset: bigint): string {
    return this.#key(offset, this.format === "value" ? valueSuffix : recordSuffix);
  }

  /** The notes of the object that begins at this offset, whatever its format; undefined: none does. */
  async at(offset: bigint): Promise<ObjectNotes | undefined> {
    // Both formats, ours first: a group that changed its --format goes on in the same chain.
    for (const suffix of this.format === "value" ? suffixes : suffixes.toReversed()) {
      const key = this.#key(offset, suffix);
      const head = await this.store.head(key);
      if (head === undefined) continue;
      const notes = await this.#notesOf(key, head.metadata);
      if (notes.firstOffset === offset) return notes;
      const detail =
        `its notes tell of offset ${notes.firstOffset}: it was renamed or copied there`;
      throw new SluiceError(`go on after ${key} of ${this.store.url}`, "corrupt", detail);
    }
    return undefined;
  }

  /** Goes from offset to offset over the objects that are there; returns where the next is missing. */
  async hop(offset: bigint): Promise<{ readonly tip: bigint; readonly over: ObjectNotes[] }> {
    const over: ObjectNotes[] = [];
    let tip = offset;
    for (;;) {
      const notes = await this.at(tip);
      if (notes === undefined) return { tip, over };
      over.push(notes);
      tip = notes.nextOffset;
    }
  }

  /** The end of the chain by a listing of all its objects; undefined when there are none. */
  async newest(): Promise<ObjectNotes | undefined> {
    let newest: { readonly key: string; readonly first: bigint } | undefined;
    for await (const { key } of this.store.list(this.#folder)) {
      const parsed = parseKey(key);
      if (parsed === null || parsed.kind === "gap") continue;
      if (newest === undefined || parsed.first > newest.first) {
        newest = { key, first: parsed.first };
      }
    }
    if (newest === undefined) return undefined;
    const head = await this.store.head(newest.key);
    // Somebody removed it just now: the one before it is the newest.
    return head === undefined
      ? await this.newest()
      : await this.#notesOf(newest.key, head.metadata);
  }

  /** Puts an object at the end of the chain; after a crash it is there whole or not at all. */
  async put({ notes, body }: CutObject, signal: AbortSignal): Promise<PutResult> {
    const key = this.keyOf(notes.firstOffset);
    const { isNew } = await this.store.put(key, body, {
      metadata: notesToMetadata(notes),
      contentType: "application/gzip",
      ifAbsent: true,
      signal,
    });
    if (isNew) return { kind: "put" };
    const there = await this.at(notes.firstOffset);
    if (there === undefined) {
      // Refused for an object that is not there any more: whoever removed it wants it again.
      throw new SluiceError(`put ${key}`, "transient", "the object in its place has just gone");
    }
    const isOurs = there.writer === notes.writer && there.nextOffset === notes.nextOffset;
    return isOurs ? { kind: "put" } : { kind: "taken", notes: there };
  }

  /** Tells people of a gap, beside the empty object that closes it. */
  async tellGap(notes: ObjectNotes): Promise<void> {
    const key = gapKey({
      group: this.group,
      topic: this.topic,
      partition: this.partition,
      first: notes.firstOffset,
      next: notes.nextOffset,
    });
    const text = JSON.stringify({
      topic: this.topic,
      partition: this.partition,
      from: String(notes.firstOffset),
      to: String(notes.nextOffset),
      reason: "the topic's retention removed these offsets before they were archived",
    });
    await this.store.put(key, new TextEncoder().encode(`${text}\n`), {
      contentType: "application/json",
    });
  }

  async #notesOf(key: string, metadata: Readonly<Record<string, string>>): Promise<ObjectNotes> {
    const notes = notesFromMetadata(metadata) ?? await this.#notesInside(key);
    if (notes !== null) return notes;
    // The predecessor's files tell nothing of their end but by their content: read once, when a
    // partition is begun with and the newest object is still the predecessor's.
    const parsed = parseKey(key);
    let why = "nor records, so that its end is not known";
    let fault: Fault = "permanent";
    if (parsed?.kind === "values") {
      try {
        const counted = await notesByContent(await this.store.get(key), parsed.first);
        if (counted !== null) return counted;
      } catch (thrown) {
        if (!(thrown instanceof SluiceError) || thrown.fault !== "corrupt") throw thrown;
        why = `and its records cannot be counted: ${thrown.detail}`;
        fault = "corrupt";
      }
    }
    throw new SluiceError(
      `go on after ${key} of ${this.store.url}`,
      fault,
      `the object has no notes of sluice, ${why}; choose another --group or prefix, or move the ` +
        "older objects away",
    );
  }

  /** A folder keeps no metadata, and tools that copy objects may lose them: the file has them, too. */
  async #notesInside(key: string): Promise<ObjectNotes | null> {
    const source = await this.store.get(key, { from: 0, length: headBytes });
    const bytes = new Uint8Array(headBytes);
    let length = 0;
    try {
      for (;;) {
        const piece = await source.next();
        if (piece === undefined) break;
        bytes.set(piece.subarray(0, headBytes - length), length);
        length = Math.min(headBytes, length + piece.length);
      }
    } finally {
      source.close();
    }
    return notesFromGzip(bytes.subarray(0, length));
  }

  get #folder(): string {
    const { group, topic, partition } = this;
    return partitionFolder({ group, topic, partition });
  }

  #key(offset: bigint, suffix: typeof valueSuffix | typeof recordSuffix): string {
    const { group, topic, partition } = this;
    return objectKey({ group, topic, partition, offset, suffix });
  }
}

const suffixes = [valueSuffix, recordSuffix] as const;
