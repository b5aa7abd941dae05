import assert from "node:assert/strict";
import { baldrOf, gzipped, joined, lengthBytes } from "../support/baldr.ts";
import { assertComplaint, runSluice } from "../support/command_line.ts";
import { peakBytesOf } from "../support/peak_memory.ts";
import { onTerminal, runShell, spawnSluice } from "../support/shell.ts";
import { TempFiles } from "../support/temp_files.ts";

const good = gzipped(baldrOf(['{"n":1}', "two"]));

Deno.test("sluice baldr cat prints files, and standard input where - stands or nothing does", async () => {
  await using files = await TempFiles.of({ "a.baldr.gz": good, "b": baldrOf(["three"]) });
  const seen = await runShell(
    "sluice baldr cat <b; sluice baldr cat a.baldr.gz - b <b; cat a.baldr.gz b | sluice baldr cat",
    { cwd: files.folder },
  );
  const two = '{"n":1}\ntwo\n';
  assert.equal(seen.stdout, `three\n${two}three\nthree\n${two}`);
  assert.match(seen.stderr, /^sluice: Cannot read all of standard input: damaged at byte 26 /);
  assert.equal(seen.code, 12, "text behind gzip is damage");
});

Deno.test("sluice baldr cat exits 12 at damage, with the records before it and one line", async () => {
  await using files = await TempFiles.of({
    "cut.baldr.gz": good.slice(0, -3),
    "b": baldrOf(["b"]),
  });
  const seen = await runShell("sluice baldr cat cut.baldr.gz b", { cwd: files.folder });
  assert.equal(seen.stdout, '{"n":1}\ntwo\nb\n');
  assert.equal(
    seen.stderr,
    `sluice: Cannot read all of cut.baldr.gz: damaged at byte 26 (byte ${good.length - 3} of the ` +
      "gzip): the gzip data is cut: its end is missing; 2 whole records before it, the last has " +
      "index 1\n",
  );
  assert.equal(seen.code, 12);
});

Deno.test("sluice baldr cat exits 1 when a file is missing, and prints the others", async () => {
  await using files = await TempFiles.of({ "b": baldrOf(["b"]), "cut": new Uint8Array(3) });
  const seen = await runShell("sluice baldr cat nowhere b", { cwd: files.folder });
  assert.equal(seen.stdout, "b\n");
  assert.equal(seen.stderr, "sluice: Cannot read nowhere: there is no such file or folder\n");
  assert.equal(seen.code, 1);
  const both = await runShell("sluice baldr cat cut nowhere b", { cwd: files.folder });
  assert.equal(both.stderr.split("\n").length, 3);
  assert.deepEqual([both.code, both.stdout], [12, "b\n"], "damage outweighs");
});

Deno.test("sluice baldr cat keeps a file name with a line feed on its one line", async () => {
  await using files = await TempFiles.of({ "a\nb": new Uint8Array(3) });
  const seen = await runShell("sluice baldr cat a*", { cwd: files.folder });
  assert.match(seen.stderr, /^sluice: Cannot read all of a\\u000ab: damaged at byte 0: [^\n]+\n$/);
});

Deno.test("sluice baldr cat leaves quietly with 0 when the reader of its pipe has enough", async () => {
  const many = gzipped(baldrOf(Array.from({ length: 300_000 }, (_, n) => `record number ${n}`)));
  await using files = await TempFiles.of({ "many": many });
  for (const format of ["lines", "raw", "jsonl", "hex", "baldr"]) {
    const seen = await runShell(`sluice baldr cat --format ${format} many | head -c 5 | wc -c`, {
      cwd: files.folder,
    });
    assert.deepEqual(seen, { code: 0, stdout: "5\n", stderr: "" });
  }
});

Deno.test("sluice baldr cat says when its output has no room", async () => {
  await using files = await TempFiles.of({ "a": good });
  const seen = await runShell("sluice baldr cat a >/dev/full", { cwd: files.folder });
  assert.match(seen.stderr, /^sluice: Cannot write standard output: No space left[^\n]*\n$/);
  assert.equal(seen.code, 1);
});

Deno.test("sluice baldr cat is stopped by SIGINT with 130", async () => {
  const child = spawnSluice(["baldr", "cat", "--format", "raw"]);
  const writer = child.stdin.getWriter();
  await writer.write(good);
  const { value } = await child.stdout.getReader().read();
  assert.equal(new TextDecoder().decode(value), '{"n":1}two', "what came is printed at once");
  child.kill("SIGINT");
  assert.equal((await child.status).code, 130);
  await writer.close().catch(() => {}); // its reader is gone
});

Deno.test("sluice baldr cat --count prints a number, or one for each of several files and a total", async () => {
  await using files = await TempFiles.of({
    "a": good,
    "b": baldrOf(["b"]),
    "cut": joined([baldrOf(["c"]), lengthBytes(4)]),
  });
  const seen = await runShell("sluice baldr cat --count a; sluice baldr cat --count a - b <b", {
    cwd: files.folder,
  });
  assert.equal(seen.stdout, "2\n2 a\n1 standard input\n1 b\n4 total\n");
  const cut = await runShell("sluice baldr cat --count cut nowhere b", { cwd: files.folder });
  assert.equal(cut.stdout, "1 cut\n1 b\n2 total\n");
  assert.equal(cut.stderr.split("\n").length, 3);
  assert.equal(cut.code, 12);
});

const wrong: [args: string[], complaint: string | RegExp][] = [
  [
    ["--formt", "raw", "x"],
    "Cannot understand the command line: unknown option '--formt'; did you mean --format?",
  ],
  [["--format", "xml", "x"], /^Cannot use --format: .*give one of lines, raw, jsonl, hex, baldr$/],
  [["--limit", "-1", "x"], /^Cannot use --limit: cannot use -1; it must be at least 0/],
  [["--skip", "few", "x"], /^Cannot use --skip: .*give a whole number$/],
  [["--max-record", "0", "x"], /^Cannot use --max-record: cannot use 0; it must be between 1 and/],
  [["--count", "--limit", "3", "x"], /^Cannot use --count with --format, --skip or --limit/],
  [["--count", "--format", "raw", "x"], /^Cannot use --count with --format/],
  [["http://host/x.baldr"], /^Cannot read http:\/\/host\/x.baldr: only files, s3:\/\/ and file/],
  [["s3://b/x.baldr"], /^Cannot use s3:\/\/b\/ as a store: no bucket can be named "b"/],
];

for (const [args, complaint] of wrong) {
  Deno.test(`sluice baldr cat ${args.join(" ")} exits 2 with one line`, async () => {
    assertComplaint(await runSluice(["baldr", "cat", ...args]), 2, complaint);
  });
}

Deno.test("sluice baldr cat indents JSON on a terminal, in colours unless NO_COLOR is set", async () => {
  await using files = await TempFiles.of({ "a": good });
  const coloured = await onTerminal("$SLUICE baldr cat a", files.folder);
  assert.equal(coloured.text, '{\n  \x1b[34;1m"n"\x1b[0m: \x1b[36m1\x1b[0m\n}\ntwo\n');
  const plain = await onTerminal("$SLUICE baldr cat a", files.folder, { NO_COLOR: "1" });
  assert.equal(plain.text, '{\n  "n": 1\n}\ntwo\n');
  const lines = await onTerminal("$SLUICE baldr cat --format lines a", files.folder);
  assert.equal(lines.text, '{"n":1}\ntwo\n', "as they are, when that is asked for");
});

Deno.test("sluice baldr cat neither reads from a terminal unasked nor writes Baldr to one", async () => {
  await using files = await TempFiles.of({ "a": good });
  const reading = await onTerminal("$SLUICE baldr cat", files.folder);
  assert.deepEqual(reading, {
    code: 2,
    text: "sluice: Cannot read standard input: it is a terminal; name files, pipe something in, " +
      "or give - to type it\n",
  });
  const writing = await onTerminal("$SLUICE baldr cat --format baldr a", files.folder);
  assert.match(writing.text, /^sluice: Cannot use --format baldr: Baldr is not for terminals/);
  assert.equal(writing.code, 2);
});

Deno.test("sluice baldr cat needs no more memory for many records, or one of 400 MB", async () => {
  const part = gzipped(baldrOf(Array.from({ length: 40_000 }, (_, n) => `${n}`.padEnd(250, "."))));
  const piece = gzipped(new Uint8Array(20_000_000).fill(66));
  await using files = await TempFiles.of({
    "many": joined(Array.from({ length: 40 }, () => part)),
    "large": joined([
      gzipped(lengthBytes(400_000_000)),
      ...Array.from({ length: 20 }, () => piece),
    ]),
    "claims": joined([baldrOf(["x"]), lengthBytes(2 ** 30), new Uint8Array(5)]),
  });
  const runs: [args: string[], code: number][] = [
    [["cat", "many"], 0],
    [["cat", "--format", "raw", "many"], 0],
    [["cat", "--format", "jsonl", "many"], 0],
    [["cat", "--format", "raw", "large"], 0],
    [["cat", "--format", "lines", "large"], 0],
    [["cat", "--count", "large"], 0],
    [["check", "large"], 0],
    [["cat", "--format", "jsonl", "claims"], 12],
    [["cat", "--format", "baldr", "claims"], 12],
  ];
  for (const [args, code] of runs) {
    const seen = await peakBytesOf(["baldr", ...args], files.folder);
    assert.equal(seen.code, code, args.join(" "));
    assert.ok(seen.peakBytes < 150e6, `${args.join(" ")}: ${Math.round(seen.peakBytes / 1e6)} MB`);
  }
});
