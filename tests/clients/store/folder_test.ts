import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import { folderError } from "../../../lib/clients/store/folder_failures.ts";
import { openStore } from "../../../lib/clients/store/store.ts";
import { type LogLevel, realWorld } from "../../../lib/core/world.ts";
import { checkContract } from "./contract.ts";
import { keysOf, pattern, text } from "./objects.ts";

const world = realWorld(() => {});
const open = (folder: string, log: (level: LogLevel, message: string) => void = () => {}) =>
  openStore(pathToFileURL(folder).href, { world: realWorld(log) });

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sluice store " });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("A folder does what a store has to do", (t) =>
  inFolder((folder) => {
    let count = 0;
    return checkContract(t, {
      name: "folder",
      partBytes: 8 * 1024 * 1024,
      keepsMetadata: false,
      open: () => open(`${folder}/store ${count++} ü`),
    });
  }));

Deno.test("openStore() refuses what is no store, without telling more than the scheme", async () => {
  const wrong = ["", "/tmp/x", "http://user:secret@host/", "file:x", "file://secret/x", "C:\\x"];
  for (const url of [...wrong, "file:///x?y", "file:///x#y", "file:///a%2Fb"]) {
    await assert.rejects(openStore(url, { world }), { name: "SluiceError", fault: "usage" }, url);
  }
  await assert.rejects(openStore("http://user:secret@host/", { world }), (thrown: Error) => {
    return !thrown.message.includes("secret") && thrown.message.includes("http:");
  });
});

Deno.test("Drafts are not listed, and those whose process is gone are removed", () =>
  inFolder(async (folder) => {
    const store = await open(folder);
    await store.put("a/b", text("kept"));
    const dead = [".c.4000000.0123abcd.draft", "a/.b.1.0123abcd.draft", "a/d/.e.1.0123abcd.draft"];
    await Deno.mkdir(`${folder}/a/d`);
    for (const path of dead) await Deno.writeTextFile(`${folder}/${path}`, "cut");
    const living = await Deno.open(`${folder}/a/.f.1.0123abcd.draft`, {
      create: true,
      write: true,
    });
    await living.lock(true);
    assert.deepEqual(await keysOf(store.list("")), ["a/b"]);
    assert.deepEqual(await Array.fromAsync(store.folders("a/")), []);
    assert.equal(await store.removeOrphans("a/d/", 1e9), 1);
    assert.equal(await store.removeOrphans("c", 1e9), 1);
    assert.equal(await store.removeOrphans("", 0), 1);
    living.close();
    assert.equal(await store.removeOrphans("", 1e9), 1);
    assert.deepEqual(await keysOf(store.list("")), ["a/b"]);
    await assert.rejects(store.put("a/.f.1.0123abcd.draft", text("x")), /look like a draft/);
  }));

Deno.test("A killed process leaves nothing under the key, and its draft to the next", () =>
  inFolder(async (folder) => {
    const door = new URL("../../../lib/clients/store/store.ts", import.meta.url).href;
    const code = `
      const { openStore } = await import(${JSON.stringify(door)});
      const store = await openStore(${JSON.stringify(pathToFileURL(folder).href)}, { world: {} });
      let pieces = 0;
      await store.put("a/killed", { sizeBytes: 9e6, read: async (at, length) => {
        if (pieces++ > 2) {
          console.log("written");
          await new Promise((resolve) => setTimeout(resolve, 60_000));
        }
        return new Uint8Array(length);
      } }, { ifAbsent: true });`;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        "--config",
        fileURLToPath(new URL("../../../deno.json", import.meta.url)),
        code,
      ],
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    const store = await open(folder);
    assert.equal(await store.removeOrphans("", 0), 0, "it lives");
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    assert.deepEqual(await keysOf(store.list("")), []);
    assert.equal(await store.removeOrphans("a/", 3_600_000), 1);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(`${folder}/a`)), []);
  }));

Deno.test("The draft of a put under way is nobody's orphan", () =>
  inFolder(async (folder) => {
    const store = await open(folder);
    const other = await open(folder);
    const bytes = pattern(3_000_000);
    const { isNew } = await store.put("busy", {
      sizeBytes: bytes.length,
      read: async (at, length) => {
        assert.equal(await other.removeOrphans("", 0), 0);
        return bytes.slice(at, at + length);
      },
    });
    assert.equal(isNew, true);
  }));

Deno.test("A put whose draft was taken away can be tried again", () =>
  inFolder(async (folder) => {
    const store = await open(folder);
    await assert.rejects(
      store.put("x", {
        sizeBytes: 5,
        read: async () => {
          for await (const { name } of Deno.readDir(folder)) await Deno.remove(`${folder}/${name}`);
          return text("hello");
        },
      }, { ifAbsent: true }),
      { fault: "transient" },
    );
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  }));

Deno.test("Files and folders in each other's way are told apart from what is there", () =>
  inFolder(async (folder) => {
    const store = await open(folder);
    await store.put("a/b", text("x"));
    const inTheWay = { fault: "permanent", message: /in the way/ };
    for (const ifAbsent of [true, false]) {
      await assert.rejects(store.put("a", text("x"), { ifAbsent }), inTheWay);
      await assert.rejects(store.put("a/b/c", text("x"), { ifAbsent }), inTheWay);
      await assert.rejects(store.put("a/b/c/d", text("x"), { ifAbsent }), inTheWay);
      await assert.rejects(store.put("n".repeat(250), text("x"), { ifAbsent }), /longer than/);
    }
    assert.equal(await store.head("a"), undefined);
    assert.equal(await store.head("a/b/c"), undefined);
    assert.equal(await store.delete("a"), false);
  }));

Deno.test("A full disk is a fault that passes, and says so", async () => {
  // What is written to /dev/full finds no space; the folder is one that the draft is put into.
  await inFolder(async (folder) => {
    const store = await open(folder);
    const error = await store.put("x", {
      sizeBytes: 1,
      read: () => {
        const full = Deno.openSync("/dev/full", { write: true });
        try {
          full.writeSync(new Uint8Array(1));
        } finally {
          full.close();
        }
        return Promise.resolve(text("x"));
      },
    }).catch((thrown) => thrown);
    assert.equal(error.fault, "transient");
    assert.match(error.message, /write .*\/x: no space is left on the disk/);
  });
});

Deno.test("What the file system says becomes a fault of the right kind", () => {
  const table = [
    ["EACCES", "denied"],
    ["EROFS", "denied"],
    ["ENOSPC", "transient"],
    ["EDQUOT", "transient"],
    ["EIO", "transient"],
    ["ENOENT", "transient"],
    ["EISDIR", "permanent"],
    ["ELOOP", "permanent"],
  ] as const;
  for (const [code, fault] of table) {
    const error = folderError("write /x", Object.assign(new Error(`${code} 9`), { code }));
    assert.equal(error.fault, fault, code);
    assert.match(error.message, /^Cannot write \/x: ./);
  }
});

Deno.test("Links are followed, but not round and round", () =>
  inFolder(async (folder) => {
    const store = await open(`${folder}/store`);
    await store.put("a/x", text("x"));
    await Deno.mkdir(`${folder}/elsewhere`);
    await Deno.writeTextFile(`${folder}/elsewhere/y`, "y");
    await Deno.symlink(`${folder}/elsewhere`, `${folder}/store/b`);
    await Deno.symlink(`${folder}/nowhere`, `${folder}/store/c`);
    assert.deepEqual(await keysOf(store.list("")), ["a/x", "b/y"]);
    await Deno.symlink("..", `${folder}/store/a/z`);
    await assert.rejects(keysOf(store.list("")), { fault: "permanent", message: /link/ });
  }));

Deno.test({
  name: "A folder that this user may not use is denied",
  // Root may do everything.
  ignore: Deno.uid() === 0,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.chmod(folder, 0o555);
      const store = await open(folder);
      await assert.rejects(store.check(), { fault: "denied" });
      await assert.rejects(store.put("a", text("x")), { fault: "denied" });
    }),
});

Deno.test("check() makes the folder, and tells of a file in its place", () =>
  inFolder(async (folder) => {
    await (await open(`${folder}/new/store`)).check();
    assert.deepEqual(await Array.fromAsync(Deno.readDir(`${folder}/new/store`)), []);
    await Deno.writeTextFile(`${folder}/file`, "");
    await assert.rejects((await open(`${folder}/file`)).check(), { name: "SluiceError" });
    await assert.rejects((await open(`${folder}/file/x`)).check(), { fault: "permanent" });
  }));
