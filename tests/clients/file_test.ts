import assert from "node:assert/strict";
import { createFile, readAllText } from "../../lib/clients/file.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { delay } from "../support/waiting.ts";

const encoder = new TextEncoder();
const fileModule = new URL("../../lib/clients/file.ts", import.meta.url).href;

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-file-" });
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

async function assertFails(act: () => Promise<unknown>, message: string | RegExp, fault: string) {
  await assert.rejects(act, (thrown) => {
    assert.ok(thrown instanceof SluiceError, String(thrown));
    if (typeof message === "string") assert.equal(thrown.message, message);
    else assert.match(thrown.message, message);
    assert.equal(thrown.fault, fault);
    return true;
  });
}

Deno.test("a new file is seen only after commit(), whole, and its draft is gone then", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/out.baldr`;
    const file = await createFile(path);
    for (const text of ["one ", "", "two"]) await file.write(encoder.encode(text));
    assert.ok(file.draftPath.startsWith(`${folder}/.out.baldr.`), "the draft lies beside it");
    assert.deepEqual(await namesIn(folder), [file.draftPath.slice(folder.length + 1)]);
    await file.commit();
    assert.equal(await Deno.readTextFile(path), "one two");
    file.discard();
    assert.deepEqual(await namesIn(folder), ["out.baldr"]);
  });
});

Deno.test("an old file stays until commit(), and after discard()", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/out`;
    await Deno.writeTextFile(path, "old");
    const thrownAway = await createFile(path);
    await thrownAway.write(encoder.encode("half"));
    assert.equal(await Deno.readTextFile(path), "old");
    thrownAway.discard();
    thrownAway.discard();
    assert.deepEqual([await namesIn(folder), await Deno.readTextFile(path)], [["out"], "old"]);
    const kept = await createFile(path);
    await kept.write(encoder.encode("new"));
    await kept.commit();
    assert.equal(await Deno.readTextFile(path), "new");
  });
});

Deno.test("two who write the same file do not mix: the later commit() stands", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/out`;
    const [one, other] = [await createFile(path), await createFile(path)];
    assert.notEqual(one.draftPath, other.draftPath);
    for (const [file, text] of [[one, "1"], [other, "22"], [one, "1"]] as const) {
      await file.write(encoder.encode(text));
    }
    await other.commit();
    assert.equal(await Deno.readTextFile(path), "22");
    await one.commit();
    assert.equal(await Deno.readTextFile(path), "11");
    assert.deepEqual(await namesIn(folder), ["out"]);
  });
});

Deno.test("a file may be named without a folder", async () => {
  await inFolder(async (folder) => {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["eval", "--no-config"],
        `import { createFile } from "${fileModule}";
         const file = await createFile("plain");
         await file.write(new Uint8Array(5));
         await file.commit();`,
      ],
      cwd: folder,
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.equal((await Deno.stat(`${folder}/plain`)).size, 5);
  });
});

Deno.test("commit() syncs the bytes, renames, and syncs the folder, in this order", async () => {
  await inFolder(async (folder) => {
    const acts: string[] = [];
    const { rename } = Deno;
    const { sync } = Deno.FsFile.prototype;
    const file = await createFile(`${folder}/out`);
    await file.write(encoder.encode("x"));
    Deno.FsFile.prototype.sync = async function () {
      acts.push((await this.stat()).isDirectory ? "sync folder" : "sync file");
      await sync.call(this);
    };
    Deno.rename = (from, to) => {
      acts.push("rename");
      return rename(from, to);
    };
    try {
      await file.commit();
    } finally {
      Deno.FsFile.prototype.sync = sync;
      Deno.rename = rename;
    }
    assert.deepEqual(acts, ["sync file", "rename", "sync folder"]);
  });
});

/** Writes files of one letter, longer and longer, over and over, until it is killed. */
const endless = `
  import { createFile } from "${fileModule}";
  for (let i = 0;; i++) {
    const file = await createFile("out");
    const chunk = new Uint8Array(10_000 + i).fill(97 + i % 26);
    for (let part = 0; part < 10; part++) await file.write(chunk);
    await file.commit();
    if (i === 3) console.log("ready");
  }`;

Deno.test("after SIGKILL at any moment there is one whole file, and drafts at most beside it", async () => {
  await inFolder(async (folder) => {
    for (let kill = 0; kill < 8; kill++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-config", endless],
        cwd: folder,
        stdout: "piped",
      }).spawn();
      const reader = child.stdout.getReader();
      await reader.read();
      await delay(Math.random() * 60);
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
      const bytes = await Deno.readFile(`${folder}/out`);
      assert.ok(bytes.length % 10 === 0 && bytes.length >= 100_000, `${bytes.length} bytes`);
      assert.equal(bytes[0], 97 + (bytes.length / 10 - 10_000) % 26, "of its own length");
      assert.ok(bytes.every((byte) => byte === bytes[0]), "of one writing only");
      const others = (await namesIn(folder)).filter((name) => name !== "out");
      assert.ok(others.every((name) => /^\.out\.\d+\.[0-9a-f]{8}\.draft$/.test(name)), `${others}`);
    }
  });
});

Deno.test("what cannot be written to is told with the path that was given", async () => {
  await inFolder(async (folder) => {
    const isFolder = "it is a folder; give the name of a file";
    await assertFails(() => createFile(folder), `Cannot write ${folder}: ${isFolder}`, "permanent");
    await assertFails(() => createFile(`${folder}/`), /it is a folder/, "permanent");
    await assertFails(() => createFile(""), /^Cannot write : it is a folder/, "permanent");
    await assertFails(
      () => createFile(`${folder}/no/out`),
      `Cannot write ${folder}/no/out: there is no such file or folder`,
      "permanent",
    );
    await Deno.writeTextFile(`${folder}/file`, "x");
    await assertFails(() => createFile(`${folder}/file/out`), /[Nn]ot a directory/, "permanent");
  });
});

/** The kernel lets nobody make a file in sysfs, not even root; a container may have it read-only. */
const denied = await Deno.open("/sys/out", { write: true, createNew: true })
  .then(() => false, (thrown) => thrown instanceof Deno.errors.PermissionDenied);

Deno.test(
  "a folder that this user may not write to is told as such",
  { ignore: !denied },
  async () => {
    const message = "Cannot write /sys/out: this user may not";
    await assertFails(() => createFile("/sys/out"), message, "permanent");
  },
);

Deno.test("a failed commit leaves the old file, and discard() then removes the draft", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/out`;
    const file = await createFile(path);
    await file.write(encoder.encode("x"));
    // A folder has come to stand there in the meantime.
    await Deno.mkdir(`${path}/in-the-way`, { recursive: true });
    await assertFails(() => file.commit(), /^Cannot write .*\/out: /, "permanent");
    file.discard();
    assert.deepEqual(await namesIn(folder), ["out"]);
    assert.deepEqual(await namesIn(path), ["in-the-way"]);
  });
});

Deno.test("readAllText() gives the text, or says whose file cannot be read: a usage error", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a`, "text\n");
    assert.equal(await readAllText(`${folder}/a`, "secret"), "text\n");
    await assertFails(
      () => readAllText(`${folder}/gone`, "configuration"),
      `Cannot read configuration ${folder}/gone: there is no such file or folder`,
      "usage",
    );
    await assertFails(() => readAllText(folder, "secret"), /^Cannot read secret .*: /, "usage");
  });
});
