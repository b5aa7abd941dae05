import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import type { PutBody, PutOptions, PutOutcome, Store } from "../../lib/clients/store/store.ts";
import type { Commit } from "../../lib/archive/commits.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { parseKey } from "../../lib/formats/archive_key.ts";
import {
  notesFromGzip,
  notesFromMetadata,
  type ObjectNotes,
} from "../../lib/formats/object_notes.ts";
import { MemoryStore } from "../support/memory_store.ts";
import { textOf } from "../support/syslog_reading.ts";
import { type Log, valueOf } from "./model_log.ts";
import type { Wire } from "./model_wire.ts";
import type { Owner } from "./rig.ts";

/** The values in a file of baldr records. */
function valuesIn(file: Uint8Array): string[] {
  const plain = file.length === 0 ? new Uint8Array(0) : new Uint8Array(gunzipSync(file));
  const view = new DataView(plain.buffer, plain.byteOffset, plain.length);
  const values: string[] = [];
  for (let at = 0; at < plain.length;) {
    const length = Number(view.getBigUint64(at));
    values.push(textOf(plain.subarray(at + 8, at + 8 + length)));
    at += 8 + length;
  }
  return values;
}

/** The bucket, the group's coordinator, and what has to be true of them at any time. */
export class Ledger {
  readonly store = new MemoryStore();
  /** Where the chains end, by partition; none is begun yet where nothing is. */
  readonly ends = new Map<number, bigint>();
  readonly begins = new Map<number, bigint>();
  readonly committed = new Map<number, bigint>();
  /** Offsets in which an object begins or ends. */
  readonly #onChain = new Map<number, Set<bigint>>();
  readonly owners = new Map<number, Owner | null>();
  /** Counts up whenever a partition is given to somebody. */
  readonly grants = new Map<number, number>();
  objects = 0;
  gaps = 0;

  constructor(readonly logs: readonly Log[]) {
    for (const { partition } of logs) this.owners.set(partition, null);
  }

  /** A put as the bucket does it; at once after it, the chain is looked at. */
  put(key: string, bytes: Uint8Array, options: PutOptions): PutOutcome {
    const { objects } = this.store;
    if (options.ifAbsent && objects.has(key)) return { isNew: false, etag: "" };
    const metadata = options.metadata ?? {};
    objects.set(key, { bytes, metadata, etag: `"${objects.size}"`, modifiedMs: 0 });
    const parsed = parseKey(key);
    assert.ok(parsed, `foreign key ${key}`);
    const notes = notesFromMetadata(metadata);
    if (parsed.kind === "gap") return { isNew: true, etag: "gap" };
    assert.ok(notes, `${key} has no notes`);
    assert.deepEqual(notesFromGzip(bytes), notes, "the notes inside are others");
    this.#check(parsed.partition, parsed.first, notes, bytes);
    return { isNew: true, etag: "new" };
  }

  #check(partition: number, first: bigint, notes: ObjectNotes, bytes: Uint8Array): void {
    const log = this.logs[partition];
    assert.ok(log);
    const name = `object ${first} of ${partition}`;
    assert.equal(notes.firstOffset, first, `${name}: another key`);
    const end = this.ends.get(partition);
    if (end === undefined) this.begins.set(partition, first);
    else assert.equal(first, end, `${name} overlaps or leaves a gap`);
    this.ends.set(partition, notes.nextOffset);
    this.#chainOf(partition).add(first).add(notes.nextOffset);
    this.objects++;
    const inside = log.wanted.filter((one) => one >= first && one < notes.nextOffset);
    const values = valuesIn(bytes);
    assert.equal(notes.records, values.length, `${name}: count`);
    if (notes.gap !== null) {
      this.gaps++;
      assert.ok(notes.nextOffset <= log.start, `${name}: a gap over records that are there`);
      assert.deepEqual(values, []);
    } else assert.deepEqual(values, inside.map((one) => valueOf(partition, one)), name);
  }

  #chainOf(partition: number): Set<bigint> {
    let chain = this.#onChain.get(partition);
    if (chain === undefined) this.#onChain.set(partition, chain = new Set());
    return chain;
  }

  /** A commit as the coordinator does it: of owners only. */
  commit(owner: Owner, grants: ReadonlyMap<number, number>, commits: readonly Commit[]): void {
    for (const { partition } of commits) {
      const isGranted = this.grants.get(partition) === grants.get(partition);
      if (isGranted && this.owners.get(partition) === owner) continue;
      throw new SluiceError("commit offsets", "transient", `partition ${partition} is another's`);
    }
    for (const { partition, offset } of commits) {
      const end = this.ends.get(partition);
      if (end !== undefined) {
        const isOn = this.#chainOf(partition).has(offset);
        assert.ok(isOn, `committed ${offset} of ${partition}, which is not on the chain`);
      }
      this.committed.set(partition, offset);
    }
  }

  /** Whether all that was to be archived is. */
  get isComplete(): boolean {
    return this.logs.every(({ partition, wanted, start }) => {
      const last = wanted.findLast((one) => one >= start);
      const end = this.ends.get(partition);
      if (end !== this.committed.get(partition) && end !== undefined) return false;
      return last === undefined || (end ?? 0n) > last;
    });
  }

  /** Every record is in exactly one object, but for those that were gone before. */
  assertWhole(): void {
    for (const { partition } of this.logs) {
      const end = this.ends.get(partition);
      if (end === undefined) continue;
      const chain = [...this.store.objects].flatMap(([key, { metadata }]) => {
        const parsed = parseKey(key);
        if (parsed === null || parsed.kind === "gap" || parsed.partition !== partition) return [];
        return notesFromMetadata(metadata) ?? [];
      }).sort((a, b) => Number(a.firstOffset - b.firstOffset));
      for (const [i, notes] of chain.entries()) {
        assert.equal(notes.nextOffset, chain[i + 1]?.firstOffset ?? end);
      }
      assert.equal(this.committed.get(partition), end, "the end of the chain is committed");
    }
  }
}

/** The bucket as one process reaches it. */
export function storeOver(ledger: Ledger, wire: Wire): Store {
  const { store } = ledger;
  return {
    ...{ url: store.url, hasConditionalPut: true },
    check: () => Promise.resolve(),
    put: async (key: string, body: Uint8Array | PutBody, options: PutOptions = {}) => {
      const bytes = body instanceof Uint8Array ? body : await body.read(0, body.sizeBytes);
      const { signal } = options;
      return await wire.ask("put", () => ledger.put(key, bytes, options), { signal });
    },
    head: (key) => {
      // In a third of the cases the store keeps no metadata: the files have to tell.
      const isBare = key.length % 3 === 0;
      return wire.ask("head", () => {
        const kept = store.objects.get(key);
        if (kept === undefined) return undefined;
        const { bytes, metadata, etag, modifiedMs } = kept;
        const named = { key, sizeBytes: bytes.length, etag, modifiedMs };
        return { ...named, metadata: isBare ? {} : metadata };
      });
    },
    get: (key, range) => wire.ask("get", () => store.get(key, range)).then((source) => source),
    list: async function* (prefix) {
      const keys = await wire.ask("list", () => [...store.objects.keys()].sort());
      for (const key of keys.filter((one) => one.startsWith(prefix))) {
        yield { key, sizeBytes: 1, etag: "", modifiedMs: 0 };
      }
    },
    folders: (prefix) => store.folders(prefix),
    delete: (key) => store.delete(key),
    removeOrphans: () => Promise.resolve(0),
    close: () => Promise.resolve(),
  };
}
