import assert from "node:assert/strict";
import { type Input, inputNames, nameOf, openInput } from "../../lib/baldr/inputs.ts";
import { baldrOf, gzipped, joined } from "../support/baldr.ts";
import { TempFiles } from "../support/temp_files.ts";

const piped = { stdinIsTerminal: false };

Deno.test("inputNames() takes no operand for standard input, if that is no terminal", () => {
  assert.deepEqual(inputNames([], piped), ["-"]);
  assert.deepEqual(inputNames(["-"], { stdinIsTerminal: true }), ["-"]);
  assert.deepEqual(inputNames(["b", "-", "a"], piped), ["b", "-", "a"]);
  assert.throws(() => inputNames([], { stdinIsTerminal: true }), {
    fault: "usage",
    message: /it is a terminal; name files, pipe something in, or give - to type it/,
  });
  assert.equal(nameOf("-"), "standard input");
  assert.equal(nameOf("./-"), "./-");
});

const refused: [operands: string[], message: RegExp][] = [
  [[""], /a file has a name/],
  [["-", "a", "-"], /standard input can be read once/],
  [["s3://bucket/key.baldr.gz"], /^Cannot read s3:\/\/bucket.*only files and - /],
  [["file:///x"], /only files and - /],
];

for (const [operands, message] of refused) {
  Deno.test(`inputNames() refuses ${JSON.stringify(operands)}`, () => {
    assert.throws(() => inputNames(operands, piped), { fault: "usage", message });
  });
}

async function allOf(input: Input): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let piece; (piece = await input.next()) !== undefined;) pieces.push(piece.slice());
  input.close();
  return joined(pieces);
}

Deno.test("openInput() sees gzip by its first bytes, not by the name", async () => {
  const stream = baldrOf(["a", "b"]);
  await using files = await TempFiles.of({
    "plain.gz": stream,
    "compressed": gzipped(stream),
    "empty": "",
    "short": "\x1f",
  });
  const plain = await openInput(files.path("plain.gz"));
  assert.deepEqual(await allOf(plain), stream);
  assert.equal(plain.compressedBytes, undefined);
  const compressed = await openInput(files.path("compressed"));
  assert.deepEqual(await allOf(compressed), stream);
  assert.equal(compressed.compressedBytes, gzipped(stream).length);
  assert.deepEqual(await allOf(await openInput(files.path("empty"))), new Uint8Array(0));
  assert.deepEqual(await allOf(await openInput(files.path("short"))), Uint8Array.of(0x1f));
});

Deno.test("openInput() sees gzip when its first bytes come one by one", async () => {
  await using files = await TempFiles.of();
  const pipe = files.path("pipe");
  const made = await new Deno.Command("mkfifo", { args: [pipe] }).output();
  assert.ok(made.success);
  const stream = baldrOf(["a"]);
  const writing = (async () => {
    using writer = await Deno.open(pipe, { write: true });
    for (const byte of gzipped(stream)) {
      await writer.write(Uint8Array.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  assert.deepEqual(await allOf(await openInput(pipe)), stream);
  await writing;
});

Deno.test("openInput() takes an empty file for damage when its name promises gzip", async () => {
  await using files = await TempFiles.of({ "x.baldr.gz": "" });
  const input = await openInput(files.path("x.baldr.gz"));
  await assert.rejects(async () => await input.next(), {
    fault: "corrupt",
    detail: "the file is empty, and even gzip of nothing has 20 bytes",
  });
  input.close();
});

Deno.test("openInput() says which file it cannot open, and why", async () => {
  await using files = await TempFiles.of();
  await assert.rejects(openInput(files.path("nowhere")), {
    fault: "permanent",
    message: `Cannot read ${files.path("nowhere")}: there is no such file or folder`,
  });
  await assert.rejects(openInput(files.folder), {
    fault: "permanent",
    message: `Cannot read ${files.folder}: it is a folder; name the files in it`,
  });
});
