import assert from "node:assert/strict";
import { SluiceError } from "../../../lib/core/errors.ts";
import { byUtf8 } from "../../../lib/clients/store/keys.ts";
import type { PutBody, Store } from "../../../lib/clients/store/store.ts";
import { eventually } from "../../support/waiting.ts";
import { bytesOf, keysOf, pattern, sliced, text } from "./objects.ts";

/** A kind of store whose behaviour is tested. */
export interface Subject {
  /** "folder", for the names of tests. */
  readonly name: string;
  /** Bytes of a part, as the store was opened with. */
  readonly partBytes: number;
  /** Whether notes are kept beside objects. */
  readonly keepsMetadata: boolean;
  /** A new store with nothing in it; whoever asks closes it. */
  open(): Promise<Store>;
}

interface Case {
  readonly name: string;
  run(store: Store, subject: Subject): Promise<void>;
}

/** Runs everything that each store has to do. */
export async function checkContract(t: Deno.TestContext, subject: Subject): Promise<void> {
  for (const { name, run } of cases) {
    await t.step(name, async () => {
      const store = await subject.open();
      try {
        await run(store, subject);
      } finally {
        await store.close();
      }
    });
  }
}

const sizes = (partBytes: number) => [
  0,
  1,
  partBytes - 1,
  partBytes,
  partBytes + 1,
  2 * partBytes,
  20 * 1024 * 1024 + 7,
];

const cases: readonly Case[] = [
  {
    name: "check() leaves nothing behind and finds the put conditional",
    run: async (store) => {
      await store.check();
      await store.check();
      assert.equal(store.hasConditionalPut, true);
      assert.deepEqual(await keysOf(store.list("")), []);
    },
  },
  {
    name: "Bodies around the size of a part come back whole, with ifAbsent and without",
    run: async (store, { partBytes }) => {
      for (const size of sizes(partBytes)) {
        const bytes = pattern(size);
        for (const ifAbsent of [false, true]) {
          const key = `sizes/${size}-${ifAbsent}`;
          const { isNew, etag } = await store.put(key, sliced(bytes), { ifAbsent });
          assert.equal(isNew, true);
          const head = await store.head(key);
          assert.equal(head?.sizeBytes, size);
          assert.equal(head?.etag, etag);
          assert.match(etag, /^".+"$/);
          assert.ok(Math.abs((head?.modifiedMs ?? 0) - Date.now()) < 10 * 60_000);
          assert.deepEqual(await bytesOf(store.get(key)), bytes);
        }
      }
    },
  },
  {
    name: "What is there is not written over with ifAbsent, and is without",
    run: async (store, { partBytes }) => {
      for (const [key, size] of [["small", 10], ["large", partBytes + 10]] as const) {
        const first = pattern(size);
        const second = pattern(size + 1);
        const { etag } = await store.put(key, first, { ifAbsent: true });
        assert.deepEqual(await store.put(key, second, { ifAbsent: true }), {
          isNew: false,
          etag: "",
        });
        assert.deepEqual(await bytesOf(store.get(key)), first);
        const again = await store.put(key, second);
        assert.equal(again.isNew, true);
        assert.notEqual(again.etag, etag);
        assert.deepEqual(await bytesOf(store.get(key)), second);
        assert.equal((await store.head(key))?.etag, again.etag);
      }
      assert.equal(await store.removeOrphans("", 0), 0, "the refused have cleaned up");
    },
  },
  {
    name: "Of twenty who put at once exactly one is told that theirs is new",
    run: async (store, { partBytes }) => {
      for (const size of [100, partBytes + 1]) {
        const bodies = Array.from({ length: 20 }, (_, i) => pattern(size + i));
        const outcomes = await Promise.all(
          bodies.map((body) => store.put(`race-${size}`, body, { ifAbsent: true })),
        );
        const winners = bodies.filter((_, i) => outcomes[i]?.isNew);
        assert.equal(winners.length, 1);
        assert.deepEqual(await bytesOf(store.get(`race-${size}`)), winners[0]);
      }
    },
  },
  {
    name: "Notes come back, of whatever characters",
    run: async (store, { keepsMetadata, partBytes }) => {
      const metadata = {
        "first-offset": "0",
        "plain": "a b=c; d/e",
        "unicode": "Zoë 電子 🚰\n\t end ",
        "long": "ü".repeat(200),
        "looks-encoded": "=?UTF-8?B?eA==?=",
        "empty": "",
      };
      for (const size of [3, partBytes + 1]) {
        await store.put("noted", pattern(size), { metadata, contentType: "application/gzip" });
        const head = await store.head("noted");
        assert.deepEqual(head?.metadata, keepsMetadata ? metadata : {});
      }
    },
  },
  {
    name: "Ranges give their bytes, and none behind the end",
    run: async (store) => {
      const bytes = pattern(1_000_000);
      await store.put("ranged", bytes);
      const ranges: readonly (readonly [from: number, length?: number])[] = [
        [0],
        [0, 1],
        [5, 700_000],
        [999_999],
        [999_999, 1],
        [999_999, 50],
        [1_000_000],
        [1_000_001, 5],
        [3, 0],
      ];
      for (const [from, length] of ranges) {
        const range = length === undefined ? { from } : { from, length };
        const wanted = bytes.subarray(from, length === undefined ? undefined : from + length);
        assert.deepEqual(await bytesOf(store.get("ranged", range)), wanted, JSON.stringify(range));
      }
      await store.put("nothing", new Uint8Array());
      assert.equal((await bytesOf(store.get("nothing", { from: 0, length: 9 }))).length, 0);
    },
  },
  {
    name: "An object that is not there has no head, no bytes, and cannot be removed",
    run: async (store) => {
      for (const key of ["none", "no/such/object"]) {
        assert.equal(await store.head(key), undefined);
        await assert.rejects(store.get(key), { name: "SluiceError", fault: "permanent" });
        await assert.rejects(store.get(key, { from: 0, length: 0 }), { fault: "permanent" });
        assert.equal(await store.delete(key), false);
      }
      assert.deepEqual(await keysOf(store.list("none/")), []);
      assert.deepEqual(await Array.fromAsync(store.folders("none/")), []);
    },
  },
  {
    name: "A source can be closed before its end",
    run: async (store) => {
      await store.put("big", pattern(9_000_000));
      const source = await store.get("big");
      assert.ok(((await source.next())?.length ?? 0) > 0);
      source.close();
      assert.equal((await store.head("big"))?.sizeBytes, 9_000_000);
    },
  },
  {
    name: "Objects are removed, with the etag they have only",
    run: async (store) => {
      const { etag } = await store.put("old", text("one"));
      await store.put("old", text("two!"));
      assert.equal(await store.delete("old", { ifEtag: etag }), false);
      assert.equal(
        await store.delete("old", { ifEtag: (await store.head("old"))?.etag ?? "" }),
        true,
      );
      assert.equal(await store.head("old"), undefined);
      await store.put("old", text("three"));
      assert.equal(await store.delete("old"), true);
      assert.equal(await store.delete("old"), false);
    },
  },
  {
    name: "Listings are in the order of UTF-8 bytes over whole keys",
    run: async (store) => {
      const keys = [
        "a-b/x",
        "a.txt",
        "a/x",
        "a/b/c",
        "a/b.x",
        "a/b-/z",
        "a0",
        "B/1",
        "10",
        "9",
        "é/1",
        "\u{1F6B0}",
        "\uFF5E",
        "with space/and+plus%25&<x>'\"",
        ".hidden/file",
        "g/.x",
      ];
      for (const key of keys) await store.put(key, text(key));
      const sorted = [...keys].sort(byUtf8);
      assert.deepEqual(await keysOf(store.list("")), sorted);
      for (const prefix of ["a", "a/", "a/b", "a/b/", "a/b/c", "é", "zz", "with space/"]) {
        const wanted = sorted.filter((key) => key.startsWith(prefix));
        assert.deepEqual(await keysOf(store.list(prefix)), wanted, prefix);
        for (const after of [...keys, "a/b", "a/b/", "a-", "0", "zzz"]) {
          assert.deepEqual(
            await keysOf(store.list(prefix, { after })),
            wanted.filter((key) => byUtf8(key, after) > 0),
            `${prefix} after ${after}`,
          );
        }
      }
      for (const key of keys) assert.deepEqual(await bytesOf(store.get(key)), text(key));
      const one = (await Array.fromAsync(store.list("a0")))[0];
      const { metadata: _, ...head } = await store.head("a0") ?? { metadata: {} };
      // A listing and a head may tell the time in another grain.
      assert.deepEqual({ ...one, modifiedMs: 0 }, { ...head, modifiedMs: 0 });
    },
  },
  {
    name: "Folders are told one level down",
    run: async (store) => {
      for (
        const key of ["g/t/p=0/1", "g/t/p=0/2", "g/t/p=10/1", "g/t-1/p=0/1", "g/file", "h/x/y"]
      ) {
        await store.put(key, text(key));
      }
      const folders = (prefix: string) => Array.fromAsync(store.folders(prefix));
      assert.deepEqual(await folders(""), ["g/", "h/"]);
      assert.deepEqual(await folders("g/"), ["g/t-1/", "g/t/"]);
      assert.deepEqual(await folders("g/t/"), ["g/t/p=0/", "g/t/p=10/"]);
      assert.deepEqual(await folders("g/t/p=1"), ["g/t/p=10/"]);
      await store.delete("h/x/y");
      assert.deepEqual(await folders(""), ["g/"]);
    },
  },
  {
    name: "More than a thousand keys are listed page by page, and folders, too",
    run: async (store) => {
      const keys = Array.from({ length: 1_205 }, (_, i) => `many/${String(i).padStart(5, "0")}/x`);
      for (let i = 0; i < keys.length; i += 16) {
        await Promise.all(keys.slice(i, i + 16).map((key) => store.put(key, text(key))));
      }
      assert.deepEqual(await keysOf(store.list("many/")), keys);
      const after = keys[100] ?? "";
      assert.deepEqual(await keysOf(store.list("many/", { after })), keys.slice(101));
      const folders = await Array.fromAsync(store.folders("many/"));
      assert.deepEqual(folders, keys.map((key) => key.slice(0, -1)));
      for await (const { key } of store.list("many/")) if (key > "many/00003") break;
    },
  },
  {
    name: "Keys that would not come back are refused before anything is written",
    run: async (store) => {
      const wrong = ["", "/a", "a/", "a//b", "..", "a/../b", ".", "./a", "a\0b", "a\nb", "\ud800"];
      for (const key of [...wrong, "k".repeat(1_025)]) {
        const refused = { name: "SluiceError", fault: "permanent", message: /a key cannot/ };
        await assert.rejects(store.put(key, text("x")), refused, JSON.stringify(key));
        await assert.rejects(store.head(key), refused);
        await assert.rejects(store.get(key), refused);
        await assert.rejects(store.delete(key), refused);
      }
      assert.deepEqual(await keysOf(store.list("")), []);
    },
  },
  {
    name: "A put that fails leaves nothing",
    run: async (store, { partBytes }) => {
      for (const sizeBytes of [partBytes, 3 * partBytes]) {
        const failing: PutBody = {
          sizeBytes,
          read: (at, length) => {
            if (at + length < sizeBytes) return Promise.resolve(new Uint8Array(length));
            return Promise.reject(new SluiceError("read it", "corrupt", "cut"));
          },
        };
        const short = { sizeBytes, read: () => Promise.resolve(new Uint8Array(1)) };
        for (const ifAbsent of [true, false]) {
          await assert.rejects(store.put("failed", failing, { ifAbsent }), { fault: "corrupt" });
          await assert.rejects(store.put("failed", short, { ifAbsent }), { fault: "permanent" });
        }
      }
      assert.equal(await store.head("failed"), undefined);
      assert.deepEqual(await keysOf(store.list("")), []);
      assert.equal(await store.removeOrphans("", 0), 0);
    },
  },
  {
    name: "A put that is given up leaves nothing to be seen, and nothing at all after cleaning",
    run: async (store, { partBytes }) => {
      for (const sizeBytes of [partBytes, 3 * partBytes]) {
        const stop = new AbortController();
        const { signal } = stop;
        const slow: PutBody = {
          sizeBytes,
          read: (at, length) => {
            if (at + length === sizeBytes) stop.abort();
            return Promise.resolve(new Uint8Array(length));
          },
        };
        const givenUp = { name: "SluiceError", fault: "transient", message: /given up/ };
        await assert.rejects(store.put("failed", slow, { signal, ifAbsent: true }), givenUp);
        await assert.rejects(store.put("failed", text("x"), { signal }), givenUp);
      }
      assert.equal(await store.head("failed"), undefined);
      assert.deepEqual(await keysOf(store.list("")), []);
      await eventually("no orphan", async () => await store.removeOrphans("", 0) === 0);
    },
  },
  {
    name: "A body is read in pieces of at most a part",
    run: async (store, { partBytes }) => {
      const bytes = pattern(5 * partBytes + 3);
      let lent = 0;
      const watched: PutBody = {
        sizeBytes: bytes.length,
        read: (at, length) => {
          assert.ok(length <= partBytes, `${length} bytes at once`);
          lent = Math.max(lent, length);
          return Promise.resolve(bytes.slice(at, at + length));
        },
      };
      await store.put("pieces", watched);
      assert.ok(lent > 0);
      assert.deepEqual(await bytesOf(store.get("pieces")), bytes);
    },
  },
];
