import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { baldrOf, bytesOf, gzipped } from "../support/baldr.ts";
import { assertComplaint, runSluice } from "../support/command_line.ts";
import { runShell, spawnSluice } from "../support/shell.ts";
import { TempFiles } from "../support/temp_files.ts";

Deno.test("sluice baldr pack makes a file that gzip and baldr check find whole", async () => {
  await using files = await TempFiles.of({ "in": "one\n\ntwo" });
  const seen = await runShell(
    "sluice baldr pack --output x.baldr.gz in && gzip -t x.baldr.gz && sluice baldr check x.baldr.gz",
    { cwd: files.folder },
  );
  const size = (await Deno.stat(files.path("x.baldr.gz"))).size;
  assert.deepEqual(seen, {
    code: 0,
    stdout: `x.baldr.gz: ok, 3 records, 30 bytes, ${size} compressed\n`,
    stderr: "",
  });
  assert.deepEqual(await files.names(), ["in", "x.baldr.gz"]);
});

Deno.test("sluice baldr pack compresses by the output's name, by --gzip, and as hard as told", async () => {
  const text = "the same line again and again\n".repeat(1_000);
  await using files = await TempFiles.of({ "in": text });
  const seen = await runShell(
    "sluice baldr pack -- in >1; sluice baldr pack --gzip <in >2; sluice baldr pack --output 3 in;" +
      "sluice baldr pack --level 0 --output 4.gz in; sluice baldr pack --output - --gzip --level 9 in >5",
    { cwd: files.folder },
  );
  assert.deepEqual(seen, { code: 0, stdout: "", stderr: "" });
  const packed = baldrOf(text.trimEnd().split("\n"));
  const [one, two, three, four, five] = await Promise.all(
    ["1", "2", "3", "4.gz", "5"].map((name) => Deno.readFile(files.path(name))),
  ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  assert.deepEqual(one, packed);
  assert.deepEqual(three, packed);
  for (const compressed of [two, four, five]) {
    assert.deepEqual(Uint8Array.from(gunzipSync(compressed)), packed);
  }
  assert.ok(four.length > packed.length && two.length < packed.length / 20);
});

const roundTrips: [name: string, input: string, bytes: Uint8Array, back: string][] = [
  ["lines", "lines", bytesOf("a\n\nb\r\n  \n"), "lines"],
  ["lines that are not UTF-8", "lines", Uint8Array.of(0xff, 0, 0xfe, 10, 0x80, 10), "lines"],
  ["Baldr", "length", baldrOf(["", "a\nb", "\0", "é", new Uint8Array(70_000)]), "baldr"],
];

for (const [name, input, bytes, back] of roundTrips) {
  Deno.test(`sluice baldr pack | sluice baldr cat gives ${name} back`, async () => {
    await using files = await TempFiles.of({ "in": bytes });
    for (const gzip of ["", "--gzip"]) {
      const seen = await runShell(
        `sluice baldr pack --input ${input} ${gzip} in | sluice baldr cat --format ${back} | cmp - in`,
        { cwd: files.folder },
      );
      assert.deepEqual(seen, { code: 0, stdout: "", stderr: "" });
    }
  });
}

Deno.test("sluice baldr pack --input nul takes what find -print0 writes", async () => {
  await using files = await TempFiles.of({ "a\nb": "", "c": "" });
  const seen = await runShell(
    "find . -type f -print0 | sort -z | sluice baldr pack --input nul | sluice baldr cat --format jsonl",
    { cwd: files.folder },
  );
  assert.equal(seen.stdout, '"./a\\nb"\n"./c"\n');
});

Deno.test("sluice baldr pack replaces a file only when told, and follows a link to it", async () => {
  await using files = await TempFiles.of({ "in": "new\n", "there": "old" });
  await Deno.symlink("there", files.path("link"));
  const seen = await runShell(
    "sluice baldr pack --output there in; sluice baldr pack --output link in",
    { cwd: files.folder },
  );
  assert.equal(
    seen.stderr,
    "sluice: Cannot write there: it exists; --force replaces it\n" +
      "sluice: Cannot write link: it exists; --force replaces it\n",
  );
  assert.equal(seen.code, 1);
  assert.equal(await Deno.readTextFile(files.path("there")), "old");
  const forced = await runShell("sluice baldr pack --force --output link in", {
    cwd: files.folder,
  });
  assert.equal(forced.code, 0);
  assert.deepEqual(await Deno.readFile(files.path("there")), baldrOf(["new"]));
  assert.ok((await Deno.lstat(files.path("link"))).isSymlink);
  assert.deepEqual(await files.names(), ["in", "link", "there"]);
});

Deno.test("sluice baldr pack never puts a file in the place of a device", async () => {
  await using files = await TempFiles.of({ "in": "a\n" });
  await new Deno.Command("mkfifo", { args: [files.path("pipe")] }).output();
  const seen = await runShell("sluice baldr pack --force --output pipe in", { cwd: files.folder });
  assert.equal(seen.stderr, "sluice: Cannot write pipe: it is there, and no ordinary file\n");
  assert.equal(seen.code, 1);
  assert.ok((await Deno.lstat(files.path("pipe"))).isFifo);
});

Deno.test("sluice baldr pack leaves no file, and no draft, when an input is damaged or missing", async () => {
  await using files = await TempFiles.of({
    "good": baldrOf(["one"]),
    "cut.gz": gzipped(baldrOf(["two"])).slice(0, -1),
    "old": "old",
  });
  const before = await files.names();
  const cut = await runShell("sluice baldr pack --input length --output x good cut.gz", {
    cwd: files.folder,
  });
  assert.match(
    cut.stderr,
    /^sluice: Cannot pack cut.gz: damaged at byte 11 \(byte \d+ of the gzip\)/,
  );
  assert.equal(cut.code, 12);
  const missing = await runShell("sluice baldr pack --force --output old good nowhere", {
    cwd: files.folder,
  });
  assert.equal(missing.stderr, "sluice: Cannot pack nowhere: there is no such file or folder\n");
  assert.equal(missing.code, 1);
  const folder = await runShell("sluice baldr pack --output no/such/folder/x good", {
    cwd: files.folder,
  });
  assert.equal(
    folder.stderr,
    "sluice: Cannot write no/such/folder/x: there is no such file or folder\n",
  );
  assert.equal(folder.code, 1);
  assert.deepEqual(await files.names(), before);
  assert.equal(await Deno.readTextFile(files.path("old")), "old");
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`sluice baldr pack leaves no file, and no draft, at ${signal}`, async () => {
    await using files = await TempFiles.of();
    const child = spawnSluice(["baldr", "pack", "--output", files.path("x.baldr.gz"), "-"]);
    const writer = child.stdin.getWriter();
    await writer.write(bytesOf("line\n".repeat(100_000)));
    while ((await files.names()).length === 0) await new Promise((done) => setTimeout(done, 20));
    assert.match((await files.names()).join(), /^\.x\.baldr\.gz\..*\.draft$/);
    child.kill(signal);
    assert.equal((await child.status).code, 130);
    assert.deepEqual(await files.names(), []);
    await writer.close().catch(() => {}); // its reader is gone
    await child.stdout.cancel();
  });
}

Deno.test("sluice baldr pack leaves quietly with 0 when the reader of its pipe has enough", async () => {
  const seen = await runShell("(yes || true) | sluice baldr pack | head -c 9 | wc -c", {
    cwd: "/tmp",
  });
  assert.deepEqual(seen, { code: 0, stdout: "9\n", stderr: "" });
});

Deno.test("sluice baldr pack says when there is no room, and leaves nothing behind", async () => {
  await using files = await TempFiles.of({ "in": "line\n".repeat(300_000) });
  const seen = await runShell("trap '' XFSZ; ulimit -f 100; sluice baldr pack --output x in", {
    cwd: files.folder,
  });
  assert.match(seen.stderr, /^sluice: Cannot write x: File too large[^\n]*\n$/);
  assert.equal(seen.code, 1);
  assert.deepEqual(await files.names(), ["in"]);
});

const wrong: [args: string[], complaint: string | RegExp][] = [
  [["--level", "10", "--gzip"], /^Cannot use --level: cannot use 10; it must be between 0 and 9$/],
  [
    ["--level", "3"],
    /^Cannot use --level: nothing is compressed; add --gzip, or call the output .gz/,
  ],
  [["--input", "csv"], /^Cannot use --input: .*give one of lines, nul, length$/],
  [["--ouput", "x"], /unknown option '--ouput'; did you mean --output\?/],
  [["--output", "s3://b/x"], /^Cannot write s3:\/\/b\/x: only files and - /],
  [["https://x/y"], /^Cannot read https:\/\/x\/y: only files and - /],
];

for (const [args, complaint] of wrong) {
  Deno.test(`sluice baldr pack ${args.join(" ")} exits 2 with one line`, async () => {
    assertComplaint(await runSluice(["baldr", "pack", ...args]), 2, complaint);
  });
}

Deno.test("sluice baldr pack does not write Baldr to a terminal", async () => {
  await using files = await TempFiles.of({ "in": "a\n" });
  const seen = await runShell('script -qec "$SLUICE baldr pack in" /dev/null', {
    cwd: files.folder,
  });
  assert.match(seen.stdout, /^sluice: Cannot write to a terminal: Baldr is binary; give --output/);
  assert.equal(seen.code, 2);
});
