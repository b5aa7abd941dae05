import assert from "node:assert/strict";
import fc from "fast-check";
import { Output } from "../../lib/baldr/output.ts";
import { bytesOf, MemorySink } from "../support/baldr.ts";

function append(output: Output, text: string): void {
  const bytes = bytesOf(`<${text}>`);
  output.append(bytes, 1, bytes.length - 1);
}

Deno.test("Output gives whole records at a flush, and holds an open one back", async () => {
  const sink = new MemorySink();
  const output = new Output(sink);
  append(output, "one");
  output.byte(10);
  output.endRecord();
  append(output, "tw");
  await output.finish();
  assert.equal(sink.text, "one\n");
  append(output, "o");
  output.endRecord();
  await output.finish();
  assert.equal(sink.text, "one\ntwo");
});

Deno.test("Output drops an open record of which nothing was given", async () => {
  const sink = new MemorySink();
  const output = new Output(sink);
  append(output, "one");
  output.endRecord();
  append(output, "cut");
  await output.flush();
  assert.equal(output.dropOpen(), 0);
  append(output, "two");
  output.endRecord();
  await output.finish();
  assert.equal(sink.text, "onetwo");
});

Deno.test("Output gives a record over its bound as it comes, and says how much of it at a drop", async () => {
  const sink = new MemorySink();
  const output = new Output(sink, { holdBytes: 5 });
  append(output, "one");
  output.endRecord();
  append(output, "large");
  await output.finish();
  assert.equal(sink.text, "one");
  append(output, "r");
  await output.flush();
  append(output, "larger");
  await output.finish();
  assert.equal(sink.text, "onelargerlarger");
  append(output, "rest");
  assert.equal(output.dropOpen(), 12);
  assert.equal(output.dropOpen(), 0);
  append(output, "!");
  output.endRecord();
  await output.finish();
  assert.equal(sink.text, "onelargerlarger!");
});

Deno.test("Output with no bound never gives an open record, however large", async () => {
  const sink = new MemorySink();
  const output = new Output(sink, { holdBytes: Infinity });
  const piece = new Uint8Array(300_000).fill(65);
  for (let i = 0; i < 20; i++) {
    output.append(piece, 0, piece.length);
    await output.finish();
    assert.equal(sink.bytes.length, 0);
  }
  output.endRecord();
  await output.finish();
  assert.equal(sink.bytes.length, 20 * piece.length);
});

Deno.test("Output passes on what its sink throws, at the next wait", async () => {
  const output = new Output({ write: () => Promise.reject(new Error("full")) });
  append(output, "one");
  output.endRecord();
  await output.flush();
  await assert.rejects(output.finish(), { message: "full" });
});

Deno.test("Output fills one block while the other is being written", async () => {
  const written: string[] = [];
  let release = () => {};
  const output = new Output({
    write: (bytes) => {
      const before = new TextDecoder().decode(bytes);
      return new Promise((resolve) => {
        release = () => {
          written.push(before, new TextDecoder().decode(bytes));
          resolve();
        };
      });
    },
  });
  append(output, "one");
  output.endRecord();
  await output.flush();
  append(output, "two");
  output.endRecord();
  release();
  await output.flush();
  release();
  await output.finish();
  assert.deepEqual(written, ["one", "one", "two", "two"]);
});

type Step = { readonly text: string } | "end" | "flush" | "drop";
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.string({ unit: "binary-ascii", maxLength: 9 }).map((text) => ({ text })),
  },
  fc.constantFrom("end" as const, "flush" as const, "drop" as const),
);

Deno.test("Output gives every byte of whole records in order, and no other within its bound", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const sink = new MemorySink();
      const output = new Output(sink, { holdBytes: 400 });
      let whole = "";
      let open = "";
      for (const one of steps) {
        if (one === "flush") await output.flush();
        else if (one === "drop") {
          assert.equal(output.dropOpen(), 0);
          open = "";
        } else if (one === "end") {
          output.endRecord();
          whole += open;
          open = "";
        } else {
          append(output, one.text);
          open += one.text;
        }
      }
      await output.finish();
      assert.equal(sink.text, whole);
    }),
    { numRuns: 2_000 },
  );
});
