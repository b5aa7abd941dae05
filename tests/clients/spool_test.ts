import assert from "node:assert/strict";
import { Spool, type SpoolFile } from "../../lib/clients/spool.ts";
import { bytesOf, textOf } from "../support/syslog_reading.ts";
import { TempFiles } from "../support/temp_files.ts";

async function fileIn(temp: TempFiles) {
  const spool = await Spool.open(temp.folder);
  return { spool, file: spool.file() };
}

async function textAt(file: SpoolFile, at: number, length: number): Promise<string> {
  const bytes = new Uint8Array(length);
  await file.read(at, bytes);
  return textOf(bytes);
}

/** The paths of all files of all spools in the folder. */
async function pathsIn(temp: TempFiles): Promise<string[]> {
  const paths: string[] = [];
  for (const name of await temp.names()) {
    for await (const one of Deno.readDir(temp.path(name))) {
      if (one.name !== "lock") paths.push(temp.path(`${name}/${one.name}`));
    }
  }
  return paths;
}

Deno.test("what is added to a spooled file is read from any place", async () => {
  await using temp = await TempFiles.of();
  const { spool, file } = await fileIn(temp);
  await file.append([bytesOf("one"), bytesOf(""), bytesOf("two")]);
  await file.append([bytesOf("three")]);
  assert.equal(file.sizeBytes, 11);
  for (let at = 0; at <= 11; at++) {
    assert.equal(await textAt(file, at, 11 - at), "onetwothree".slice(at));
  }
  await assert.rejects(textAt(file, 8, 4), /it ends after 11 bytes/);
  await spool.close();
});

Deno.test("files of one spool are apart, and are gone when they are removed", async () => {
  await using temp = await TempFiles.of();
  const { spool, file } = await fileIn(temp);
  const other = spool.file();
  await file.append([bytesOf("one")]);
  await other.append([bytesOf("two")]);
  assert.equal((await pathsIn(temp)).length, 2);
  await file.remove();
  await file.remove();
  assert.equal((await pathsIn(temp)).length, 1);
  assert.equal(await textAt(other, 0, 3), "two");
  await spool.close();
  assert.deepEqual(await temp.names(), []);
});

Deno.test("a file that somebody has removed is not begun anew with a hole", async () => {
  await using temp = await TempFiles.of();
  const { spool, file } = await fileIn(temp);
  await file.append([bytesOf("one")]);
  for (const path of await pathsIn(temp)) await Deno.remove(path);
  await assert.rejects(file.append([bytesOf("two")]), { fault: "corrupt" });
  await assert.rejects(textAt(file, 0, 3), { fault: "corrupt" });
  assert.deepEqual(await pathsIn(temp), []);
  await spool.close();
});

Deno.test("what dead processes left is removed, what living ones have is not", async () => {
  await using temp = await TempFiles.of();
  const dead = temp.path("sluice-spool-dead");
  await Deno.mkdir(dead);
  await temp.write("sluice-spool-dead/lock", "");
  await temp.write("sluice-spool-dead/1", "half an object");
  await Deno.mkdir(temp.path("another-program"));
  await temp.write("sluice-spool-file", "no folder");
  const { spool, file } = await fileIn(temp);
  await file.append([bytesOf("one")]);
  const second = await Spool.open(temp.folder);
  const names = await temp.names();
  assert.ok(!names.includes("sluice-spool-dead"));
  assert.ok(names.includes("another-program") && names.includes("sluice-spool-file"));
  assert.equal(await textAt(file, 0, 3), "one");
  await second.close();
  await spool.close();
});

Deno.test("several processes open the same folder at once, and each has its own", async () => {
  await using temp = await TempFiles.of();
  const spools = await Promise.all(Array.from({ length: 8 }, () => Spool.open(temp.folder)));
  const files = spools.map((spool) => spool.file());
  for (const [i, file] of files.entries()) await file.append([bytesOf(String(i))]);
  for (const [i, file] of files.entries()) assert.equal(await textAt(file, 0, 1), String(i));
  for (const spool of spools) await spool.close();
  assert.deepEqual(await temp.names(), []);
});

Deno.test("a folder that cannot be is refused, and the option is named", async () => {
  await using temp = await TempFiles.of({ file: "" });
  await assert.rejects(Spool.open(temp.path("file/below")), /Cannot use --spool-dir/);
});
