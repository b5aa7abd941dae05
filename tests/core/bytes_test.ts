import assert from "node:assert/strict";
import { type Readable, ReadAhead } from "../../lib/core/bytes.ts";

/** Gives these pieces, one a read; an error is thrown. */
class Script implements Readable {
  reads = 0;
  isClosed = false;

  constructor(private readonly steps: (string | Error)[]) {}

  read(into: Uint8Array): Promise<number | null> {
    this.reads++;
    const step = this.steps.shift();
    if (step === undefined) return Promise.resolve(null);
    if (step instanceof Error) return Promise.reject(step);
    return Promise.resolve(new TextEncoder().encodeInto(step, into).written);
  }

  close(): void {
    this.isClosed = true;
  }
}

const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);
const asError = (thrown: unknown) => new Error(`told: ${(thrown as Error).message}`);

Deno.test("ReadAhead gives the pieces in order, one read ahead, and then the end", async () => {
  const script = new Script(["a", "bc", "d"]);
  const source = new ReadAhead(script, asError);
  assert.equal(script.reads, 0);
  const first = await source.next();
  assert.equal(script.reads, 2);
  assert.equal(text(first), "a", "the read ahead leaves what is lent alone");
  assert.equal(text(await source.next()), "bc");
  assert.equal(text(await source.next()), "d");
  assert.equal(await source.next(), undefined);
  source.close();
  assert.ok(script.isClosed);
});

Deno.test("ReadAhead throws a failed read when its turn comes, in the words of its owner", async () => {
  const source = new ReadAhead(new Script(["a", new Error("gone")]), asError);
  assert.equal(text(await source.next()), "a");
  await assert.rejects(source.next(), { message: "told: gone" });
});

Deno.test("ReadAhead leaves a failed read that nobody waits for alone", async () => {
  const source = new ReadAhead(new Script(["a", new Error("gone")]), asError);
  await source.next();
  source.close();
  await new Promise((resolve) => setTimeout(resolve, 0)); // an unhandled rejection would end us here
});
